"""Entities with a data contract of their own: groups, events, logins, lookup tables, types of communication."""

from typing import Any

import httpx
import pytest

from .conftest import Start
from .wire import PERSON, generic, items, messages, person

MENTORS = "556FE5A0-86A3-4910-BB44-5957D73388E2"
MEMBER_ROLE = "29AAE912-660E-4C53-B884-AD9EE27DEE0C"
CHAIR_ROLE = "7C1D22A0-0001-4E4C-9A53-1B8F0D1A2B3C"


def membership(group: str = MENTORS, party: str = "101", *details: dict[str, Any]) -> dict[str, Any]:
    """The body of a POST of a group member."""
    return {
        "$type": "Asi.Soa.Membership.DataContracts.GroupMemberData, Asi.Contracts",
        "Group": {"GroupId": group},
        "Party": {"PartyId": party},
        "JoinDate": "2026-01-01",
        "IsActive": True,
        "MembershipDetails": {"$values": list(details)},
    }


def role(role_id: str = MEMBER_ROLE, **dates: str) -> dict[str, Any]:
    """A detail of a membership."""
    return {"Role": {"RoleId": role_id}, "IsActive": True, **dates}


def registration(**changes: Any) -> dict[str, Any]:
    """The body of RegisterEvent."""
    return {
        "$type": "Asi.Soa.Events.DataContracts.EventRegistrationRequest, Asi.Contracts",
        "OperationName": "RegisterEvent",
        "RegistrationType": 3,
        "EventId": "CONF25",
        "RegistrationOptionFunctionId": "CONF25/FULL",
        "FunctionId": "FULL",
        "RegistrantId": "101",
        **changes,
    }


def test_typed_entities_are_no_business_objects(client: httpx.Client) -> None:
    names = {row["EntityTypeName"] for row in items(client.get("/api/BoEntityDefinition?limit=500"))}
    assert names.isdisjoint({"GroupMember", "User", "GenTable", "EventRegistration"})
    assert "Relationship" in names


def test_groups_are_found_by_name_and_id_and_list_their_roles(client: httpx.Client) -> None:
    assert len(items(client.get("/api/Group"))) == 2
    (group,) = items(client.get("/api/Group?Name=mentors"))
    assert group["GroupId"] == MENTORS
    assert [each["Name"] for each in group["Roles"]["$values"]] == ["Member", "Chair"]
    assert items(client.get("/api/Group", params={"GroupId": "eq:COMMITTEE/AWARDS"}))[0]["Name"] == "Awards"


def test_a_membership_is_created_found_replaced_and_removed(start: Start) -> None:
    site, client = start()
    reply = client.post("/api/GroupMember", json=membership(MENTORS, "101", role(EffectiveDate="2026-01-01")))
    assert reply.status_code == 201
    member = reply.json()
    (found,) = items(client.get("/api/GroupMember", params={"GroupId": MENTORS, "PartyId": "eq:101"}))
    assert found == member
    (detail,) = member["MembershipDetails"]["$values"]
    assert (detail["Role"]["Name"], detail["EffectiveDate"]) == ("Member", "2026-01-01T00:00:00")
    path = f"/api/GroupMember/{member['GroupMemberId']}"
    body = {**member, "MembershipDetails": {"$values": [detail, role(CHAIR_ROLE)]}}
    after = client.put(path, json=body).json()
    assert [each["Role"]["Name"] for each in after["MembershipDetails"]["$values"]] == ["Member", "Chair"]
    assert after["MembershipDetails"]["$values"][0] == detail
    for each in after["MembershipDetails"]["$values"]:
        assert client.delete(f"/api/GroupMemberDetail/{each['GroupMemberDetailId']}").status_code == 200
    assert client.get(path).status_code == 404
    assert [write.method for write in site.writes] == ["POST", "PUT", "DELETE", "DELETE"]


def test_a_membership_is_removed_with_its_roles(start: Start) -> None:
    site, client = start()
    member = client.post("/api/GroupMember", json=membership(MENTORS, "101", role())).json()
    assert client.delete(f"/api/GroupMember/{member['GroupMemberId']}").status_code == 200
    assert site.rows("GroupMember") == site.rows("GroupMemberDetail") == []


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (membership("NONE"), "'NONE' is not a group."),
        (membership(MENTORS, "999999"), "Contact 999999 does not exist."),
        (membership(MENTORS, "101", role("BOSS")), "'BOSS' is not a role of Mentors."),
    ],
    ids=["group", "contact", "role"],
)
def test_a_membership_that_cannot_be_is_refused(client: httpx.Client, body: dict[str, Any], said: str) -> None:
    assert messages(client.post("/api/GroupMember", json=body)) == [said]


