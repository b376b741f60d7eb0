"""Persons and organizations: what is stored, what a PUT blanks, what validation refuses."""

from typing import Any

import httpx
import pytest

from .conftest import Start
from .wire import ORGANIZATION, PERSON, items, messages, person

COLLECTIONS = (
    "Emails",
    "Phones",
    "Addresses",
    "AdditionalAttributes",
    "Salutations",
    "AlternateIds",
    "CommunicationTypePreferences",
)


def attributes(party: dict[str, Any]) -> dict[str, Any]:
    """A party's additional attributes."""
    return {item["Name"]: item.get("Value") for item in party["AdditionalAttributes"]["$values"]}


@pytest.mark.parametrize("path", ["/api/Party", "/api/Person", "/api/PERSON"])
def test_the_smallest_person_gets_an_id_and_all_members(start: Start, path: str) -> None:
    site, client = start()
    reply = client.post(path, json=person(FirstName="Ada", LastName="Byron"))
    assert reply.status_code == 201
    party = reply.json()
    assert (party["Id"], party["PartyId"], party["$type"]) == ("151", "151", PERSON)
    assert len(party["UniformId"]) == 36
    assert (party["Name"], party["Sort"]) == ("Ada Byron", "Byron, Ada")
    assert party["Status"]["PartyStatusId"] == "A"
    assert attributes(party) == {"CustomerTypeCode": "REG"}
    assert party["UpdateInformation"]["CreatedBy"] == "idms-background"
    assert party["UpdateInformation"]["UpdatedOn"] == "2026-11-23T12:00:00"
    assert client.get("/api/Party/151").json() == party
    assert [(write.entity, write.key) for write in site.writes] == [("Party", "151")]
    assert "LastName=Byron" in site.writes[0].summary


def test_an_organization_has_a_name_of_its_own(client: httpx.Client) -> None:
    reply = client.post("/api/Party", json={"$type": ORGANIZATION, "OrganizationName": "L'Atelier & Cie"})
    assert reply.status_code == 201
    party = reply.json()
    assert (party["Name"], party["OrganizationName"]) == ("L'Atelier & Cie", "L'Atelier & Cie")
    assert "PersonName" not in party
    assert attributes(party)["CustomerTypeCode"] == "ORG"
    assert client.get(f"/api/Organization/{party['Id']}").status_code == 200
    assert client.get(f"/api/Person/{party['Id']}").status_code == 404


@pytest.mark.parametrize(
    ("path", "contract"),
    [
        ("/api/Party", None),
        ("/api/Party", "Asi.Soa.Membership.DataContracts.PartyData, Asi.Contracts"),
        ("/api/Person", ORGANIZATION),
        ("/api/Organization", PERSON),
    ],
    ids=["no $type", "a bare party", "organization as person", "person as organization"],
)
def test_the_type_has_to_say_what_is_created(client: httpx.Client, path: str, contract: str | None) -> None:
    body = {"PersonName": {"LastName": "Byron"}} | ({"$type": contract} if contract else {})
    assert client.post(path, json=body).status_code == 400


def test_collections_are_taken_bare_or_typed_and_completed(client: httpx.Client) -> None:
    body = person(LastName="Byron") | {
        "Emails": {"$values": [{"Address": "ada@example.com", "EmailType": "_Primary", "IsPrimary": True}]},
        "Phones": [{"Number": "0400000000", "PhoneType": "Mobile", "IsPrimary": True}],
        "Addresses": [
            {"AddressPurpose": "Billing", "Address": {"AddressLines": ["1 High St", ""], "CityName": "Perth"}}
        ],
        "BirthDate": "1815-12-10",
        "NoSuchMember": "x",
    }
    party = client.post("/api/Person", json=body).json()
    assert party["Emails"]["$values"][0]["Address"] == "ada@example.com"
    assert party["Phones"]["$values"][0]["$type"] == "Asi.Soa.Membership.DataContracts.PhoneData, Asi.Contracts"
    address = party["Addresses"]["$values"][0]["Address"]
    assert address["AddressLines"]["$values"] == ["1 High St", ""]
    assert (address["CityName"], address["CountryCode"]) == ("Perth", "")
    assert party["BirthDate"] == "1815-12-10T00:00:00"
    assert "NoSuchMember" not in party


def test_a_party_without_an_address_shows_an_empty_one(client: httpx.Client) -> None:
    party = client.post("/api/Person", json=person(LastName="Byron")).json()
    (address,) = party["Addresses"]["$values"]
    assert address["AddressPurpose"] == address["Address"]["CityName"] == ""
    again = client.put(f"/api/Person/{party['Id']}", json=party)
    assert again.status_code == 200
    assert again.json()["Addresses"] == party["Addresses"]


def test_writing_back_what_was_read_changes_nothing(start: Start) -> None:
    site, client = start()
    for path in ("/api/Party/101", "/api/Party/125"):
        party = client.get(path).json()
        again = client.put(path, json=party).json()
        assert {**again, "UpdateInformation": None} == {**party, "UpdateInformation": None}
    assert [write.summary for write in site.writes] == ["nothing changed"] * 2


def test_inside_an_object_that_is_sent_what_is_left_out_is_blanked(client: httpx.Client) -> None:
    before = client.get("/api/Party/101").json()
    assert before["PersonName"]["InformalName"]
    body = person(FirstName=before["PersonName"]["FirstName"], LastName="Byron")
    party = client.put("/api/Party/101", json=body).json()
    assert party["PersonName"]["LastName"] == "Byron"
    assert party["PersonName"]["InformalName"] == ""
    assert party["Emails"] == before["Emails"]
    assert party["BirthDate"] == before["BirthDate"]


