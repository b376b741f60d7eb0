"""What becomes of a row, given the records it matches."""

from typing import Any

import pytest

from idms_cli.errors import IdmsError
from idms_cli.imis.kinds import Record
from idms_cli.imis.properties import Value
from idms_cli.records.entry import Entry
from idms_cli.records.faults import Fault
from idms_cli.records.matching import Rules, Values, classify, differences, match_names
from tests.records.shelf import rules

ANN = Record(("1",), {"ID": "1", "Name": "Ann", "Note": None, "Number": 7}, {})
BEN = Record(("2",), {"ID": "2", "Name": "Ben", "Note": "x", "Number": None}, {})
BY_ID = {"ID": "1"}


def verdict(line: int, values: Values, match: Values, found: list[Record], rules: Rules) -> Entry:
    """Of a row that acts on one record at most."""
    (entry,) = classify(line, values, match, found, rules)
    return entry


def codes(entry: Entry) -> list[str]:
    return [fault.code for fault in entry.faults]


@pytest.mark.parametrize(
    ("action", "found", "state", "planned", "code"),
    [
        ("insert", [], "planned", "insert", []),
        ("insert", [ANN], "skipped", "", ["exists"]),
        ("insert", [ANN, BEN], "rejected", "", ["many-matches"]),
        ("update", [], "rejected", "", ["no-match"]),
        ("update", [ANN], "planned", "update", []),
        ("update", [ANN, BEN], "rejected", "", ["many-matches"]),
        ("upsert", [], "planned", "insert", []),
        ("upsert", [ANN], "planned", "update", []),
        ("upsert", [ANN, BEN], "rejected", "", ["many-matches"]),
    ],
)
def test_action_and_number_of_matches_decide(
    action: str, found: list[Record], state: str, planned: str, code: list[str]
) -> None:
    entry = verdict(2, {"ID": "1", "Name": "Zoë"}, BY_ID, found, rules(action=action))
    assert (entry.line, entry.state, entry.action, codes(entry)) == (2, state, planned, code)


@pytest.mark.parametrize(
    ("action", "found", "planned"),
    [
        ("insert", [], [(0, "planned", "insert", None)]),
        ("insert", [ANN, BEN], [(0, "skipped", "", ("1",))]),
        ("update", [], [(0, "rejected", "", None)]),
        ("update", [ANN], [(0, "unchanged", "", ("1",))]),
        ("update", [ANN, BEN], [(0, "unchanged", "", ("1",)), (1, "planned", "update", ("2",))]),
        ("upsert", [], [(0, "planned", "insert", None)]),
        ("upsert", [BEN, ANN], [(0, "planned", "update", ("2",)), (1, "unchanged", "", ("1",))]),
        ("delete", [], [(0, "skipped", "", None)]),
        ("delete", [ANN, BEN], [(0, "planned", "delete", ("1",)), (1, "planned", "delete", ("2",))]),
    ],
)
def test_a_row_acts_on_all_that_it_finds_where_the_job_says_so(
    action: str, found: list[Record], planned: list[tuple[object, ...]]
) -> None:
    by_note: dict[str, Value] = {"Note": "x"}
    ways = rules(action=action, match=("Note",), on_multiple="all")
    entries = classify(2, {"ID": "1", "Name": "Ann"} if not found else {"Name": "Ann"}, by_note, found, ways)
    assert [(entry.part, entry.state, entry.action, entry.key) for entry in entries] == planned
    assert {entry.line for entry in entries} == {2}


def test_an_upsert_that_only_inserts_leaves_all_records_alone_that_are_there() -> None:
    entry = verdict(2, {"Name": "Zoë"}, {"Note": "x"}, [ANN, BEN], rules(on_multiple="all", insert_only=True))
    assert (entry.state, codes(entry)) == ("skipped", ["exists"])


def test_only_what_differs_is_a_change_and_all_that_is_mapped_is_kept_for_writing() -> None:
    entry = verdict(2, {"ID": "1", "Name": "Zoë", "Number": 7, "Note": None}, BY_ID, [ANN], rules())
    assert entry.changes == {"Name": ("Ann", "Zoë")}
    assert entry.values == {"Name": "Zoë", "Number": 7, "Note": None}
    assert entry.key == ("1",)