def test_a_second_post_is_refused_by_a_group_and_takes_the_place_of_the_first_in_a_committee(start: Start) -> None:
    site, client = start()
    client.post("/api/GroupMember", json=membership(MENTORS, "101", role()))
    assert messages(client.post("/api/GroupMember", json=membership(MENTORS, "101", role()))) == [
        "Contact 101 is in Mentors already."
    ]
    for each in ("MEMBER", "CHAIR"):
        assert (
            client.post("/api/GroupMember", json=membership("COMMITTEE/AWARDS", "102", role(each))).status_code == 201
        )
    assert [row["RoleId"] for row in site.rows("GroupMemberDetail")] == [MEMBER_ROLE, "CHAIR"]


def test_the_member_of_a_committee_cannot_be_addressed(client: httpx.Client) -> None:
    member = client.post("/api/GroupMember", json=membership("COMMITTEE/AWARDS", "101", role("MEMBER"))).json()
    assert member["GroupMemberId"] == "COMMITTEE/AWARDS:101"
    assert member["MembershipDetails"]["$values"][0]["GroupMemberDetailId"] == "COMMITTEE/AWARDS:101:1"
    reply = client.get("/api/GroupMember/COMMITTEE%2FAWARDS%3A101")
    assert (reply.status_code, "dangerous" in reply.json()["Message"]) == (400, True)


def test_a_registration_is_read_before_and_after(start: Start) -> None:
    site, client = start()
    assert "Status" not in client.get("/api/EventRegistration/CONF25-101").json()
    reply = client.post("/api/EventRegistration/_execute", json=registration()).json()
    assert (reply["IsSuccessStatusCode"], reply["Result"]) == (True, {"EventRegistrationId": "CONF25-101"})
    body = client.get("/api/EventRegistration/CONF25-101").json()
    assert body["Status"] == 1
    assert [each["EventFunction"]["EventFunctionCode"] for each in body["Functions"]["$values"]] == ["FULL"]
    cancel = {"$type": "X", "OperationName": "CancelEventRegistration", "Parameters": ["CONF25-101"]}
    assert client.post("/api/EventRegistration/_execute", json=cancel).json()["IsSuccessStatusCode"] is True
    assert client.get("/api/EventRegistration/CONF25-101").json()["Status"] == 2
    assert len(site.writes) == 2


def test_the_same_registration_is_taken_twice_as_on_the_real_site(start: Start) -> None:
    site, client = start()
    for _ in range(2):
        client.post("/api/EventRegistration/_execute", json=registration())
    assert len(site.rows("EventRegistration")) == 2


def test_a_registration_that_fails_is_a_200_that_says_so(start: Start) -> None:
    site, client = start()
    wrong = registration(RegistrantId="999999", FunctionId="X")
    reply = client.post("/api/EventRegistration/_execute", json=wrong)
    said = ["'X' is not a function of CONF25.", "Contact 999999 does not exist."]
    assert (reply.status_code, reply.json()["IsSuccessStatusCode"]) == (200, False)
    assert [each["Message"] for each in reply.json()["ValidationResults"]["Errors"]["$values"]] == said
    verdict = client.post("/api/EventRegistration/_validate", json=wrong).json()
    assert (verdict["IsValid"], verdict["ValidationResults"]) == (False, reply.json()["ValidationResults"])
    assert client.post("/api/EventRegistration/_validate", json=registration()).json()["IsValid"] is True
    assert site.writes == []


def test_registering_can_fail_as_any_write(start: Start) -> None:
    site, client = start(faults_at={"write-500-saved": 1})
    assert client.post("/api/EventRegistration/_execute", json=registration()).status_code == 500
    assert len(site.rows("EventRegistration")) == 1
    find = {"$type": "X", "OperationName": "FindByPath", "Parameters": ["$/Idms/Members"]}
    assert client.post("/api/QueryDefinition/_execute", json=find).status_code == 200


