"""A disk that is full, a file that is damaged, a backup while others write: the history says what is the matter."""

import sqlite3
from contextlib import closing
from pathlib import Path
from threading import Event, Thread

import pytest

from idms_cli.errors import IdmsError
from idms_cli.history.maintenance import back_up
from idms_cli.history.rows import NewRun
from idms_cli.history.store import Store


def test_a_history_on_a_full_disk_and_a_damaged_one_are_told_as_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = tmp_path / "other"
    Store(state).close()
    path = state / "history.db"
    whole = path.read_bytes()
    path.write_bytes(whole[:100] + b"\xaa" * 3996 + whole[4096:])
    with pytest.raises(IdmsError) as damaged:
        Store(state)
    assert "put a backup in its place" in damaged.value.hint
    monkeypatch.setattr("idms_cli.history.store.LEAST_ROOM", 2**62)  # as if hardly any were left
    monkeypatch.setattr("idms_cli.history.store._open", _fails)
    with pytest.raises(IdmsError) as full:
        Store(state)
    assert str(full.value).endswith("the history cannot be opened: disk I/O error: the disk is full")
    assert full.value.hint == "Make room there; nothing is lost, and the next call goes on."


def _fails(state: Path) -> None:
    raise sqlite3.OperationalError("disk I/O error")


def test_a_backup_is_of_one_moment_while_others_write(state: Path, tmp_path: Path, new_run: NewRun) -> None:
    """Each transaction makes two runs: in a copy there is never one without the other."""
    over = Event()

    def write() -> None:
        with Store(state) as store:
            while not over.is_set():
                with store.database.write() as connection:
                    for _ in range(2):
                        store.runs.create(connection, new_run, 1.0)

    with Store(state) as store:
        writer = Thread(target=write)
        writer.start()
        try:
            for number in range(5):
                back_up(store.database, tmp_path / f"copy{number}.db")
        finally:
            over.set()
            writer.join()
        last = store.database.connection.execute("SELECT count(*) FROM run").fetchone()[0]
    counts = [_runs_in(tmp_path / f"copy{number}.db") for number in range(5)]
    assert [count % 2 for count in counts] == [0] * 5
    assert counts == sorted(counts)
    assert 0 < counts[-1] <= last


def _runs_in(path: Path) -> int:
    with closing(sqlite3.connect(path)) as copy:
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return int(copy.execute("SELECT count(*) FROM run").fetchone()[0])
