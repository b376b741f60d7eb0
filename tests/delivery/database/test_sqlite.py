"""Rows into a file of SQLite, read back by SQLite itself: three modes, what it would not keep, faults."""

import signal
import sqlite3
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from idms_cli.errors import DeliveryRefused, IdmsError, Interrupted, Unreachable
from tests.conftest import until
from tests.delivery.cargo import SampleCargo, delivery, destination
from tests.delivery.database.disk import small_disk
from tests.delivery.database.rows import TWO, Numbered, deliver, refused, rows
from tests.delivery.database.test_exactly_once import CHILD

MEMBERS = "CREATE TABLE members (id TEXT PRIMARY KEY, name TEXT, paid NUMERIC(10, 2), joined DATE)"
STEP = "{to: sqlite:///members.db, table: members, mode: append}"
UPSERT = "{to: sqlite:///members.db, table: members, mode: upsert, key: [ID]}"
REPLACE = "{to: sqlite:///members.db, table: members, mode: replace}"


def make(folder: Path, sql: str = MEMBERS, *, name: str = "members.db") -> None:
    connection = sqlite3.connect(folder / name)
    connection.executescript(sql)
    connection.close()


def table(folder: Path, sql: str = "SELECT * FROM members ORDER BY 1") -> list[tuple[object, ...]]:
    connection = sqlite3.connect(folder / "members.db")
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def test_rows_are_appended_and_sqlite_shows_the_same(tmp_path: Path) -> None:
    make(tmp_path)
    given = rows(
        "ID Name Paid Joined",
        ("00101", "Zoë «O'Néill»\n\\", Decimal("12.50"), "2026-03-01T00:00:00"),
        ("2", "", "", ""),
        ("3", None, "1234567.25", None),
        (4, True, True, "2026-12-31"),
        (Decimal("1E+20"), Decimal("0.10"), None, None),
    )
    receipt = deliver(STEP, given, tmp_path)
    assert (receipt.items, receipt.counts) == (5, {"inserted": 5})
    assert table(tmp_path) == [
        ("00101", "Zoë «O'Néill»\n\\", 12.5, "2026-03-01"),
        ("100000000000000000000", "0.10", None, None),
        ("2", "", None, None),
        ("3", None, 1234567.25, None),
        ("4", "true", 1, "2026-12-31"),
    ]
    assert table(tmp_path, "SELECT run, step, job, target, rows FROM idms_deliveries") == [
        (7, "step", "feed", "members", 5)
    ]


def test_a_delivery_that_was_committed_is_not_done_again(tmp_path: Path) -> None:
    make(tmp_path, "CREATE TABLE members (id, name)")
    for _ in range(2):
        deliver(STEP, TWO, tmp_path)
    assert len(table(tmp_path)) == 2


def test_replace_and_upsert(tmp_path: Path) -> None:
    make(tmp_path, f"{MEMBERS}; INSERT INTO members VALUES ('101', 'Old', 5, NULL), ('9', 'Other', 7, NULL)")
    assert deliver(UPSERT, TWO, tmp_path).counts == {"inserted": 1, "updated": 1}
    assert table(tmp_path, "SELECT id, name, paid FROM members ORDER BY 1") == [
        ("101", "Zoë", 5),
        ("102", "Ann", None),
        ("9", "Other", 7),
    ]
    assert deliver(UPSERT, TWO, tmp_path).counts == {"unchanged": 2}
    assert deliver(UPSERT, rows("ID", ("101",), ("7",)), tmp_path).counts == {"inserted": 1, "unchanged": 1}
    assert deliver(REPLACE, TWO, tmp_path).counts == {"inserted": 2, "deleted": 4}
    assert [row[0] for row in table(tmp_path)] == ["101", "102"]
    none = REPLACE.replace("}", ", empty: allow}")
    assert deliver(none, rows("ID"), tmp_path).counts == {"deleted": 2}


def test_rows_that_vanished_are_deleted_by_their_key(tmp_path: Path) -> None:
    make(tmp_path, f"{MEMBERS}; INSERT INTO members (id, name) VALUES ('1', 'gone'), ('2', 'Old'), ('3', 'Other')")
    given = rows("ID Name change", ("1", None, "vanished"), ("2", "New", "changed"), ("4", "Zoë", "new"))
    step = UPSERT.replace("}", ", delete_vanished: change}")
    assert deliver(step, given, tmp_path).counts == {"inserted": 1, "updated": 1, "deleted": 1}
    assert table(tmp_path, "SELECT id, name FROM members ORDER BY 1") == [("2", "New"), ("3", "Other"), ("4", "Zoë")]


