"""Rows of queries, from both addresses and with the faults that the field reports."""

import json
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
    "Image": "AAEC",
}
NOT_FOUND = Reply(400, {"Message": "Query: $/X not found."})
NO_SERVICE = Reply(404, {"Message": "There is no service defined for query"})
DEFINED = {
    "Result": {
        "Path": "$/X",
        "Properties": {"$values": [{"Name": "Id", "Alias": "ID", "DisplayOrder": 1}]},
        "Parameters": {"$values": []},
    },
    "IsSuccessStatusCode": True,
}


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


@pytest.mark.parametrize("answer", [{"Result": None, "IsSuccessStatusCode": True}, None], ids=["EMS", "2017"])
def test_a_query_that_is_not_there_is_told_with_its_path(stub, site, answer):
    stub.will(*[NOT_FOUND] * 3, Reply(200, b"null" if answer is None else answer))
    with pytest.raises(InputError, match=r"The site has no query \$/X \(400 Bad request: Query: \$/X not found\.\)"):
        list(site.query("$/X"))
    assert [one.path for one in stub.api] == ["/api/query"] * 3 + ["/api/QueryDefinition/_execute"]
    assert stub.api[3].json["Parameters"]["$values"] == [{"$type": "System.String", "$value": "$/X"}]


@pytest.mark.parametrize("first", [NOT_FOUND, NO_SERVICE], ids=["400", "404"])
def test_a_query_that_is_there_but_not_open_to_programs_is_told_with_what_to_switch_on(stub, site, first):
    refusals = [first] * 3 if first is NOT_FOUND else [first, Reply(404, {"Message": "Not found."})]
    stub.will(*refusals, Reply(200, DEFINED))
    with pytest.raises(InputError, match=r"The query \$/X is there, but not open to programs") as caught:
        list(site.query("$/X"))
    assert "'Available via the REST API' on its tab Security" in caught.value.hint


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (Reply(403, {"Message": "No."}), "403 Forbidden: No."),
        (Reply(404, {"Message": "There is no service defined for QueryDefinition"}), "404 Not found: There is no"),
        (Reply(200, {"Result": None, "IsSuccessStatusCode": False, "Message": "Denied."}), "Denied."),
        (Reply(200, {"Result": {"Path": "$/X"}}), "is no definition"),
    ],
    ids=["403", "404", "no success", "another shape"],
)
def test_where_the_site_does_not_tell_definitions_the_message_says_so(stub, site, answer, why):
    stub.will(Reply(404, {"Message": "Not found."}), Reply(404, {"Message": "Not found."}), answer)
    with pytest.raises(
        InputError, match=r"has no query \$/X, or does not open it .* It does not tell which: "
    ) as caught:
        list(site.query("$/X"))
    assert why in str(caught.value)
    assert "Copy the path" in caught.value.hint
    assert "Available via the REST API" in caught.value.hint


def test_the_sandbox_tells_a_query_that_is_not_open_from_one_that_is_not_there(live):
    with pytest.raises(InputError, match=r"The query \$/Idms/Not for REST is there, but not open to programs"):
        list(live.query("$/Idms/Not for REST"))
    with pytest.raises(InputError, match=r"The site has no query \$/Idms/Nothing"):
        list(live.query("$/Idms/Nothing"))


def test_a_query_that_the_account_may_not_run_is_told(stub, site):
    stub.will(Reply(403, {"Message": "No."}))
    with pytest.raises(SiteError, match=r"The account may not run the query \$/X") as caught:
        list(site.query("$/X"))
    assert "the tab Security of the query, and of the folder" in caught.value.hint


def test_a_definition_tells_columns_and_prompts_in_their_order_and_is_asked_for_once(live, sandbox):
    told = live.query_definition("$/Idms/Lapsed members")
    assert told.definition is not None
    assert [column.name for column in told.definition.columns] == [
        "ID",
        "FullName",
        "MemberType",
        "PaidThru",
        "Standing",
    ]
    assert [(one.property, one.label) for one in told.definition.prompts] == [("CustomerTypeCode", "MemberType")]
    assert live.query_definition("$/Idms/Lapsed members") is told
    assert sandbox.calls["calls"]["POST QueryDefinition/_execute"] == 1


def test_a_definition_is_asked_for_again_when_the_site_is_in_trouble(stub, site):
    stub.will(Reply(503), Reply(cut=True), Reply(200, DEFINED))
    assert site.query_definition("$/X").definition is not None


def test_no_number_is_rounded_and_no_name_lost(stub, site):
    body = (
        json.dumps(FLAT).replace("0.1", "12345678901234567.8901").replace(": 5,", ": 123456789012345678901234567890,")
    )
    stub.will(Reply(200, body.encode()))
    (row,) = site.query("$/X")
    assert row["Share"] == Decimal("12345678901234567.8901")
    assert row["Total"] == 123456789012345678901234567890


def test_a_page_that_only_the_slow_reader_reads_is_as_exact(stub, site):
    body = (
        b"\xef\xbb\xbf"
        + json.dumps(FLAT).replace("0.1", "12345678901234567.8901").replace('"101"', '"x\\ud800"').encode()
    )
    stub.will(Reply(200, body))
    (row,) = site.query("$/X")
    assert (row["Share"], row["ID"]) == (Decimal("12345678901234567.8901"), "x\ufffd")


def test_a_name_that_comes_twice_in_a_generic_row_gets_a_number(stub, site):
    pairs = [
        {"Name": "ResultRow", "Value": "1"},
        {"Name": "FullName", "Value": "A"},
        {"Name": "FullName", "Value": "B"},
    ]
    content = {**GENERIC, "Items": {"$values": [{"Properties": {"$values": pairs}}]}}
    stub.will(NO_SERVICE, Reply(200, content))
    assert list(site.query("$/X")) == [{"FullName": "A", "FullName2": "B"}]


def test_what_is_no_single_value_is_kept_as_its_json(stub, site):
    odd = {"$type": "x", "Guid": {"$type": "System.Guid", "$value": "6f96"}, "List": [1, 2.50], "Other": {"a": None}}
    stub.will(Reply(200, {**FLAT, "Items": {"$values": [odd]}}))
    assert list(site.query("$/X")) == [{"Guid": "6f96", "List": "[1,2.5]", "Other": '{"a":null}'}]


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
