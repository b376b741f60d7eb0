"""Filters on entity endpoints, in every spelling."""

import httpx
import pytest

from idms_cli.sandbox import Sandbox
from idms_cli.sandbox.values import Row

from .conftest import Start
from .wire import items, values

ROWS: list[Row] = [
    {"ID": "1", "Course": "Ethics", "Grade": "A", "Hours": 1.5, "Score": 90, "TakenOn": "2026-01-01"},
    {"ID": "2", "Course": "First aid", "Grade": "B", "Hours": 2, "Score": 70, "TakenOn": "2026-02-01"},
    {"ID": "3", "Course": "Café: 1|2", "Grade": None, "Hours": None, "Score": None, "TakenOn": None},
]


@pytest.fixture
def scores(start: Start) -> tuple[Sandbox, httpx.Client]:
    site, client = start(members=0)
    site.add_rows("ABC_Scores", ROWS)
    return site, client


@pytest.mark.parametrize(
    ("name", "value", "ids"),
    [
        ("Course", "Ethics", ["1"]),
        ("course", "eq:ETHICS", ["1"]),
        ("Course", "==:Ethics", ["1"]),
        ("Course", "Equal:Ethics", ["1"]),
        ("Course", "eq:Café: 1|2", ["3"]),
        ("Course", "ne:Ethics", ["2", "3"]),
        ("Course", "!=:Ethics", ["2", "3"]),
        ("Score", "gt:70", ["1"]),
        ("Score", ">:70", ["1"]),
        ("Score", "ge:70", ["1", "2"]),
        ("Score", ">=:70", ["1", "2"]),
        ("Score", "lt:90", ["2"]),
        ("Score", "<:90", ["2"]),
        ("Score", "le:90", ["1", "2"]),
        ("Score", "<=:90", ["1", "2"]),
        ("Course", "contains:AID", ["2"]),
        ("Course", "notContain:i", ["3"]),
        ("Course", "!contain:i", ["3"]),
        ("Course", "startsWith:caf", ["3"]),
        ("Course", "endsWith:s", ["1"]),
        ("Score", "in:90,70", ["1", "2"]),
        ("Score", "between:60,80", ["2"]),
        ("Grade", "isEmpty:", ["3"]),
        ("Grade", "empty:", ["3"]),
        ("Grade", "notEmpty:", ["1", "2"]),
        ("Grade", "!empty:", ["1", "2"]),
        ("Hours", "eq:1.50", ["1"]),
        ("TakenOn", "ge:2026-01-15T00:00:00+00:00", ["2"]),
        ("TakenOn", "eq:2026-02-01", ["2"]),
        ("TakenOn", "2026-02-01T00:00:00", ["2"]),
    ],
)
def test_an_operator_selects(scores: tuple[Sandbox, httpx.Client], name: str, value: str, ids: list[str]) -> None:
    _, client = scores
    reply = client.get("/api/abc_scores", params={name: value})
    assert [values(row)["ID"] for row in items(reply)] == ids
    assert reply.json()["TotalCount"] == len(ids)


@pytest.mark.parametrize(("test", "count"), [("isTrue:", 1), ("true:", 1), ("isFalse:", 1), ("false:", 1), ("true", 1)])
def test_a_boolean_has_its_own_operators(start: Start, test: str, count: int) -> None:
    site, client = start(members=0)
    site.add_rows("ABC_Membership", [{"ID": "1", "Newsletter": True}, {"ID": "2", "Newsletter": False}, {"ID": "3"}])
    assert len(items(client.get("/api/ABC_Membership", params={"Newsletter": test}))) == count


def test_several_conditions_must_all_hold_and_one_name_may_come_twice(scores: tuple[Sandbox, httpx.Client]) -> None:
    _, client = scores
    reply = client.get("/api/ABC_Scores?Score=gt:50&Score=lt:80&Grade=eq:B")
    assert [values(row)["ID"] for row in items(reply)] == ["2"]
    assert items(client.get("/api/ABC_Scores?Score=gt:50&Score=lt:80&Grade=eq:A")) == []


def test_a_property_that_is_not_there_is_passed_over_in_silence(scores: tuple[Sandbox, httpx.Client]) -> None:
    _, client = scores
    assert len(items(client.get("/api/ABC_Scores?MajorKey=eq:1"))) == 3


def test_a_value_that_does_not_fit_the_type_is_refused(scores: tuple[Sandbox, httpx.Client]) -> None:
    _, client = scores
    reply = client.get("/api/ABC_Scores?Score=eq:many")
    assert (reply.status_code, reply.json()["Message"]) == (400, "The value 'many' is not valid for Score.")


def test_a_filter_sees_rows_that_change(scores: tuple[Sandbox, httpx.Client]) -> None:
    site, client = scores
    assert len(items(client.get("/api/ABC_Scores?Grade=eq:A"))) == 1
    site.add_rows("ABC_Scores", [{"ID": "2", "Ordinal": 1, "Course": "First aid", "Grade": "A"}])
    assert [values(row)["ID"] for row in items(client.get("/api/ABC_Scores?Grade=eq:A"))] == ["1", "2"]
    assert items(client.get("/api/ABC_Scores?Grade=eq:B")) == []
    client.delete("/api/ABC_Scores/~1|1")
    assert [values(row)["ID"] for row in items(client.get("/api/ABC_Scores?Grade=eq:A"))] == ["2"]


@pytest.mark.parametrize(
    ("path", "ids"),
    [
        ("/api/Party?id=103", ["103"]),
        ("/api/Party?email={email}", ["103"]),
        ("/api/Person?Email=eq:{email}", ["103"]),
        ("/api/Party?firstname={first}&lastname={last}", ["103"]),
        ("/api/Organization?id=103", []),
        ("/api/Party?CustomerTypeCode=ORG", ["125", "150"]),
        ("/api/Organization?limit=10", ["125", "150"]),
        ("/api/Party?UpdatedOn=ge:2026-11-01&id=ge:103&id=le:103", []),
    ],
)
def test_parties_are_found_by_their_members_and_attributes(client: httpx.Client, path: str, ids: list[str]) -> None:
    party = client.get("/api/Party/103").json()
    email = party["Emails"]["$values"][0]["Address"].upper()
    first, last = party["PersonName"]["FirstName"], party["PersonName"]["LastName"]
    reply = client.get(path.format(email=email, first=first, last=last))
    assert [row["Id"] for row in items(reply)] == ids
