"""Panels and activities: generic entities by key, written, validated and deleted."""

from typing import Any

import httpx
import pytest

from .conftest import Start
from .wire import GENERIC, generic, items, messages, values

ADMINISTRATOR = "An error occurred. Please contact the administrator."


def key(entity: dict[str, Any]) -> list[str]:
    """The identity's elements."""
    elements: list[str] = entity["Identity"]["IdentityElements"]["$values"]
    return elements


def post_score(client: httpx.Client, **properties: Any) -> httpx.Response:
    """A new course result of contact 101 unless said otherwise."""
    return client.post("/api/ABC_Scores", json=generic("ABC_Scores", **{"ID": "101", "Course": "Maths", **properties}))


def test_a_single_row_is_read_by_its_id(client: httpx.Client) -> None:
    row = client.get("/api/ABC_Membership/101").json()
    assert row["$type"] == GENERIC
    assert row["EntityTypeName"] == "ABC_Membership"
    assert row["PrimaryParentEntityTypeName"] == "Party"
    assert key(row) == ["101"]
    assert row["PrimaryParentIdentity"]["IdentityElements"]["$values"] == ["101"]
    assert values(row)["Newsletter"]["$type"] == "System.Boolean"
    assert client.get("/api/abc_membership/~101").json() == row


def test_a_row_of_several_keys_is_read_with_a_tilde_and_bars(client: httpx.Client) -> None:
    post_score(client)
    row = client.get("/api/ABC_Scores", params={"ID": "101", "Course": "Maths"}).json()["Items"]["$values"][0]
    ordinal = key(row)[1]
    assert client.get(f"/api/ABC_Scores/~101|{ordinal}").json() == row
    assert client.get(f"/api/ABC_Scores/~101%7C{ordinal}").json() == row


@pytest.mark.parametrize("path", ["/api/ABC_Membership/999999", "/api/ABC_Scores/~101|99", "/api/Activity/99999"])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_a_row_that_is_not_there_is_404(client: httpx.Client, method: str, path: str) -> None:
    body = generic(path.split("/")[2], ID="101") if method == "PUT" else None
    assert client.request(method, path, json=body).status_code == 404


@pytest.mark.parametrize("path", ["/api/ABC_Scores/101", "/api/ABC_Scores/~1|2|3", "/api/ABC_Membership/~101|1"])
def test_a_wrong_number_of_keys_is_an_argument_fault(client: httpx.Client, path: str) -> None:
    reply = client.get(path)
    assert reply.status_code == 400
    assert "ArgumentFault: Incorrect number of identity element" in reply.json()["Message"]


def test_the_answer_to_a_new_row_says_ordinal_0_whatever_was_stored(start: Start) -> None:
    site, client = start(members=1)
    before = len(site.rows("ABC_Scores"))
    first, second = post_score(client), post_score(client, Course="Physics")
    assert first.status_code == second.status_code == 201
    for reply in (first, second):
        assert key(reply.json()) == ["101", "0"]
        assert values(reply.json())["Ordinal"] == {"$type": "System.Int32", "$value": 0}
    stored = [row["Ordinal"] for row in site.rows("ABC_Scores")[before:]]
    assert stored == [before + 1, before + 2]
    assert [write.key for write in site.writes] == [f"101|{before + 1}", f"101|{before + 2}"]


def test_an_ordinal_that_is_sent_is_not_taken(start: Start) -> None:
    site, client = start(members=0)
    assert [row["Ordinal"] for row in site.rows("ABC_Codes")] == [1, 2, 3, 4, 5]
    reply = client.post("/api/ABC_Codes", json=generic("ABC_Codes", Ordinal=77, Code="C"))
    assert key(reply.json()) == ["0"]
    assert reply.json()["PrimaryParentEntityTypeName"] == "Standalone"
    assert "IdentityElements" not in reply.json()["PrimaryParentIdentity"]
    assert [row["Ordinal"] for row in site.rows("ABC_Codes")] == [1, 2, 3, 4, 5, 6]


def test_values_are_taken_wrapped_and_plain_alike(start: Start) -> None:
    site, client = start(members=1)
    wrapped = {
        "Score": {"$type": "System.Int32", "$value": 80},
        "Hours": {"$type": "System.Decimal", "$value": 1.25},
        "TakenOn": "2026-03-04",
    }
    assert post_score(client, **wrapped).status_code == 201
    assert post_score(client, Score="80", Hours=1.25, TakenOn="2026-03-04T00:00:00Z").status_code == 201
    one, other = site.rows("ABC_Scores")[-2:]
    assert (one["Score"], one["Hours"], one["TakenOn"]) == (80, 1.25, "2026-03-04T00:00:00")
    assert {**one, "Ordinal": 0} == {**other, "Ordinal": 0}


