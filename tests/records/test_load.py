"""However a load ends, the counts add up and no record is left undecided."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest

from idms_cli.errors import IdmsError, Interrupted, OutcomeUnknown, RecordRefused, Unreachable
from idms_cli.files import BrokenRow, Row
from idms_cli.records.counts import Counts
from idms_cli.records.journal import Journal
from idms_cli.records.load import Load, Steering, end_early
from idms_cli.records.lookup import OneByOne
from idms_cli.records.mapping import bind
from idms_cli.records.window import Window
from tests.records.shelf import COLUMNS, MAP, PROPERTIES, Shelf, rules

ROWS: list[Row | BrokenRow] = [Row(line, (str(line), "Ann", "", "")) for line in range(2, 12)]


class Bug(Exception):
    """One of ours."""


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with closing(Journal(tmp_path)) as made:
        yield made


class Desk:
    """Loads rows, and remembers every count that was told."""

    def __init__(self, journal: Journal, shelf: Shelf, *, stop_at: int | None = None) -> None:
        self.journal = journal
        self.shelf = shelf
        self.told: list[Counts] = []
        steering = Steering(tell=self._tell, stopping=lambda: stop_at is not None and self.told[-1].inserted >= stop_at)
        self.load = Load(shelf, rules(), journal, steering)

    def plan(self) -> None:
        mapping = bind(MAP, COLUMNS, PROPERTIES, matched=["ID"])
        with Window(1) as window:
            self.load.plan(ROWS, mapping, window, OneByOne(self.shelf))

    def apply(self, *, width: int = 1) -> Exception | None:
        with Window(width) as window:
            try:
                self.load.apply(window, settle_s=0)
            except Exception as error:
                end_early(self.journal, error)
                return error
        return None

    def _tell(self, counts: Mapping[str, int]) -> None:
        self.told.append(Counts.of(dict(counts)))


def codes(journal: Journal) -> list[str]:
    return [fault.code for _, faults in journal.rejected() for fault in faults]


@pytest.mark.parametrize("width", [1, 4])
def test_the_counts_that_are_told_add_up_all_the_time(journal: Journal, width: int) -> None:
    shelf = Shelf({"ID": "3", "Name": "Ann"}, {"ID": "4", "Name": "Ben"})
    refused = RecordRefused(["no"], status=400, code="validation")
    shelf.fails["insert"].extend([None, refused, OutcomeUnknown("?", status=500), Unreachable("down"), None])
    desk = Desk(journal, shelf)
    desk.plan()
    assert [counts.read for counts in desk.told] == list(range(1, 11))
    desk.told.clear()
    assert desk.apply(width=width) is None
    assert all(counts.add_up for counts in desk.told)
    assert desk.told[-1] == journal.counts()
    assert journal.counts() == Counts(read=10, inserted=6, updated=1, unchanged=1, rejected=2)


def test_a_load_that_is_stopped_rejects_the_rest_as_not_sent(journal: Journal) -> None:
    desk = Desk(journal, Shelf(), stop_at=4)
    desk.plan()
    assert isinstance(desk.apply(), Interrupted)
    assert journal.counts() == Counts(read=10, inserted=4, rejected=6)
    assert set(codes(journal)) == {"not-sent"}
    assert [fault.message for fault in journal.faults(11)] == ["Not sent: the run was stopped."]


def test_a_load_that_the_site_ends_rejects_the_rest_as_not_sent(journal: Journal) -> None:
    desk = Desk(journal, Shelf())
    desk.plan()
    desk.shelf.fails["insert"].append(None)
    desk.shelf.always["insert"] = Unreachable("No connection.")
    assert isinstance(desk.apply(), Unreachable)
    assert journal.counts() == Counts(read=10, inserted=1, rejected=9)
    assert codes(journal) == ["site-error"] * 2 + ["not-sent"] * 7
    assert [fault.message for fault in journal.faults(11)] == ["Not sent: No connection."]


def test_a_load_that_a_bug_ends_tells_what_is_known_of_every_record(journal: Journal) -> None:
    desk = Desk(journal, Shelf())
    desk.plan()
    desk.shelf.fails["insert"].extend([None, None, Bug("oh")])
    assert isinstance(desk.apply(), Bug)
    assert journal.counts() == Counts(read=10, inserted=2, rejected=8)
    assert codes(journal) == ["unknown"] + ["not-sent"] * 7


def test_a_plan_that_is_stopped_is_no_plan(journal: Journal) -> None:
    desk = Desk(journal, Shelf(), stop_at=0)
    with pytest.raises(Interrupted, match="the run was stopped"):
        desk.plan()
    assert not journal.is_planned


def test_a_plan_that_failed_is_made_anew(journal: Journal) -> None:
    desk = Desk(journal, Shelf())
    desk.shelf.fails["find"].extend([None, None, IdmsError("ended")])
    with pytest.raises(IdmsError):
        desk.plan()
    desk.plan()
    assert journal.counts() == Counts(read=10, left=10)
