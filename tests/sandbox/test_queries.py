"""Queries and their pages, at `/api/query` and `/api/iqa`."""

import httpx
import pytest

from idms_cli.sandbox.definitions import PARTY
from idms_cli.sandbox.queries import Column, Query, columns

from .conftest import Start
from .wire import items, values

MEMBERS = {"QueryName": "$/Idms/Members"}
LAPSED = {"QueryName": "$/Idms/Lapsed members", "limit": "500"}


def test_a_query_gives_flat_rows_in_an_envelope(client: httpx.Client) -> None:
    page = client.get("/api/query", params={**MEMBERS, "limit": "2"}).json()
    assert page["$type"] == "Asi.Soa.Core.DataContracts.PagedResult, Asi.Contracts"
    assert page["Items"]["$type"] == "System.Collections.Generic.List`1[[System.Object, mscorlib]], mscorlib"
    assert {name: page[name] for name in page if name not in {"$type", "Items"}} == {
        "Offset": 0,
        "Limit": 2,
        "Count": 2,
        "TotalCount": 48,
        "NextPageLink": None,
        "HasNext": True,
        "NextOffset": 2,
    }
    first = page["Items"]["$values"][0]
    assert first["$type"] == "System.Dynamic.ExpandoObject, System.Core"
    assert list(first)[1:] == [
        "ID", "FirstName", "LastName", "Email", "FullName", "MemberType", "Standing", "PaidThru",
    ]  # fmt: skip
    assert first["ID"] == "101"


def test_the_older_endpoint_gives_generic_entities_with_a_row_number_first(start: Start) -> None:
    site, client = start(members=0)
    site.add_rows("ABC_Scores", [{"ID": "1", "Course": "Ethics", "Hours": 1.5}, {"ID": "2", "Course": "First aid"}])
    reply = client.get("/api/iqa", params={"QueryName": "$/Idms/Scores", "offset": "1"})
    assert reply.json()["$type"].startswith("Asi.Soa.Core.DataContracts.PagedResult`1[[")
    (row,) = items(reply)
    assert row["$type"] == "Asi.Soa.Core.DataContracts.GenericEntityData, Asi.Contracts"
    assert row["EntityTypeName"] == "59"
    assert row["Properties"]["$values"][0] == {
        "$type": "Asi.Soa.Core.DataContracts.GenericPropertyData, Asi.Contracts",
        "Name": "ResultRow",
        "Value": "2",
    }
    assert values(row)["Ordinal"] == {"$type": "System.Int32", "$value": 1}
    hours = next(item for item in row["Properties"]["$values"] if item["Name"] == "Hours")
    assert "Value" not in hours


def test_both_endpoints_give_the_same_rows(client: httpx.Client) -> None:
    flat = [row["ID"] for row in items(client.get("/api/query", params=MEMBERS))]
    assert [values(row)["ID"] for row in items(client.get("/api/iqa", params=MEMBERS))] == flat


@pytest.mark.parametrize("path", ["/API/Query", "/api/QUERY"])
def test_paths_and_parameter_names_count_in_any_case(client: httpx.Client, path: str) -> None:
    reply = client.get(path, params={"queryname": "$/idms/MEMBERS", "LIMIT": "3", "OFFSET": "1"})
    assert [row["ID"] for row in items(reply)] == ["102", "103", "104"]


def test_without_a_limit_there_are_100_rows(start: Start) -> None:
    _, client = start(members=130)
    page = client.get("/api/query", params=MEMBERS).json()
    assert (page["Limit"], page["Count"], page["TotalCount"]) == (100, 100, 125)
    assert (page["HasNext"], page["NextOffset"]) == (True, 100)
    last = client.get("/api/query", params={**MEMBERS, "offset": "100"}).json()
    assert (last["Offset"], last["Count"], last["HasNext"], last["NextOffset"]) == (100, 25, False, 0)
    assert last["NextPageLink"] is None


def test_no_page_has_more_than_500_rows(start: Start) -> None:
    site, client = start(members=0)
    site.add_rows("ABC_Scores", ({"ID": "1", "Course": f"Course {number}"} for number in range(501)))
    page = client.get("/api/query", params={"QueryName": "$/Idms/Scores", "limit": "1000"}).json()
    assert (page["Limit"], page["Count"], page["NextOffset"]) == (500, 500, 500)


@pytest.mark.parametrize("limit", ["0", "-5", "many", "", "9" * 5000], ids=["0", "-5", "many", "empty", "huge"])
def test_a_limit_that_makes_no_sense_counts_as_none(client: httpx.Client, limit: str) -> None:
    assert client.get("/api/query", params={**MEMBERS, "limit": limit}).json()["Limit"] == 100


def test_past_the_end_is_an_empty_page(client: httpx.Client) -> None:
    page = client.get("/api/query", params={**MEMBERS, "offset": "5000"}).json()
    assert (page["Count"], page["Items"]["$values"], page["HasNext"], page["NextOffset"]) == (0, [], False, 0)
    assert page["TotalCount"] == 48


