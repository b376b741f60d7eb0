"""The file of the history: durable, private, brought up to date once, and clear about what is wrong with it."""

import os
import sqlite3
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from idms_cli.errors import IdmsError, InputError
from idms_cli.history.database import SCHEMA_VERSION, Database
from idms_cli.history.rows import NewRun
from idms_cli.history.store import Store

TABLES = [
    "calendar",
    "config",
    "definition",
    "incident",
    "job",
    "message",
    "pause",
    "run",
    "slot",
    "step",
    "switch",
    "tick",
    "trial",
    "trouble",
    "upkeep",
]


def _mode(path: Path) -> str:
    return f"{stat.S_IMODE(path.stat().st_mode):04o}"


def _open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def _pragma(store: Store, name: str) -> object:
    return store.database.connection.execute(f"PRAGMA {name}").fetchone()[0]


def test_what_was_acknowledged_survives_a_power_cut(store: Store) -> None:
    """synchronous=FULL is 2 (https://sqlite.org/pragma.html#pragma_synchronous)."""
    assert (_pragma(store, "journal_mode"), _pragma(store, "synchronous")) == ("wal", 2)


def test_a_run_without_its_definition_cannot_be(store: Store) -> None:
    assert _pragma(store, "foreign_keys") == 1


def test_only_its_owner_can_read_it_whatever_the_umask(state: Path) -> None:
    before = os.umask(0)
    try:
        with Store(state) as store:
            store.ticks.record(1.0)
            modes = {path.name: _mode(path) for path in state.iterdir()}
    finally:
        os.umask(before)
    assert _mode(state) == "0700"
    assert modes == dict.fromkeys(("history.db", "history.db-wal", "history.db-shm", "history.lock"), "0600")


def test_a_new_file_has_all_tables_and_the_version(store: Store) -> None:
    rows = store.database.connection.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
    )
    assert [row[0] for row in rows] == TABLES
    assert store.database.version == SCHEMA_VERSION


def test_an_empty_file_becomes_a_history(state: Path) -> None:
    state.mkdir()
    (state / "history.db").touch(0o600)
    with Store(state) as store:
        assert store.database.version == SCHEMA_VERSION


def test_processes_that_make_the_history_at_once_make_it_once(
    state: Path, in_processes: Callable[[int, str], list[str]]
) -> None:
    told = in_processes(8, "with Store(state) as store: store.ticks.record(number)\n")
    assert told == [""] * 8
    with Store(state) as store:
        rows = store.database.connection.execute("SELECT at FROM tick ORDER BY at")
        assert [row[0] for row in rows] == [float(number) for number in range(8)]


def test_what_is_remembered_is_there_for_the_next_process(state: Path) -> None:
    with Store(state) as store:
        store.ticks.record(5.0)
    with Store(state) as store:
        assert store.ticks.last() == 5.0


def test_the_history_of_a_newer_idms_is_left_alone(state: Path) -> None:
    with Store(state) as store:
        store.database.connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    with pytest.raises(InputError) as refused:
        Store(state)
    version = f"schema {SCHEMA_VERSION + 1}, this one knows {SCHEMA_VERSION}"
    assert str(refused.value) == f"{state}/history.db was written by a newer idms ({version})"
    assert refused.value.hint == "Use the newer idms, or point `state:` in idms.yaml to another directory."
    assert sqlite3.connect(state / "history.db").execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION + 1,)


def test_a_transaction_that_fails_leaves_nothing(store: Store) -> None:
    with pytest.raises(sqlite3.IntegrityError), store.database.write() as connection:  # noqa: PT012 - the second one
        connection.execute("INSERT INTO definition VALUES ('hash', 'path', 'text')")
        connection.execute("INSERT INTO definition VALUES ('hash', 'path', 'text')")
    assert store.database.connection.execute("SELECT count(*) FROM definition").fetchone()[0] == 0
    store.ticks.record(1.0)


def test_a_transaction_inside_another_is_an_error(store: Store, new_run: NewRun) -> None:
    with store.database.write(), pytest.raises(sqlite3.OperationalError):
        store.ticks.record(1.0)
    store.ticks.record(2.0)
    assert store.ticks.last() == 2.0


def test_writers_wait_for_each_other(store: Store, state: Path) -> None:
    """Without the wait the second writer would be told that the database is locked, after a while."""
    inside, done = threading.Event(), threading.Event()

    def write() -> None:
        with Store(state) as other:
            inside.set()
            other.ticks.record(2.0)
        done.set()

    with store.database.write() as connection:
        connection.execute("INSERT INTO definition VALUES ('hash', 'path', 'text')")
        thread = threading.Thread(target=write)
        thread.start()
        assert inside.wait(20)
        assert not done.is_set()
    assert done.wait(20)
    thread.join()
    assert store.ticks.last() == 2.0


def _is_a_file(state: Path) -> str:
    state.write_text("")
    return "this is not a directory"


def _is_below_a_file(state: Path) -> str:
    state.symlink_to(state.parent / "file" / "state")
    (state.parent / "file").write_text("")
    return "File exists"


def _is_no_database(state: Path) -> str:
    state.mkdir()
    (state / "history.db").write_text("Dear diary, " * 200)
    return "file is not a database"


def _has_a_directory_for_a_file(state: Path) -> str:
    (state / "history.db").mkdir(parents=True)
    return "unable to open database file"


def _belongs_to_another_program(state: Path) -> str:
    state.mkdir()
    with sqlite3.connect(state / "history.db") as connection:
        connection.execute("CREATE TABLE run (id)")
    connection.close()
    return "table run already exists"


def _may_not_be_written(state: Path) -> str:
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    state.mkdir(mode=0o500)
    return "Permission denied"


@pytest.mark.parametrize(
    "spoil",
    [
        _is_a_file,
        _is_below_a_file,
        _is_no_database,
        _has_a_directory_for_a_file,
        _belongs_to_another_program,
        _may_not_be_written,
    ],
)
def test_a_history_that_cannot_be_opened_is_told_with_its_place(state: Path, spoil: Callable[[Path], str]) -> None:
    reason = spoil(state)
    with pytest.raises(IdmsError) as refused:
        Store(state)
    assert str(refused.value) == f"{state}: the history cannot be opened: {reason}"
    assert "must be a directory on a local disk that this account may write to" in refused.value.hint


def test_what_could_not_be_opened_is_closed_again(state: Path) -> None:
    _is_no_database(state)
    before = _open_files()
    for _ in range(5):
        with pytest.raises(IdmsError):
            Store(state)
    assert _open_files() == before


def test_a_lock_held_for_too_long_by_another_program_is_told(state: Path) -> None:
    """A program that does not know of the queue (a backup, the sqlite3 shell) holds the write lock."""
    with Store(state) as store:
        store.database.connection.execute("PRAGMA busy_timeout = 50")
        other = sqlite3.connect(state / "history.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(sqlite3.OperationalError, match="database is locked"):
            store.ticks.record(1.0)
        other.execute("ROLLBACK")
        other.close()
        store.ticks.record(2.0)  # and nothing is left held


def test_a_history_that_a_backup_left_in_another_mode_is_durable_again(state: Path) -> None:
    with Store(state):
        pass
    database = Database(str(state))
    database.connection.execute("PRAGMA journal_mode=DELETE")
    database.close()
    with Store(state) as store:
        assert _pragma(store, "journal_mode") == "wal"
