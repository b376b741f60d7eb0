"""Rows of panels: single, multi-instance and standalone."""

from datetime import date, datetime
from decimal import Decimal

import pytest

from idms_cli.errors import InputError, OutcomeUnknown, RecordRefused
from idms_cli.imis.kinds.panel import open_kind
from idms_cli.sandbox.definitions import SCORES
from idms_cli.sandbox.tables import Table

from .stub import Reply


@pytest.fixture
def scores(sandbox, live):
    sandbox.tables["ABC_Scores"] = Table(SCORES)
    return open_kind(live, "abc_scores")


@pytest.fixture
def membership(live):
    return open_kind(live, "ABC_Membership")


def test_opening_a_panel_asks_the_site_nothing(sandbox, live):
    open_kind(live, "ABC_Nothing")
    assert sandbox.calls["total"] == 0


def test_a_panel_needs_a_name(live):
    with pytest.raises(InputError, match="needs a name"):
        open_kind(live, None)


def test_a_single_row_is_read_by_its_contact(sandbox, membership):
    record = membership.find({"id": " 101 "})[0]
    assert record.key == ("101",)
    assert record.values["Standing"] in {"GOOD", "LAPSED", "GRACE", "HONORARY"}
    assert isinstance(record.values["PaidThru"], datetime)
    assert sandbox.calls["calls"]["GET ABC_Membership"] == 1


@pytest.mark.parametrize("key", [("99999",), ("",), ("a/b",), ("..",), ("101", "1")])
def test_a_key_that_has_no_row_is_none(membership, key):
    assert membership.read(key) is None


def test_a_multi_instance_row_is_inserted_and_its_ordinal_is_not_believed(sandbox, scores):
    values = {"ID": "101", "course": "Ethics", "Grade": "A", "Hours": Decimal("1.5"), "Score": 90}
    assert scores.insert({**values, "TakenOn": date(2026, 3, 1)}) == ("101", "")
    row = sandbox.rows("ABC_Scores")[0]
    assert (row["ID"], row["Ordinal"], row["Course"], row["Grade"]) == ("101", 1, "Ethics", "A")
    assert (float(row["Hours"]), row["Score"], row["TakenOn"]) == (1.5, 90, "2026-03-01T00:00:00")


def test_a_row_found_by_filter_has_its_whole_key_and_can_be_updated(sandbox, scores):
    scores.insert({"ID": "101", "Course": "Ethics", "Grade": "A", "Hours": Decimal("1.5"), "Score": 90})
    scores.insert({"ID": "101", "Course": "First aid", "Grade": "B", "Score": 70})
    record = scores.find({"ID": "101", "Course": "First aid"})[0]
    assert record.key == ("101", "2")
    scores.update(record, {"grade": "C", "Score": None})
    assert scores.read(("101", "2")).values == {
        "ID": "101",
        "Ordinal": 2,
        "Course": "First aid",
        "Grade": "C",
        "Hours": None,
        "Score": None,
        "TakenOn": None,
    }
    assert scores.read(("101", "1")).values["Hours"] == Decimal("1.5")


def test_an_update_keeps_what_is_not_changed_even_where_the_site_blanks_what_is_missing(sandbox, scores):
    sandbox.put_missing = "blank"
    scores.insert({"ID": "101", "Course": "Ethics", "Grade": "A", "Hours": Decimal("1.5"), "Score": 90})
    scores.update(scores.find({"ID": "101"})[0], {"Score": 91})
    values = scores.find({"ID": "101"})[0].values
    assert (values["Course"], values["Grade"], values["Hours"], values["Score"]) == ("Ethics", "A", Decimal("1.5"), 91)


def test_a_standalone_row_needs_no_contact(sandbox, live):
    codes = open_kind(live, "ABC_Codes")
    before = len(sandbox.rows("ABC_Codes"))
    assert codes.insert({"Code": "NEW|1", "Description": "a: b~c"}) == ("",)
    assert len(sandbox.rows("ABC_Codes")) == before + 1
    record = codes.find({"Code": "NEW|1"})[0]
    codes.update(record, {"Description": "changed"})
    assert codes.find({"Code": "NEW|1"})[0].values["Description"] == "changed"


@pytest.mark.parametrize(
    "match",
    [
        pytest.param({"Course": "Ethics"}, id="text"),
        pytest.param({"Score": 90}, id="integer"),
        pytest.param({"Hours": Decimal("1.50")}, id="decimal"),
        pytest.param({"TakenOn": date(2026, 3, 1)}, id="date"),
        pytest.param({"ID": "101", "Grade": None}, id="empty"),
    ],
)
def test_rows_are_found_by_values_of_every_type(scores, match):
    scores.insert({"ID": "101", "Course": "Ethics", "Hours": Decimal("1.5"), "Score": 90, "TakenOn": date(2026, 3, 1)})
    scores.insert({"ID": "101", "Course": "Other", "Grade": "A", "Score": 1})
    assert [record.values["Course"] for record in scores.find(match)] == ["Ethics"]