@pytest.mark.parametrize(("sent", "stored"), [(True, True), ("true", True), ("0", False), (None, None), ("", None)])
def test_a_boolean_is_taken_as_text_too(start: Start, sent: Any, stored: bool | None) -> None:
    site, client = start(members=1)
    value = {"$type": "System.Boolean", "$value": sent}
    assert client.put("/api/ABC_Membership/101", json=generic("ABC_Membership", Newsletter=value)).status_code == 200
    assert site.rows("ABC_Membership")[0]["Newsletter"] is stored


def test_the_reader_is_tolerant_as_json_net_is(start: Start) -> None:
    site, client = start(members=1)
    body = {
        "$type": GENERIC,
        "properties": [{"name": "PARTYID", "value": "101"}, {"Name": "activity_type", "Value": "CALL"}],
    }
    assert client.post("/api/Activity", json=body).status_code == 201
    assert site.rows("Activity")[-1]["ACTIVITY_TYPE"] == "CALL"


def test_the_contact_may_come_from_the_parent_identity(start: Start) -> None:
    site, client = start(members=1)
    body = generic("ABC_Scores", Course="Maths")
    body["PrimaryParentIdentity"] = {"EntityTypeName": "Party", "IdentityElements": {"$values": ["101"]}}
    assert client.post("/api/ABC_Scores", json=body).status_code == 201
    assert site.rows("ABC_Scores")[-1]["ID"] == "101"


@pytest.mark.parametrize(
    ("properties", "said"),
    [
        ({"ID": None}, ["ID is required."]),
        ({"ID": "999999"}, ["Contact 999999 does not exist."]),
        ({"Course": " "}, ["Course is required."]),
        ({"Course": "x" * 41}, ["Course is longer than 40 characters."]),
        ({"Grade": "Z"}, ["Grade 'Z' is not in the list of allowed values."]),
        ({"Kurs": "x"}, ["Kurs is not a property of ABC_Scores."]),
        (
            {"Course": "", "Grade": "TOOLONG"},
            ["Course is required.", "Grade is longer than 5 characters."],
        ),
    ],
    ids=["no contact", "unknown contact", "blank", "too long", "not in the list", "unknown property", "two at once"],
)
def test_validation_says_all_that_is_wrong(start: Start, properties: dict[str, Any], said: list[str]) -> None:
    site, client = start()
    assert messages(post_score(client, **properties)) == said
    assert site.writes == []


@pytest.mark.parametrize(
    "properties",
    [
        {"Score": "many"},
        {"Score": 2**31},
        {"Score": 1.5},
        {"Hours": "1,5"},
        {"Hours": 10**9},
        {"Hours": "NaN"},
        {"TakenOn": "31/12/2026"},
        {"TakenOn": "1492-10-12"},
        {"Course": "zero\0"},
        {"Course": ["a", "list"]},
        {"Score": {"$value": {"$value": 1}}},
    ],
    ids=str,
)
def test_data_that_gets_past_validation_is_a_500(start: Start, properties: dict[str, Any]) -> None:
    site, client = start()
    reply = post_score(client, **properties)
    assert (reply.status_code, reply.json()["Message"]) == (500, ADMINISTRATOR)
    assert site.writes == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"Properties": []}, 400),
        ([], 400),
        ({"$type": GENERIC, "Properties": "text"}, 500),
        ({"$type": GENERIC, "Properties": [1, 2]}, 500),
        ({"$type": GENERIC}, 400),
    ],
    ids=["no $type", "a list", "properties no list", "properties no pairs", "no properties"],
)
def test_a_body_of_another_shape_is_refused(client: httpx.Client, body: Any, status: int) -> None:
    assert client.post("/api/ABC_Scores", json=body).status_code == status


def test_a_second_row_in_a_single_panel_is_refused(client: httpx.Client) -> None:
    reply = client.post("/api/ABC_Membership", json=generic("ABC_Membership", ID="101", Standing="GOOD"))
    assert messages(reply) == ["A row of ABC_Membership for contact 101 exists already."]


@pytest.mark.parametrize("status", [200, 201])
def test_a_put_answers_with_what_is_stored(start: Start, status: int) -> None:
    site, client = start(put_status=status)
    row = client.get("/api/ABC_Membership/101").json()
    for item in row["Properties"]["$values"]:
        if item["Name"] == "Standing":
            item["Value"] = "HONORARY"
    reply = client.put("/api/ABC_Membership/101", json=row)
    assert (reply.status_code, values(reply.json())["Standing"]) == (status, "HONORARY")
    assert client.get("/api/ABC_Membership/101").json() == reply.json()
    (write,) = site.writes
    assert (write.method, write.entity, write.key) == ("PUT", "ABC_Membership", "101")
    assert write.summary.endswith("-> HONORARY")