def test_a_file_and_a_table_that_are_not_there_are_made(tmp_path: Path) -> None:
    given = rows(
        "ID Visits Paid Long Huge Ok Joined",
        ("1", 3, Decimal("1.25"), Decimal("1.2345678901234567890"), 2**70, True, "2026-01-02"),
        ("2", None, 5, None, None, None, None),
    )
    step = UPSERT.replace("}", ", create: true, columns: {joined: date}}")
    deliver(step, given, tmp_path)
    assert table(tmp_path, "SELECT name, lower(type), pk FROM pragma_table_info('members')") == [
        ("ID", "text", 1),
        ("Visits", "integer", 0),
        ("Paid", "numeric", 0),
        ("Long", "text", 0),
        ("Huge", "text", 0),
        ("Ok", "boolean", 0),
        ("Joined", "date", 0),
    ]
    assert table(tmp_path) == [
        ("1", 3, 1.25, "1.2345678901234567890", "1180591620717411303424", 1, "2026-01-02"),
        ("2", None, 5, None, None, None, None),
    ]


@pytest.mark.parametrize(
    ("columns", "cells", "told"),
    [
        ("ID Paid", ("2", "n/a"), "row 2, Paid: 'n/a' is not taken: it is not a number"),
        ("ID Paid", ("2", Decimal("1.125")), "the column keeps 2 digits after the point"),
        ("ID Long", ("2", Decimal("1.2345678901234567890")), "SQLite would not keep all of its digits"),
        ("ID Long", ("2", "12345678901234567890.5"), "SQLite would not keep all of its digits"),
        ("ID Visits", ("2", 2**63), "SQLite would not keep all of its digits"),
        ("ID Visits", ("2", Decimal("1.5")), "row 2, Visits: '1.5' is not taken: it is not a whole number"),
        ("ID Ok", ("2", "maybe"), "row 2, Ok: 'maybe' is not taken: it is neither true nor false"),
        ("ID Joined", ("2", "31/12/2026"), "it is not a date written as 2026-12-31"),
        ("ID Joined", ("2", "2026-02-30"), "it is not a date written as 2026-12-31"),
        ("ID Name", ("2", "A\0n"), "row 2, Name: 'A\\x00n' is not taken: it has a NUL character"),
        ("ID Name", ("2", "A\ud800"), "half of a surrogate pair"),
        ("ID Name", ("1", "Ann"), "row 2: UNIQUE constraint failed: members.ID"),
        ("ID Name", ("3", None), "row 2: NOT NULL constraint failed: members.Name"),
    ],
)
def test_what_sqlite_would_not_keep_is_refused(
    tmp_path: Path, columns: str, cells: tuple[object, ...], told: str
) -> None:
    make(
        tmp_path,
        "CREATE TABLE members (ID TEXT PRIMARY KEY, Name TEXT NOT NULL DEFAULT '', Paid NUMERIC(10, 2), Long NUMERIC,"
        "Visits INTEGER, Ok BOOLEAN, Joined DATE); INSERT INTO members (ID) VALUES ('0')",
    )
    good = {"ID": "1", "Name": "Ann", "Paid": 1, "Long": 1, "Visits": "7", "Ok": "yes", "Joined": "2026-01-02"}
    first = tuple(good[name] for name in columns.split())
    error = refused(STEP, rows(columns, first, cells), tmp_path)  # type: ignore[arg-type]
    assert isinstance(error, DeliveryRefused)
    assert told in str(error)
    assert str(error).endswith("The table is as it was.")
    assert [row[0] for row in table(tmp_path)] == ["0"]


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        ((("1", "a"), ("2", "b"), ("1", "c")), "2 rows have ID 1; nobody knows which is right"),
        ((("1", "a"), (None, "b")), "row 2, ID: nothing is not taken: a key needs a value"),
    ],
)
def test_keys_that_are_none_are_refused(tmp_path: Path, cells: tuple[tuple[str, str], ...], told: str) -> None:
    make(tmp_path, "CREATE TABLE members (ID TEXT, Name TEXT, UNIQUE (ID)); INSERT INTO members VALUES ('1', 'old')")
    assert told in str(refused(UPSERT, rows("ID Name", *cells), tmp_path))
    assert table(tmp_path) == [("1", "old")]


def test_an_upsert_without_a_unique_index_has_the_sql_that_makes_one(tmp_path: Path) -> None:
    make(
        tmp_path, "CREATE TABLE members (ID TEXT, Name TEXT); CREATE UNIQUE INDEX part ON members (ID) WHERE Name > ''"
    )
    error = refused(UPSERT, TWO, tmp_path)
    assert "has no unique index on ID" in str(error)
    make(tmp_path, error.hint)
    assert deliver(UPSERT, TWO, tmp_path).counts == {"inserted": 2}