def test_all_records_that_match_are_given(scores):
    for course in ("Ethics", "Ethics", "Other"):
        scores.insert({"ID": "101", "Course": course})
    assert [record.key for record in scores.find({"ID": "101", "Course": "Ethics"})] == [("101", "1"), ("101", "2")]


def test_a_name_that_the_panel_does_not_have_is_refused_with_a_near_match(scores):
    with pytest.raises(RecordRefused, match=r"ABC_Scores has no property 'Gradee'\. Did you mean 'Grade'"):
        scores.insert({"ID": "101", "Gradee": "A"})


def test_a_row_without_its_contact_is_refused_before_it_is_sent(sandbox, scores):
    with pytest.raises(RecordRefused, match="ID is missing: every row of ABC_Scores belongs to a Party"):
        scores.insert({"Course": "Ethics"})
    assert sandbox.writes == []


def test_all_reasons_of_the_site_are_told(scores):
    with pytest.raises(RecordRefused) as caught:
        scores.insert({"ID": "101", "Course": "x" * 41, "Grade": "Z"})
    assert caught.value.code == "validation"
    assert len(caught.value.reasons) == 2


def test_an_update_of_a_row_that_is_gone_is_refused(sandbox, scores):
    scores.insert({"ID": "101", "Course": "Ethics"})
    record = scores.find({"ID": "101"})[0]
    sandbox.tables["ABC_Scores"] = Table(SCORES)
    with pytest.raises(RecordRefused) as caught:
        scores.update(record, {"Grade": "A"})
    assert (caught.value.status, caught.value.code) == (404, "not-found")


@pytest.mark.parametrize("fault", ["write-500-saved", "cut-after-write"])
def test_an_update_that_was_stored_without_a_clear_answer_is_fine(sandbox, scores, fault):
    scores.insert({"ID": "101", "Course": "Ethics"})
    sandbox.set_fault(fault, 1)
    scores.update(scores.find({"ID": "101"})[0], {"Grade": "A"})
    assert sandbox.rows("ABC_Scores")[0]["Grade"] == "A"


def test_an_update_that_keeps_failing_is_refused_with_the_text_of_the_site(sandbox, scores, clock):
    scores.insert({"ID": "101", "Course": "Ethics"})
    record = scores.find({"ID": "101"})[0]
    sandbox.set_fault("write-500", 1)
    with pytest.raises(RecordRefused, match="Please contact the administrator") as caught:
        scores.update(record, {"Grade": "A"})
    assert (caught.value.status, caught.value.code) == (500, "server-error")
    assert sandbox.calls["calls"]["PUT ABC_Scores"] == 3
    assert clock.slept[-1] == 2.0


@pytest.mark.parametrize("fault", ["write-500", "write-500-saved", "cut-after-write"])
def test_an_insert_without_a_clear_answer_is_unknown_and_sent_once(sandbox, scores, fault):
    sandbox.set_fault(fault, 1)
    with pytest.raises(OutcomeUnknown):
        scores.insert({"ID": "101", "Course": "Ethics"})
    assert sandbox.calls["calls"]["POST ABC_Scores"] == 1
    assert len(sandbox.writes) == (0 if fault == "write-500" else 1)


DEFINITION = {
    "EntityTypeName": "ABC_X",
    "Properties": {"$values": [{"Name": "ID", "IsIdentity": True}, {"Name": "Grade"}]},
}


def row_of_x(key, grade):
    return {"Properties": {"$values": [{"Name": "ID", "Value": str(key)}, {"Name": "Grade", "Value": grade}]}}


def test_a_filter_that_the_site_ignores_does_not_read_the_whole_table(stub, site):
    stub.will(Reply(200, {"Items": {"$values": [DEFINITION]}, "TotalCount": 1}))
    for offset in (0, 100, 200):
        rows = [row_of_x(offset + number, "B") for number in range(100)]
        stub.will(Reply(200, {"Items": rows, "TotalCount": 90_000, "HasNext": True, "NextOffset": offset + 100}))
    with pytest.raises(RecordRefused, match="more than 200 records, and those seen do not match") as caught:
        open_kind(site, "ABC_X").find({"Grade": "A"})
    assert caught.value.code == "search-ignored"
    assert len(stub.api) == 4


def test_rows_that_do_not_match_are_dropped_when_the_site_ignores_the_filter(stub, site):
    stub.will(Reply(200, {"Items": {"$values": [DEFINITION]}, "TotalCount": 1}))
    stub.will(Reply(200, {"Items": [row_of_x(1, "A"), row_of_x(2, "B"), row_of_x(3, "a")], "TotalCount": 3}))
    assert [record.key for record in open_kind(site, "abc_x").find({"Grade": "A"})] == [("1",)]
    assert stub.api[1].target == "/api/ABC_X?Grade=eq%3AA&limit=100&offset=0"