@pytest.mark.parametrize(("mode", "newsletter"), [("keep", True), ("blank", None)])
def test_what_a_put_leaves_out_is_kept_or_blanked(start: Start, mode: str, newsletter: bool | None) -> None:
    site, client = start(put_missing=mode, members=0)
    client.post("/api/Person", json={"$type": "PersonData", "PersonName": {"LastName": "Byron"}})
    site.add_rows("ABC_Membership", [{"ID": "101", "Standing": "GOOD", "Newsletter": True}])
    assert client.put("/api/ABC_Membership/101", json=generic("ABC_Membership", Standing="GRACE")).status_code == 200
    assert site.rows("ABC_Membership") == [
        {"ID": "101", "Standing": "GRACE", "LapsedOn": None, "PaidThru": None, "Newsletter": newsletter}
    ]


def test_a_put_cannot_change_the_key(start: Start) -> None:
    site, client = start()
    client.put("/api/ABC_Membership/101", json=generic("ABC_Membership", ID="102", Standing="GRACE"))
    assert [row["Standing"] for row in site.rows("ABC_Membership") if row["ID"] == "101"] == ["GRACE"]


def test_a_deleted_row_is_gone(start: Start) -> None:
    site, client = start()
    reply = client.delete("/api/ABC_Membership/101")
    assert (reply.status_code, reply.content) == (200, b"")
    assert client.delete("/api/ABC_Membership/101").status_code == 404
    assert [(write.method, write.key) for write in site.writes] == [("DELETE", "101")]


def test_an_ordinal_is_not_given_twice(start: Start) -> None:
    site, client = start(members=0)
    client.delete("/api/ABC_Codes/5")
    client.post("/api/ABC_Codes", json=generic("ABC_Codes", Code="C"))
    assert [row["Ordinal"] for row in site.rows("ABC_Codes")] == [1, 2, 3, 4, 6]


def test_validate_stores_nothing(start: Start) -> None:
    site, client = start()
    good = client.post("/api/ABC_Scores/_validate", json=generic("ABC_Scores", ID="101", Course="Maths"))
    bad = client.post("/api/ABC_Scores/_validate", json=generic("ABC_Scores", ID="101"))
    assert (good.status_code, good.json()["IsValid"]) == (200, True)
    assert values(good.json()["Entity"])["Course"] == "Maths"
    assert (bad.status_code, bad.json()["IsValid"]) == (200, False)
    assert bad.json()["ValidationResults"]["Errors"]["$values"][0]["Message"] == "Course is required."
    assert site.writes == []


def test_a_new_activity_gets_the_next_number_in_its_answer(start: Start) -> None:
    site, client = start(members=2)
    highest = max([int(row["SEQN"] or 0) for row in site.rows("Activity")], default=0)
    body = generic("Activity", PartyId="101", ACTIVITY_TYPE="EDUC", TRANSACTION_DATE="2026-11-23", AMOUNT=12.5)
    reply = client.post("/api/Activity", json=body)
    assert (reply.status_code, key(reply.json())) == (201, [str(highest + 1)])
    stored = client.get(f"/api/Activity/{highest + 1}").json()
    assert stored == reply.json()
    assert values(stored)["AMOUNT"] == {"$type": "System.Decimal", "$value": 12.5}
    assert stored["PrimaryParentIdentity"]["IdentityElements"]["$values"] == ["101"]
    found = items(client.get("/api/Activity", params={"PartyId": "eq:101", "TRANSACTION_DATE": "eq:2026-11-23"}))
    assert stored in found


def test_an_activity_needs_a_contact_and_a_known_type(client: httpx.Client) -> None:
    assert messages(client.post("/api/Activity", json=generic("Activity", DESCRIPTION="x" * 256))) == [
        "PartyId is required.",
        "ACTIVITY_TYPE is required.",
        "DESCRIPTION is longer than 255 characters.",
    ]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PATCH", "/api/ABC_Membership/101"),
        ("PATCH", "/api/Party/101"),
        ("PUT", "/api/ABC_Membership"),
        ("POST", "/api/Party/101"),
        ("POST", "/api/query"),
        ("DELETE", "/api/BoEntityDefinition"),
        ("GET", "/token"),
    ],
)
def test_a_verb_that_is_not_offered_is_405(client: httpx.Client, method: str, path: str) -> None:
    reply = client.request(method, path)
    assert reply.status_code == 405
    assert reply.json()["Message"] == f"The requested resource does not support http method '{method}'."


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_unknown_entity_is_404(client: httpx.Client, method: str) -> None:
    reply = client.request(method, "/api/ABC_Nothing", json=generic("ABC_Nothing", ID="101"))
    assert (reply.status_code, reply.json()["Message"]) == (404, "There is no service defined for ABC_Nothing")