def _not_there(tmp_path: Path) -> IdmsError:
    return refused(STEP, TWO, tmp_path)


def _no_folder(tmp_path: Path) -> IdmsError:
    return refused("{to: sqlite:///deep/members.db, table: members, mode: append, create: true}", TWO, tmp_path)


def _no_database(tmp_path: Path) -> IdmsError:
    (tmp_path / "members.db").write_text("this is no database, but a text of some length " * 40)
    return refused(STEP, TWO, tmp_path)


def _no_table(tmp_path: Path) -> IdmsError:
    make(tmp_path, "CREATE TABLE member (id)")
    return refused(STEP, TWO, tmp_path)


@pytest.mark.parametrize(
    ("case", "told", "hint"),
    [
        (_not_there, "there is no such file.", "Check the address in `to:`, or say `create: true`: then it is made."),
        (_no_folder, "/deep.", "Make it, or check the address in `to:`."),
        (_no_database, "file is not a database", "it must be SQLite's."),
        (_no_table, "there is no table 'members'.", "Did you mean 'member'?"),
    ],
)
def test_a_file_that_is_not_as_it_should_be_is_refused(tmp_path: Path, case: object, told: str, hint: str) -> None:
    error = case(tmp_path)  # type: ignore[operator]
    assert isinstance(error, DeliveryRefused)
    assert told in str(error)
    assert error.hint.endswith(hint)


def test_a_file_that_another_program_writes_is_waited_for_and_then_given_up(tmp_path: Path) -> None:
    make(tmp_path)
    other = sqlite3.connect(tmp_path / "members.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    step = STEP.replace("}", ", lock_timeout: 1s}")
    error = refused(step, TWO, tmp_path)
    assert isinstance(error, Unreachable)
    assert "another session keeps table members locked, longer than 1s." in str(error)
    assert isinstance(refused(STEP, TWO, tmp_path, stopping=lambda: True), Interrupted)
    other.close()
    deliver(step, TWO, tmp_path)
    assert len(table(tmp_path)) == 2


def test_a_reader_that_keeps_the_commit_waiting_is_given_up(tmp_path: Path) -> None:
    make(tmp_path, f"{MEMBERS}; INSERT INTO members (id) VALUES ('old')")
    reader = sqlite3.connect(tmp_path / "members.db", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM members").fetchall()
    step = STEP.replace("}", ", ledger: false, lock_timeout: 1s}")
    assert isinstance(refused(step, TWO, tmp_path), Unreachable)
    reader.close()
    assert len(table(tmp_path)) == 1


def test_a_full_disk_leaves_the_table_as_it_was(tmp_path: Path) -> None:
    with small_disk(tmp_path / "small") as small:
        make(small, f"{MEMBERS}; INSERT INTO members (id) VALUES ('old')")
        error = refused(STEP.replace("members.db", "small/members.db"), Numbered(60_000), tmp_path)
        assert isinstance(error, DeliveryRefused)
        assert "the database has no space left: database or disk is full" in str(error)
        assert table(small, "SELECT id FROM members") == [("old",)]


def test_killed_in_the_middle_nothing_is_there_and_the_next_attempt_brings_all(tmp_path: Path) -> None:
    make(tmp_path, f"{MEMBERS}; INSERT INTO members (id) VALUES ('old')")
    child = subprocess.Popen([sys.executable, "-c", CHILD, str(tmp_path), STEP, "1700"], cwd=Path(__file__).parents[3])
    until((tmp_path / "reached").exists)
    child.send_signal(signal.SIGKILL)
    child.wait(30)
    assert table(tmp_path, "SELECT id FROM members") == [("old",)]
    deliver(STEP, Numbered(2000), tmp_path)
    assert len(table(tmp_path)) == 2001


def test_a_run_that_is_to_end_ends_between_rows(tmp_path: Path) -> None:
    make(tmp_path)
    asked: list[int] = []
    given = Numbered(5_000, lambda number: number == 2_000 and asked.append(number))
    assert isinstance(refused(STEP, given, tmp_path, stopping=lambda: bool(asked)), Interrupted)
    assert table(tmp_path) == []


def test_the_lock_is_that_of_the_file(tmp_path: Path) -> None:
    there = destination(STEP, tmp_path)
    assert there.resource() == f"file:{tmp_path}/members.db"
    assert there.describe() == "sqlite:///members.db, table members"
    assert there.rehearse(SampleCargo(rows=TWO), delivery(tmp_path)) == (
        "would add 2 rows to table members of sqlite:///members.db"
    )
    assert not (tmp_path / "members.db").exists()
