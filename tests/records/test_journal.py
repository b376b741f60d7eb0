"""The journal keeps what was planned and what became of it, whole, exact and on disk."""

import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from idms_cli.errors import IdmsError
from idms_cli.imis.properties import Value
from idms_cli.records.counts import Counts
from idms_cli.records.entry import Entry, Intent, Verdict
from idms_cli.records.faults import Fault
from idms_cli.records.journal import FILE_NAME, Journal

BAD = Fault("map", "Name", "too-long", "Column name: 'é' is too long")
PLAN = [
    Entry(2, "planned", "insert", match={"ID": "1"}, values={"ID": "1"}, changes={"ID": (None, "1")}),
    Entry(3, "planned", "update", key=("2", ""), values={"Name": "Ben"}, changes={"Name": ("Al", "Ben")}),
    Entry(5, "unchanged", key=("3",)),
    Entry(6, "rejected", faults=(BAD,)),
    Entry(9, "skipped", faults=(Fault("match", "ID", "double", "says the same as line 2"),)),
    Entry(11, "planned", "insert", values={"ID": "4"}),
]


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with closing(Journal(tmp_path)) as made:
        yield made


@pytest.fixture
def planned(journal: Journal) -> Journal:
    journal.begin()
    with journal.transaction():
        journal.add(PLAN)
    journal.finish_plan([])
    return journal


def test_records_come_back_as_they_were_planned(planned: Journal) -> None:
    assert [entry for window in planned.todo("planned", window=2) for entry in window] == [PLAN[0], PLAN[1], PLAN[5]]


def test_windows_are_of_the_size_asked_for_and_by_line(planned: Journal) -> None:
    lines = [[entry.line for entry in window] for window in planned.todo("planned", window=2)]
    assert lines == [[2, 3], [11]]


def test_values_keep_their_types(journal: Journal) -> None:
    values: dict[str, Value] = {
        "Text": "Zoë\ud800\x00",
        "Number": 2**70,
        "Amount": Decimal("1.50"),
        "On": date(2026, 2, 28),
        "At": datetime.fromisoformat("2026-02-28T10:00:00"),
        "Yes": True,
        "Nothing": None,
    }
    entry = Entry(
        2, "planned", "insert", match=values, values=values, changes={n: (None, v) for n, v in values.items()}
    )
    journal.begin()
    with journal.transaction():
        journal.add([entry])
    (window,) = journal.todo("planned", window=10)
    assert window == [entry]
    assert [type(value) for value in window[0].values.values()] == [type(value) for value in values.values()]


def test_counts_are_of_the_records_and_add_up(planned: Journal) -> None:
    assert planned.counts() == Counts(read=6, unchanged=1, skipped=1, rejected=1, left=3)
    planned.checkpoint([Verdict(2, "done", "insert", key=("1",)), Verdict(3, "done", "update")], [])
    assert planned.counts() == Counts(read=6, inserted=1, updated=1, unchanged=1, skipped=1, rejected=1, left=1)
    assert planned.counts().add_up


def test_why_rows_were_rejected_and_why_skipped_is_told_apart(planned: Journal) -> None:
    assert list(planned.rejected()) == [(6, (BAD,))]
    assert list(planned.skipped()) == [(9, (Fault("match", "ID", "double", "says the same as line 2"),))]


def test_a_plan_counts_only_once_it_is_finished(journal: Journal) -> None:
    seen = [journal.is_planned]
    journal.begin()
    with journal.transaction():
        journal.add(PLAN)
    seen.append(journal.is_planned)
    journal.finish_plan([Verdict(2, "rejected", faults=(BAD,))])
    seen.append(journal.is_planned)
    assert seen == [False, False, True]
    assert [line for line, _ in journal.rejected()] == [2, 6]


def test_an_unfinished_plan_is_begun_anew(journal: Journal) -> None:
    journal.begin()
    with journal.transaction():
        journal.add(PLAN)
    journal.begin()
    assert journal.counts() == Counts()


def test_rows_that_need_nothing_are_kept_with_the_key_of_their_record(journal: Journal) -> None:
    journal.begin()
    with journal.transaction():
        journal.add_unchanged({2: '["1"]', 4: '["2","x"]'})
    journal.finish_plan([])
    (window,) = journal.todo("unchanged", window=5)
    assert window == [Entry(2, "unchanged", key=("1",)), Entry(4, "unchanged", key=("2", "x"))]
    assert journal.counts() == Counts(read=2, unchanged=2)