def test_following_next_offset_gives_every_row_once(client: httpx.Client) -> None:
    seen, offset = [], 0
    for _ in range(20):
        page = client.get("/api/query", params={**MEMBERS, "limit": "7", "offset": str(offset)}).json()
        seen += [row["ID"] for row in page["Items"]["$values"]]
        offset = page["NextOffset"]
        if not page["HasNext"]:
            break
    assert len(seen) == len(set(seen)) == 48


@pytest.mark.parametrize("answer", ["REG", "eq:REG", "reg"])
def test_a_prompt_is_answered_by_position(client: httpx.Client, answer: str) -> None:
    everybody = items(client.get("/api/query", params=LAPSED))
    regular = items(client.get("/api/query", params={**LAPSED, "parameter": answer}))
    assert 0 < len(regular) < len(everybody)
    assert regular == [row for row in everybody if row["MemberType"] == "REG"]


@pytest.mark.parametrize("answer", ["", "eq:"])
def test_an_empty_answer_to_a_prompt_selects_all(client: httpx.Client, answer: str) -> None:
    everybody = items(client.get("/api/query", params=LAPSED))
    assert items(client.get("/api/query", params={**LAPSED, "parameter": answer})) == everybody


def test_a_prompt_takes_no_other_operator(client: httpx.Client) -> None:
    reply = client.get("/api/query", params={**LAPSED, "parameter": "ne:REG"})
    assert reply.status_code == 400
    assert reply.json()["Message"] == "In IQA query, parameters must be Parameter Equal"


@pytest.mark.parametrize("endpoint", ["query", "iqa"])
def test_a_query_that_is_not_for_rest_is_404(client: httpx.Client, endpoint: str) -> None:
    assert client.get(f"/api/{endpoint}", params={"QueryName": "$/Idms/Not for REST"}).status_code == 404


@pytest.mark.parametrize("status", [400, 404])
def test_an_unknown_query_is_not_found(start: Start, status: int) -> None:
    _, client = start(unknown_query_status=status)
    reply = client.get("/api/query", params={"QueryName": "$/Idms/Nothing"})
    assert (reply.status_code, reply.json()["Message"]) == (status, "Query: $/Idms/Nothing not found.")


def test_completed_today_has_only_todays_education(client: httpx.Client) -> None:
    rows = items(client.get("/api/query", params={"QueryName": "$/Idms/Completed today"}))
    assert rows
    assert {row["CompletedOn"] for row in rows} == {"2026-11-23T00:00:00"}


def test_a_null_of_a_joined_panel_is_null(client: httpx.Client) -> None:
    client.delete("/api/ABC_Membership/101")
    row = items(client.get("/api/query", params={"QueryName": "$/Idms/Members", "limit": "1"}))[0]
    assert (row["ID"], row["Standing"]) == ("101", None)


def test_an_older_site_has_only_the_older_endpoint(start: Start) -> None:
    _, client = start(query_service=False)
    reply = client.get("/api/query", params=MEMBERS)
    assert (reply.status_code, reply.json()["Message"]) == (404, "There is no service defined for query")
    assert client.get("/api/iqa", params=MEMBERS).status_code == 200


def test_a_query_that_is_only_for_others_is_403(start: Start) -> None:
    site, client = start()
    site.add_query(Query("$/Idms/Secret", PARTY, columns(PARTY, "ID"), readers=frozenset({"MANAGER"})))
    assert client.get("/api/query", params={"QueryName": "$/Idms/Secret"}).status_code == 403
    site.add_query(Query("$/Idms/Secret", PARTY, columns(PARTY, "ID"), readers=frozenset({"idms-background"})))
    assert client.get("/api/query", params={"QueryName": "$/Idms/Secret"}).status_code == 200


def test_a_sparse_query_leaves_out_what_is_null(start: Start) -> None:
    site, client = start()
    site.add_query(Query("$/Idms/Sparse", PARTY, columns(PARTY, "ID PaidThruDate"), sparse=True))
    row = items(client.get("/api/query", params={"QueryName": "$/Idms/Sparse"}))[0]
    assert "PaidThruDate" not in row
    assert row["ID"] == "101"


@pytest.mark.parametrize("endpoint", ["query", "iqa"])
def test_an_alias_that_is_there_twice_gets_the_number_of_its_column(start: Start, endpoint: str) -> None:
    site, client = start()
    twice = (*columns(PARTY, "ID"), Column("Name", "FirstName"), Column("Name", "LastName"))
    site.add_query(Query("$/Idms/Twice", PARTY, twice))
    row = items(client.get(f"/api/{endpoint}", params={"QueryName": "$/Idms/Twice"}))[0]
    names = [name for name in (row if endpoint == "query" else values(row)) if name not in {"$type", "ResultRow"}]
    assert names == ["ID", "Name", "Name3"]


def test_contacts_by_status_are_people_of_the_status_that_is_asked_for(client: httpx.Client) -> None:
    asked = {"QueryName": "$/Idms/Contacts by status", "limit": "500"}
    everybody = items(client.get("/api/query", params=asked))
    inactive = items(client.get("/api/query", params={**asked, "parameter": "I"}))
    assert 0 < len(inactive) < len(everybody) == 48
    assert {row["Status"] for row in inactive} == {"I"}
