"""Rows are classified into the journal, whatever the site answers; nothing is written."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from idms_cli.errors import InputError, Interrupted, LoginRefused, RecordRefused, SiteError, Unreachable
from idms_cli.files import BrokenRow, Row
from idms_cli.records import plan
from idms_cli.records.doubles import Doubles
from idms_cli.records.journal import Journal
from idms_cli.records.lookup import OneByOne
from idms_cli.records.mapping import bind
from idms_cli.records.plan import Planner, Sources
from idms_cli.records.window import Window
from tests.records.shelf import COLUMNS, MAP, PROPERTIES, Shelf, rules

DOWN = Unreachable("GET /api/Shelf: no connection")


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with closing(Journal(tmp_path)) as made:
        made.begin()
        yield made


def row(line: int, identity: str = "", name: str = "Ann") -> Row:
    return Row(line, (identity or str(line), name, "", ""))


def plan_rows(
    journal: Journal, shelf: Shelf, rows: list[Row | BrokenRow], *, width: int = 1, tell: Any = None, **changes: Any
) -> dict[int, str]:
    """Line -> state (and the codes of its faults), once the plan is finished."""
    given = rules(**changes)
    mapping = bind(MAP, COLUMNS, PROPERTIES, matched=given.match)
    with Window(width) as window, closing(Doubles(journal.directory, given)) as doubles:
        planner = Planner(Sources(OneByOne(shelf), mapping), given, journal, doubles)
        planner.plan(rows, window, tell=tell or (lambda _: None))
        journal.finish_plan(doubles.corrections(journal.faults), doubles.corrections_of_records())
    told = {line: "skipped: " + ", ".join(fault.code for fault in faults) for line, faults in journal.skipped()}
    told |= {line: "rejected: " + ", ".join(fault.code for fault in faults) for line, faults in journal.rejected()}
    told |= {entry.line: entry.action for window in journal.todo("planned", window=50) for entry in window}
    told |= {entry.line: "unchanged" for window in journal.todo("unchanged", window=50) for entry in window}
    assert len(told) == len(rows) == journal.counts().read
    return dict(sorted(told.items()))


@pytest.mark.parametrize("width", [1, 4])
def test_each_row_gets_its_place_whatever_the_others_do(journal: Journal, width: int) -> None:
    shelf = Shelf({"ID": "2", "Name": "Ann"}, {"ID": "3", "Name": "Ben"})
    shelf.fails["find"].extend([None, None, None])
    rows: list[Row | BrokenRow] = [row(2), row(3), row(4), row(5, name="far too long"), row(6, " ")]
    rows.append(BrokenRow(7, ("7",), "ragged", "1 cell, 4 columns", "7"))
    assert plan_rows(journal, shelf, rows, width=width) == {
        2: "unchanged",
        3: "update",
        4: "insert",
        5: "rejected: too-long",
        6: "rejected: blank-match",
        7: "rejected: ragged",
    }
    assert shelf.count("insert") + shelf.count("update") == 0


def test_no_row_is_looked_for_that_needs_not_be(journal: Journal) -> None:
    shelf = Shelf()
    plan_rows(journal, shelf, [row(2), row(3, "2"), row(4, name="far too long"), row(5, " ")])
    assert shelf.calls == ["find 2"]


def test_a_row_that_the_site_will_not_look_for_is_rejected_with_all_its_reasons(journal: Journal) -> None:
    shelf = Shelf()
    shelf.fails["find"].append(RecordRefused(["no", "never"], status=403, code="forbidden"))
    plan_rows(journal, shelf, [row(2), row(3)])
    ((line, faults),) = journal.rejected()
    assert (line, [fault.message for fault in faults]) == (2, ["no", "never"])


@pytest.mark.parametrize("error", [DOWN, SiteError("not JSON")], ids=["unreachable", "no sense"])
def test_a_look_that_fails_now_and_then_costs_its_row_only(journal: Journal, error: Exception) -> None:
    shelf = Shelf()
    shelf.fails["find"].extend([error, error, None, error, error, None])
    told = plan_rows(journal, shelf, [row(line) for line in range(2, 8)])
    assert told == {
        2: "rejected: site-error",
        3: "rejected: site-error",
        4: "insert",
        5: "rejected: site-error",
        6: "rejected: site-error",
        7: "insert",
    }


@pytest.mark.parametrize("width", [1, 4])
def test_three_looks_in_a_row_that_fail_end_the_plan(journal: Journal, width: int) -> None:
    shelf = Shelf()
    shelf.always["find"] = DOWN
    with pytest.raises(Unreachable):
        plan_rows(journal, shelf, [row(line) for line in range(2, 60)], width=width)
    assert shelf.count("find") <= 3 * width
    assert not journal.is_planned


@pytest.mark.parametrize(
    "error", [LoginRefused("no"), InputError("cannot search by ID")], ids=["login", "the job's own mistake"]
)
def test_what_no_row_can_help_ends_the_plan_at_once(journal: Journal, error: Exception) -> None:
    shelf = Shelf()
    shelf.always["find"] = error
    with pytest.raises(type(error)):
        plan_rows(journal, shelf, [row(2), row(3)])
    assert shelf.calls == ["find 2"]


def test_less_than_all_of_match_that_the_site_cannot_search_by_rejects_its_row(journal: Journal) -> None:
    shelf = Shelf()
    shelf.fails["find"].append(InputError("cannot search by Name alone"))
    told = plan_rows(journal, shelf, [row(2, " ")], match=("ID", "Name"), skip_blank_match=False)
    assert told == {2: "rejected: blank-match"}


def test_a_stop_is_heeded_after_the_row_in_hand(journal: Journal) -> None:
    def tell(planned: int) -> None:
        if planned == 3:
            raise Interrupted("stop")

    shelf = Shelf()
    with pytest.raises(Interrupted):
        plan_rows(journal, shelf, [row(line) for line in range(2, 60)], tell=tell)
    assert shelf.count("find") == 3


def test_progress_counts_every_row(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "CHUNK", 4)
    told: list[int] = []
    plan_rows(journal, Shelf(), [row(line) for line in range(2, 13)], tell=told.append)
    assert told == list(range(1, 12))


@pytest.mark.parametrize("chunk", [1, 2, 200])
def test_rows_of_one_key_are_found_wherever_they_stand(
    journal: Journal, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr(plan, "CHUNK", chunk)
    rows: list[Row | BrokenRow] = [row(2, "a"), row(3, "b"), row(4, "a"), row(5, "b", "Ben"), row(6, "B", "Bob")]
    assert plan_rows(journal, Shelf(), rows) == {
        2: "insert",
        3: "rejected: double",
        4: "skipped: double",
        5: "rejected: double",
        6: "rejected: double",
    }


@pytest.mark.parametrize(
    ("duplicates", "expected"),
    [
        ("reject", {2: "rejected: double", 3: "rejected: double", 4: "rejected: double"}),
        ("first", {2: "insert", 3: "skipped: double", 4: "skipped: double"}),
        ("last", {2: "skipped: double", 3: "skipped: double", 4: "insert"}),
    ],
)
def test_of_rows_with_one_key_those_count_that_the_job_says(
    journal: Journal, duplicates: str, expected: dict[int, str]
) -> None:
    rows: list[Row | BrokenRow] = [row(2, "a", "Ann"), row(3, "a", "Ben"), row(4, "a", "Cid")]
    assert plan_rows(journal, Shelf(), rows, duplicates=duplicates) == expected


def test_each_row_that_does_not_count_names_the_one_that_does(journal: Journal) -> None:
    rows: list[Row | BrokenRow] = [row(2, "a", "Ann"), row(3, "a", "Ben"), row(4, "a", "Ann"), row(5, "a", "Ann")]
    plan_rows(journal, Shelf(), rows, duplicates="last")
    assert {line: faults[0].message for line, faults in journal.skipped()} == {
        2: "line 4 counts in its place",
        3: "line 4 counts in its place",
        5: "says the same as line 4",
    }


def test_a_contradiction_is_told_beside_what_else_is_wrong(journal: Journal) -> None:
    rows: list[Row | BrokenRow] = [row(2, "a"), row(3, "a", "Ben")]
    assert plan_rows(journal, Shelf(), rows, action="update") == {
        2: "rejected: no-match, double",
        3: "rejected: double",
    }


def test_that_there_is_nothing_to_delete_is_no_reason_to_reject_a_row(journal: Journal) -> None:
    rows: list[Row | BrokenRow] = [row(2, "a"), row(3, "a", "Ben")]
    assert plan_rows(journal, Shelf(), rows, action="delete") == {2: "rejected: double", 3: "rejected: double"}


def test_a_row_that_is_wrong_in_itself_contradicts_nobody(journal: Journal) -> None:
    rows: list[Row | BrokenRow] = [row(2, "a", "far too long"), row(3, "a", "Ben")]
    assert plan_rows(journal, Shelf(), rows) == {2: "rejected: too-long", 3: "insert"}


def test_without_match_nothing_is_looked_for(journal: Journal) -> None:
    shelf = Shelf()
    assert plan_rows(journal, shelf, [row(2, "a"), row(3, "a")], match=(), action="insert") == {
        2: "insert",
        3: "insert",
    }
    assert shelf.calls == []
