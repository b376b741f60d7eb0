"""Rows of queries, from both addresses and with the faults that the field reports."""

from decimal import Decimal

import pytest

from idms_cli.errors import InputError, SiteError

from .stub import Reply

PAGED = {"Offset": 0, "Limit": 100, "NextPageLink": None}
FLAT = {
    **PAGED,
    "Items": {
        "$values": [
            {
                "$type": "System.Dynamic.ExpandoObject, System.Core",
                "ID": "101",
                "Total": 5,
                "Share": 0.1,
                "Active": True,
                "Name": None,
                "Image": {"$type": "System.Byte[], mscorlib", "$value": "AAEC"},
            }
        ]
    },
    "Count": 1,
    "TotalCount": 1,
    "HasNext": False,
    "NextOffset": 0,
}
GENERIC = {
    **FLAT,
    "Items": {
        "$values": [
            {
                "EntityTypeName": "59",
                "Properties": {
                    "$values": [
                        {"Name": "ResultRow", "Value": "1"},
                        {"Name": "ID", "Value": "101"},
                        {"Name": "Total", "Value": {"$type": "System.Int32", "$value": 5}},
                        {"Name": "Share", "Value": {"$type": "System.Decimal", "$value": 0.1}},
                        {"Name": "Active", "Value": {"$type": "System.Boolean", "$value": True}},
                        {"Name": "Name"},
                        {"Name": "Image", "Value": {"$type": "System.Byte[], mscorlib", "$value": "AAEC"}},
                    ]
                },
            }
        ]
    },
    "SyncRoot": {"$type": "System.Object, mscorlib"},
    "IsSynchronized": False,
}
ROW = {
    "ID": "101",
    "Total": 5,
    "Share": Decimal("0.1"),
    "Active": True,
    "Name": None,
    "Image": {"$type": "System.Byte[], mscorlib", "$value": "AAEC"},
}
NOT_FOUND = Reply(400, {"Message": "Query: $/X not found."})
NO_SERVICE = Reply(404, {"Message": "There is no service defined for query"})


def test_the_path_and_the_prompts_go_out_in_their_order_empty_ones_too(stub, site):
    stub.will(Reply(200, FLAT))
    list(site.query("$/Idms/Lapsed members", ["", "REG & more"]))
    assert stub.api[0].path == "/api/query"
    assert stub.api[0].query == [
        ("QueryName", "$/Idms/Lapsed members"),
        ("parameter", ""),
        ("parameter", "REG & more"),
        ("limit", "500"),
        ("offset", "0"),
    ]


def test_a_flat_row_is_given_without_its_type(stub, site):
    stub.will(Reply(200, FLAT))
    assert list(site.query("$/X")) == [ROW]


@pytest.mark.parametrize("missing", [NO_SERVICE, Reply(405)], ids=["404", "405"])
def test_an_older_site_is_asked_at_its_own_address_and_gives_the_same_rows(stub, site, missing):
    stub.will(missing, Reply(200, GENERIC), Reply(200, GENERIC))
    assert list(site.query("$/X")) == [ROW]
    assert list(site.query("$/X")) == [ROW]
    assert [one.path for one in stub.api] == ["/api/query", "/api/iqa", "/api/iqa"]


def test_a_not_found_that_comes_at_random_is_not_believed_at_once(stub, site, clock):
    stub.will(NOT_FOUND, NOT_FOUND, Reply(200, FLAT))
    assert list(site.query("$/X")) == [ROW]
    assert len(clock.slept) == 2


def test_a_query_that_is_not_there_is_told_with_its_path(stub, site):
    stub.will(*[NOT_FOUND] * 3)
    with pytest.raises(InputError, match=r"The site has no query \$/X \(400 Bad request: Query: \$/X not found\.\)"):
        list(site.query("$/X"))
    assert len(stub.api) == 3


def test_a_query_that_is_not_open_to_programs_is_told_with_what_to_switch_on(live):
    with pytest.raises(InputError, match=r"no query \$/Idms/Not for REST, or the query is not open") as caught:
        list(live.query("$/Idms/Not for REST"))
    assert "Available via the REST API" in caught.value.hint


def test_a_query_that_the_account_may_not_read_is_told(stub, site):
    stub.will(Reply(403, {"Message": "No."}))
    with pytest.raises(SiteError, match=r"The account may not read the query \$/X"):
        list(site.query("$/X"))


def test_a_key_that_is_no_column_is_the_users_mistake(stub, site):
    stub.will(Reply(200, FLAT))
    with pytest.raises(InputError, match=r"has no column 'Totl'\. Did you mean 'Total'") as caught:
        list(site.query("$/X", key="Totl"))
    assert "ID, Total, Share" in caught.value.hint


def test_rows_are_read_in_pages_of_the_size_that_is_set(sandbox, live, connect):
    site = connect(live.access.url, page_size=25)
    rows = list(site.query("$/Idms/Members", key="id"))
    assert len(rows) == 58
    assert list(rows[0])[:4] == ["ID", "FirstName", "LastName", "Email"]
    assert sandbox.calls["calls"]["GET query"] == 3


@pytest.mark.parametrize(
    ("fault", "rate"),
    [
        ("token-dies", 0.1),
        ("too-many", 0.3),
        ("too-many-retry", 0.3),
        ("query-not-found", 0.2),
        ("page-overlap", 0.3),
        ("page-repeat", 0.3),
        ("empty-page", 0.3),
        ("stale-read", 0.3),
    ],
)
def test_no_row_is_lost_or_doubled_by_faults_that_pass(sandbox, live, connect, fault, rate):
    site = connect(live.access.url, page_size=25)
    whole = [row["ID"] for row in site.query("$/Idms/Members", key="ID")]
    sandbox.set_fault(fault, rate)
    for _ in range(6):
        assert [row["ID"] for row in site.query("$/Idms/Members", key="ID")] == whole
    assert sandbox.calls["faults"][fault] > 0


def test_a_page_that_does_not_come_in_time_is_asked_for_in_halves(stub, connect):
    stub.will(Reply(hang=True), Reply(200, FLAT))
    assert list(connect(stub.url, timeout_s=0.5).query("$/X")) == [ROW]
    assert [dict(one.query)["limit"] for one in stub.api] == ["500", "250"]


def test_a_row_that_vanishes_between_two_pages_takes_no_other_with_it(sandbox, live, connect):
    site = connect(live.access.url, page_size=25)
    whole = {row["ID"] for row in site.query("$/Idms/Members", key="ID")}
    sandbox.set_fault("rows-change", 0.5)
    for _ in range(6):
        assert {row["ID"] for row in site.query("$/Idms/Members", key="ID")} == whole
    assert sandbox.calls["faults"]["rows-change"] > 0