def test_a_login_is_created_once_for_a_contact_with_an_e_mail_address(start: Start) -> None:
    site, client = start()
    user = {"$type": "UserData", "UserName": "ada", "UserId": "101"}
    assert client.post("/api/User", json=user).status_code == 201
    assert [row["UserId"] for row in items(client.get("/api/User?UserName=eq:ADA"))] == ["101"]
    assert client.get("/api/User/101").json()["UserName"] == "ada"
    second = client.post("/api/User", json={**user, "UserName": "other"})
    assert (second.status_code, "DuplicateProviderUserKey" in second.text) == (400, True)
    assert "DuplicateUserName" in client.post("/api/User", json={**user, "UserId": "102"}).text
    bare = client.post("/api/Person", json=person(LastName="Byron")).json()["Id"]
    assert messages(client.post("/api/User", json={**user, "UserId": bare})) == [
        f"Contact {bare} has no e-mail address."
    ]
    assert len(site.rows("User")) == 1


def test_a_lookup_value_has_a_key_of_two_parts(start: Start) -> None:
    _, client = start()
    body = {"$type": "GenTableData", "Table_Name": "REGION", "Code": "East", "Description": "Eastern"}
    assert client.post("/api/GenTable", json=body).json()["Upper_Code"] == "EAST"
    assert messages(client.post("/api/GenTable", json=body)) == ["The code East is in REGION already."]
    assert len(items(client.get("/api/GenTable?TableName=eq:REGION"))) == 4
    path = "/api/GenTable/~REGION|East"
    assert client.put(path, json={"$type": "GenTableData", "Substitute": "E"}).json()["Description"] == "Eastern"
    assert client.get(path).json()["Substitute"] == "E"
    assert client.get("/api/GenTable/East").status_code == 400
    assert (client.delete(path).status_code, client.delete(path).status_code) == (200, 404)


def test_types_of_communication_are_listed_and_checked(client: httpx.Client) -> None:
    rows = items(client.get("/api/CommunicationType"))
    assert [row["CommunicationTypeId"] for row in rows] == ["NEWS", "EVENTS", "OFFERS"]
    assert rows[0]["CommunicationTypeDisplay"] == "Newsletter"
    wrong = {"CommunicationTypePreferences": [{"CommunicationTypeId": "X", "OptInFlag": True}]}
    reply = client.put("/api/Party/101", json={"$type": PERSON, **wrong})
    assert messages(reply) == ["'X' is not a type of communication."]


def test_an_address_has_a_number_a_fax_and_marks_of_preference(client: httpx.Client) -> None:
    addresses = [
        {"AddressPurpose": "Billing", "Fax": "1", "CommunicationPreferences": [{"Reason": "bill"}]},
        {"AddressPurpose": "Shipping", "Phone": "2"},
    ]
    party = client.post("/api/Person", json=person(LastName="Byron") | {"Addresses": addresses}).json()
    first, second = party["Addresses"]["$values"]
    assert (first["FullAddressId"], second["FullAddressId"], first["Fax"]) == ("1", "2", "1")
    assert [each["Reason"] for each in first["CommunicationPreferences"]["$values"]] == ["bill"]
    again = client.put(f"/api/Party/{party['Id']}", json=party | {"Addresses": [second, addresses[0]]}).json()
    assert [each["FullAddressId"] for each in again["Addresses"]["$values"]] == ["2", "3"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/api/User/101"),
        ("DELETE", "/api/EventRegistration/CONF25-101"),
        ("GET", "/api/GroupMemberDetail"),
        ("POST", "/api/Group"),
        ("PATCH", "/api/GenTable/~A|B"),
    ],
)
def test_a_verb_that_is_not_offered_is_405(client: httpx.Client, method: str, path: str) -> None:
    assert client.request(method, path, json=generic("X")).status_code == 405


def test_the_records_of_all_entities_are_saved(start: Start, tmp_path: Any) -> None:
    site, client = start(data=tmp_path / "site.json")
    client.post("/api/GroupMember", json=membership(MENTORS, "101", role()))
    client.post("/api/EventRegistration/_execute", json=registration())
    client.post("/_sandbox/save")
    again, _ = start(data=tmp_path / "site.json")
    for entity in ("GroupMember", "GroupMemberDetail", "EventRegistration", "GenTable"):
        assert again.rows(entity) == site.rows(entity) != []