def test_a_site_may_blank_whole_members_that_are_left_out(start: Start) -> None:
    _, client = start(put_missing="blank")
    party = client.put("/api/Party/101", json=person(LastName="Byron")).json()
    assert party["Emails"]["$values"] == []
    assert party["BirthDate"] is None
    assert party["Id"] == "101"


@pytest.mark.parametrize("name", COLLECTIONS)
def test_a_collection_that_is_sent_replaces_the_whole_one(client: httpx.Client, name: str) -> None:
    before = client.get("/api/Party/101").json()
    assert before[name]["$values"]
    party = client.put("/api/Party/101", json={"$type": PERSON, name: {"$values": []}}).json()
    assert [item for item in party[name]["$values"] if item.get("AddressPurpose") != ""] == []
    assert party["PersonName"] == before["PersonName"]


def test_only_the_site_sets_ids_and_update_information(client: httpx.Client) -> None:
    before = client.get("/api/Party/101").json()
    lies = {"Id": "7", "UniformId": "x", "UpdateInformation": {"CreatedBy": "me", "UpdatedOn": "1999-01-01"}}
    party = client.put("/api/Party/101", json={**before, **lies}).json()
    assert (party["Id"], party["UniformId"]) == ("101", before["UniformId"])
    assert party["UpdateInformation"]["CreatedBy"] == "MANAGER"
    assert party["UpdateInformation"]["UpdatedBy"] == "idms-background"
    assert party["UpdateInformation"]["UpdatedOn"] == "2026-11-23T12:00:00"


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ({"PersonName": {"FirstName": "Ada"}}, ["Last Name is required."]),
        ({"PersonName": {"LastName": "x" * 31}}, ["LastName is longer than 30 characters."]),
        ({"Emails": [{"Address": "ada at example"}]}, ["'ada at example' is not a valid e-mail address."]),
        (
            {"Addresses": [{"AddressPurpose": "Moon", "Address": {"CityName": "X"}}]},
            ["'Moon' is not a valid address purpose."],
        ),
        ({"Status": {"PartyStatusId": "Q"}}, ["'Q' is not a valid status."]),
        (
            {"PersonName": {}, "AdditionalAttributes": [{"Name": "CustomerTypeCode", "Value": "XXX"}]},
            ["Last Name is required.", "'XXX' is not a valid customer type."],
        ),
    ],
    ids=["last name", "too long", "e-mail", "purpose", "status", "two at once"],
)
def test_validation_refuses(start: Start, extra: dict[str, Any], said: list[str]) -> None:
    site, client = start()
    body = {**person(FirstName="Ada", LastName="Byron"), **extra}
    assert messages(client.post("/api/Person", json=body)) == said
    assert messages(client.put("/api/Person/101", json=body)) == said
    verdict = client.post("/api/Person/_validate", json=body)
    assert (verdict.status_code, verdict.json()["IsValid"]) == (200, False)
    assert site.writes == []


def test_validate_accepts_a_good_person_and_stores_nothing(start: Start) -> None:
    site, client = start()
    verdict = client.post("/api/Person/_validate", json=person(LastName="Byron")).json()
    assert (verdict["IsValid"], verdict["ValidationResults"]["Errors"]["$values"]) == (True, [])
    assert verdict["Entity"]["PersonName"]["LastName"] == "Byron"
    assert len(site.rows("Party")) == 50


@pytest.mark.parametrize(
    "extra",
    [
        {"PersonName": "Byron"},
        {"BirthDate": "10/12/1815"},
        {"Emails": "ada@example.com"},
        {"Emails": ["ada@example.com"]},
        {"Addresses": [{"AddressPurpose": "Billing", "Address": "Perth"}]},
        {"PersonName": {"LastName": "By\0ron"}},
        {"AdditionalAttributes": [{"Name": "JoinDate", "Value": "soon"}]},
    ],
    ids=str,
)
def test_data_that_gets_past_validation_is_a_500(client: httpx.Client, extra: dict[str, Any]) -> None:
    reply = client.post("/api/Person", json={**person(LastName="Byron"), **extra})
    assert reply.status_code == 500
    assert reply.json()["Message"] == "An error occurred. Please contact the administrator."


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_a_party_that_is_not_there_is_404(client: httpx.Client, method: str) -> None:
    body = person(LastName="Byron") if method == "PUT" else None
    assert client.request(method, "/api/Party/999999", json=body).status_code == 404


def test_a_person_cannot_become_an_organization(client: httpx.Client) -> None:
    assert client.put("/api/Party/101", json={"$type": ORGANIZATION, "OrganizationName": "X"}).status_code == 400


def test_a_deleted_party_is_gone_and_its_id_is_not_used_again(client: httpx.Client) -> None:
    assert client.delete("/api/Party/150").status_code == 200
    assert client.get("/api/Party/150").status_code == 404
    assert client.post("/api/Person", json=person(LastName="Byron")).json()["Id"] == "151"


def test_the_members_of_the_site_are_plausible_and_always_the_same(start: Start) -> None:
    one, client = start(members=300)
    other, _ = start(members=300)
    rows = one.rows("Party")
    assert rows == other.rows("Party")
    assert [row["ID"] for row in rows] == [str(number) for number in range(101, 401)]
    emails = [row["Email"] for row in rows if not row["IsOrganization"]]
    assert len(set(emails)) == len(emails) == 288
    assert any("'" in str(row["LastName"]) for row in rows)
    assert any(not str(row["Name"]).isascii() for row in rows)
    assert len(items(client.get("/api/Party?limit=500"))) == 300
