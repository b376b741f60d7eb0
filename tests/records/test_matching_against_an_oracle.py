"""Whatever rows and records there are: the plan is that of a naive oracle, and every row is accounted for."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from idms_cli.imis.kinds import Record
from idms_cli.imis.properties import Value
from idms_cli.records.entry import Entry
from idms_cli.records.matching import classify
from tests.records.shelf import rules

ROW = st.fixed_dictionaries(
    {"Note": st.sampled_from(["x", "y"]), "Name": st.sampled_from(["Ann", "Ben", None])},
    optional={"ID": st.sampled_from(["1", "2", "3"]), "Number": st.sampled_from([1, 2, None])},
)
SHELF = st.dictionaries(
    st.sampled_from(["1", "2", "3"]),
    st.fixed_dictionaries(
        {
            "Note": st.sampled_from(["x", "y", None]),
            "Name": st.sampled_from(["Ann", "Ben", None]),
            "Number": st.sampled_from([1, 2, None]),
        }
    ),
)
Told = list[tuple[int, str, str, tuple[str, ...] | None]]


def oracle(row: Mapping[str, Value], found: Sequence[Record], action: str, on_multiple: str) -> Told:
    """Part, state, action and key of each record, worked out one rule after the other."""
    if action == "insert" and len(found) == 1:
        return [(0, "skipped", "", found[0].key)]
    if not found:
        if action in ("insert", "upsert"):
            return [(0, "planned", "insert", None)]  # the shelf's only required property is a key
        return [(0, "rejected" if action == "update" else "skipped", "", None)]
    if len(found) > 1 and on_multiple == "skip":
        return [(0, "rejected", "", None)]
    if action == "insert":
        return [(0, "skipped", "", found[0].key)]
    told: Told = []
    for part, record in enumerate(found):
        differing = [name for name, new in row.items() if name != "Note" and new != record.values.get(name)]
        if action == "delete":
            told.append((part, "planned", "delete", record.key))
        elif "ID" in differing:
            told.append((part, "rejected", "", record.key))
        elif differing:
            told.append((part, "planned", "update", record.key))
        else:
            told.append((part, "unchanged", "", record.key))
    return told


def entries_of(row: Mapping[str, Value], found: Sequence[Record], action: str, on_multiple: str) -> list[Entry]:
    ways = rules(action=action, match=("Note",), on_multiple=on_multiple)
    return classify(7, row, {"Note": row["Note"]}, found, ways)


@pytest.mark.parametrize("on_multiple", ["skip", "all"])
@pytest.mark.parametrize("action", ["insert", "update", "upsert", "delete"])
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(row=ROW, shelf=SHELF)
def test_a_row_gets_the_verdict_of_the_oracle(
    action: str, on_multiple: str, row: dict[str, Value], shelf: dict[str, dict[str, Value]]
) -> None:
    found = [Record((key,), {"ID": key, **kept}, {}) for key, kept in shelf.items() if kept["Note"] == row["Note"]]
    entries = entries_of(row, found, action, on_multiple)
    assert [(each.part, each.state, each.action, each.key) for each in entries] == oracle(
        row, found, action, on_multiple
    )
    assert [entry.part for entry in entries] == list(range(len(entries)))
    assert all(entry.faults for entry in entries if entry.state in ("rejected", "skipped"))


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(row=ROW, shelf=SHELF)
def test_what_is_planned_makes_the_records_say_what_the_row_says(
    row: dict[str, Value], shelf: dict[str, dict[str, Value]]
) -> None:
    """Carried out on a plain dict, an update of all leaves nothing to do for the same row."""
    records: defaultdict[str, dict[str, Value]] = defaultdict(dict, {key: dict(kept) for key, kept in shelf.items()})
    wanted = {name: value for name, value in row.items() if name != "ID"}

    def found() -> list[Record]:
        hits = {key: kept for key, kept in records.items() if kept["Note"] == row["Note"]}
        return [Record((key,), {"ID": key, **kept}, {}) for key, kept in hits.items()]

    for entry in entries_of(wanted, found(), "update", "all"):
        if entry.action == "update" and entry.key:
            records[entry.key[0]].update({name: new for name, (_, new) in entry.changes.items()})
    states = {entry.state for entry in entries_of(wanted, found(), "update", "all")}
    assert states == ({"unchanged"} if found() else {"rejected"})
    untouched = {key: kept for key, kept in shelf.items() if kept["Note"] != row["Note"]}
    assert {key: records[key] for key in untouched} == untouched