def test_a_record_that_is_as_wanted_is_unchanged_unless_all_are_to_be_written() -> None:
    values: dict[str, Value] = {"ID": "1", "Name": "Ann", "Note": ""}
    assert verdict(2, values, BY_ID, [ANN], rules()).state == "unchanged"
    entry = verdict(2, values, BY_ID, [ANN], rules(only_changes=False))
    assert (entry.state, entry.action, entry.changes) == ("planned", "update", {})


def test_what_a_record_was_found_by_is_never_changed_not_even_in_its_case() -> None:
    found = Record(("1",), {"ID": "1", "Name": "ANN"}, {})
    assert differences({"Name": "Ann"}, found, rules(match=("Name",))) == {}
    assert differences({"Name": "Ann"}, found, rules()) == {"Name": ("ANN", "Ann")}


def test_a_key_that_differs_rejects_the_row() -> None:
    entry = verdict(2, {"ID": "9", "Name": "Ann"}, {"Name": "Ann"}, [ANN], rules(match=("Name",)))
    assert entry.faults == (Fault("match", "ID", "other-key", "the record found has ID 1; a key is not changed"),)


def test_a_new_record_has_no_blanks() -> None:
    entry = verdict(2, {"ID": "1", "Name": "", "Note": None, "Number": 0}, BY_ID, [], rules())
    assert entry.values == {"ID": "1", "Number": 0}
    assert entry.changes == {"ID": (None, "1"), "Number": (None, 0)}


def test_a_record_that_is_matched_by_what_the_site_gives_is_never_made() -> None:
    entry = verdict(2, {"Seq": 4, "Name": "Ann"}, {"Seq": 4}, [], rules(match=("Seq",)))
    assert codes(entry) == ["no-match"]
    assert entry.faults[0].message == "no record has Seq 4; a new one gets its Seq from the site"


def test_many_matches_end_the_run_where_the_job_says_so() -> None:
    with pytest.raises(IdmsError, match="line 2: 2 records match ID 1: 1, 2") as raised:
        verdict(2, {"ID": "1"}, BY_ID, [ANN, BEN], rules(on_multiple="error"))
    assert "on_multiple: skip" in raised.value.hint


def test_no_more_than_five_keys_are_told() -> None:
    many = [Record((str(number),), {}, {}) for number in range(8)]
    assert verdict(2, {}, BY_ID, many, rules()).faults[0].message == "8 records match ID 1: 0, 1, 2, 3, 4, ..."


@pytest.mark.parametrize("value", ["x" * 10_000, "\x1b[2J", "a\nb"], ids=["long", "control", "line"])
def test_a_value_is_told_short_and_harmless(value: str) -> None:
    (fault,) = verdict(2, {"ID": value}, {"ID": value}, [], rules(action="update")).faults
    assert len(fault.message) < 100
    assert fault.message.isprintable()


@pytest.mark.parametrize(
    ("values", "skip_blank", "expected"),
    [
        ({"ID": "1", "Name": "Ann"}, True, ("ID", "Name")),
        ({"ID": "1", "Name": None}, True, "Name is blank, and a record is not looked for by less than all of match"),
        ({"Name": "Ann"}, True, "ID is blank, and a record is not looked for by less than all of match"),
        ({"ID": "1", "Name": ""}, False, ("ID",)),
        ({"ID": None}, False, "ID and Name are blank, and there is nothing left to look for"),
        ({"ID": "0", "Name": "0"}, True, ("ID", "Name")),
        ({"ID": 0, "Name": False}, True, ("ID", "Name")),
    ],
)
def test_a_blank_value_is_not_looked_for(values: dict[str, Value], skip_blank: bool, expected: Any) -> None:
    found = match_names(values, rules(match=("ID", "Name"), skip_blank_match=skip_blank))
    assert (found.message if isinstance(found, Fault) else found) == expected