def test_what_is_about_to_be_sent_is_on_disk_with_the_object_as_it_is(planned: Journal, tmp_path: Path) -> None:
    planned.checkpoint([], [Intent(3, {"Name": "Al", "Rest": [1, {"x": None}]}, 1_800_000_000.5)])
    with closing(Journal(tmp_path)) as other:
        ((entry,),) = other.todo("sending", window=5)
        assert (entry.line, entry.sent_at) == (3, 1_800_000_000.5)
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection:
        (before,) = connection.execute("SELECT before FROM record WHERE line = 3").fetchone()
    assert before == '{"Name":"Al","Rest":[1,{"x":null}]}'


def test_a_verdict_leaves_alone_what_it_does_not_name(planned: Journal) -> None:
    planned.checkpoint([Verdict(3, "planned", "update"), Verdict(6, "rejected")], [])
    entries = [entry for window in planned.todo("planned", window=9) for entry in window]
    assert entries[1] == PLAN[1]
    assert list(planned.rejected()) == [(6, (BAD,))]


def test_what_is_left_is_rejected_with_one_reason(planned: Journal) -> None:
    fault = Fault("send", "", "not-sent", "Not sent: the run was stopped.")
    planned.reject_rest("planned", fault)
    assert [(line, faults) for line, faults in planned.rejected() if line != 6] == [(n, (fault,)) for n in (2, 3, 11)]
    assert planned.counts() == Counts(read=6, unchanged=1, skipped=1, rejected=4)


def test_a_block_that_fails_leaves_nothing(planned: Journal) -> None:
    twice = Entry(20, "planned", "insert")
    with pytest.raises(sqlite3.IntegrityError), planned.transaction():
        planned.add([twice, twice])
    assert planned.counts().read == 6
    planned.checkpoint([Verdict(2, "done", "insert")], [])
    assert planned.counts().inserted == 1


def test_it_is_private_and_survives_a_power_cut(planned: Journal, tmp_path: Path) -> None:
    assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) == 0o600
    connection = planned._connection
    assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    assert connection.execute("PRAGMA synchronous").fetchone()[0] == 2


def test_a_full_disk_is_told_and_what_was_kept_stays(planned: Journal) -> None:
    pages = planned._connection.execute("PRAGMA page_count").fetchone()[0]
    planned._connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(IdmsError, match=r"The journal of the run cannot be written: .*full") as raised:
        planned.checkpoint([], [Intent(2, "x" * 100_000, 1.0)])
    assert "free space" in raised.value.hint
    assert planned.counts() == Counts(read=6, unchanged=1, skipped=1, rejected=1, left=3)


PARTS = [
    Entry(2, "planned", "update", key=("1", "1"), values={"Name": "Ben"}, changes={"Name": ("Al", "Ben")}),
    Entry(2, "planned", "update", key=("1", "2"), values={"Name": "Ben"}, changes={"Name": ("Bo", "Ben")}, part=1),
    Entry(2, "unchanged", key=("1", "3"), part=2),
    Entry(3, "planned", "delete", key=("2", "1")),
]


@pytest.fixture
def in_parts(journal: Journal) -> Journal:
    journal.begin()
    with journal.transaction():
        journal.add(PARTS)
    return journal


def test_a_line_may_act_on_several_records_each_with_its_own_end(in_parts: Journal) -> None:
    in_parts.finish_plan([])
    assert list(in_parts.todo("planned", window=2)) == [[PARTS[0], PARTS[1]], [PARTS[3]]]
    in_parts.checkpoint([Verdict(2, "done", "update", part=0)], [Intent(2, {"Name": "Bo"}, 1.0, part=1)])
    assert [[entry.part for entry in window] for window in in_parts.todo("sending", window=5)] == [[1]]
    in_parts.checkpoint([PARTS[1].became("rejected", Fault("send", "", "validation", "no"))], [])
    assert in_parts.counts() == Counts(read=2, further=2, updated=1, unchanged=1, rejected=1, left=1)
    assert in_parts.counts().add_up


def test_the_reasons_of_a_line_name_the_record_they_are_of(in_parts: Journal) -> None:
    in_parts.finish_plan([])
    no = Fault("send", "", "validation", "no")
    in_parts.checkpoint([PARTS[0].became("rejected", no), PARTS[1].became("rejected", no)], [])
    in_parts.checkpoint([PARTS[3].became("rejected", no)], [])
    told = [(line, [fault.message for fault in faults]) for line, faults in in_parts.rejected()]
    assert told == [(2, ["record 1|1: no", "record 1|2: no"]), (3, ["no"])]


def test_a_correction_is_of_all_records_of_its_line(in_parts: Journal) -> None:
    in_parts.finish_plan([Verdict(2, "rejected", faults=(BAD,))])
    assert in_parts.counts() == Counts(read=2, rejected=1, left=1)
    assert list(in_parts.rejected()) == [(2, (BAD,))]
