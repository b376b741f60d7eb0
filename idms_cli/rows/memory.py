"""What a job has delivered: of each row its key and a digest, never the row itself; one SQLite file a job."""

import os
import secrets
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

FOLDER = "delta"

_TABLES = """
CREATE TABLE IF NOT EXISTS rows (
    key TEXT PRIMARY KEY, digest BLOB NOT NULL, run INTEGER NOT NULL, delivered INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS dropped (id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
"""
_KEEP = """
INSERT INTO rows (key, digest, run, delivered)
SELECT key, digest, :run, :at FROM staged.changes WHERE digest IS NOT NULL
ON CONFLICT (key) DO UPDATE SET digest = excluded.digest, run = excluded.run, delivered = excluded.delivered
"""
_FORGET = "DELETE FROM rows WHERE key IN (SELECT key FROM staged.changes WHERE digest IS NULL)"
_FORGET_DROPPED = "DELETE FROM rows WHERE key IN (SELECT key FROM dropped WHERE id > ?)"
_ABOUT = "INSERT INTO about (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"


class Remembered(NamedTuple):
    """One row that was delivered."""

    key: str
    run: int
    """The run that delivered it as it is remembered."""
    delivered: int
    """When, in seconds since 1970."""


class Point(NamedTuple):
    """Where the memory stood when rows were compared with it."""

    generation: int
    dropped: int


class Delivered(NamedTuple):
    """A run whose delivery is certain."""

    run: int
    at: int
    """In seconds since 1970."""
    point: Point


class Memory:
    """The memory of one job. Every change is one short transaction, on disk when it returns."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @property
    def count(self) -> int:
        """How many rows are remembered."""
        (number,) = self._connection.execute("SELECT count(*) FROM rows").fetchone()
        return int(number)

    @property
    def salt(self) -> bytes:
        """So that a digest does not give away what is easily guessed."""
        (salt,) = self._connection.execute("SELECT value FROM about WHERE name = 'salt'").fetchone()
        return bytes(salt)

    @property
    def point(self) -> Point:
        (dropped,) = self._connection.execute("SELECT coalesce(max(id), 0) FROM dropped").fetchone()
        generation = self.about("generation")
        return Point(generation if isinstance(generation, int) else 0, int(dropped))

    def about(self, name: str) -> str | int | None:
        """A fact that is kept beside the rows: `watermark`; `run` and `delivered` of the last delivery."""
        found = self._connection.execute("SELECT value FROM about WHERE name = ?", (name,)).fetchone()
        return found[0] if found else None

    def find(self, key: str) -> Remembered | None:
        found = self._connection.execute("SELECT key, run, delivered FROM rows WHERE key = ?", (key,)).fetchone()
        return Remembered(*found) if found else None

    def keep(self, done: Delivered, changes: Path | None, facts: Mapping[str, str | int]) -> bool:
        """Remember what a run delivered, all or none; done again, it changes nothing.

        `changes` is a SQLite file with a table `changes` of keys and digests, without a digest for what vanished.
        False, and nothing is remembered, when the memory was reset since `done.point`. Keys that were dropped since
        then are not remembered either: both mean that rows are delivered again.
        """
        if changes is not None:
            self._connection.execute("ATTACH ? AS staged", (str(changes),))
        with self._transaction():
            if self.point.generation != done.point.generation:
                return False
            if self.about("run") == done.run:
                return True
            if changes is not None:
                self._connection.execute(_FORGET)
                self._connection.execute(_KEEP, {"run": done.run, "at": done.at})
                self._connection.execute(_FORGET_DROPPED, (done.point.dropped,))
            self._connection.executemany(_ABOUT, [*facts.items(), ("run", done.run), ("delivered", done.at)])
        return True

    def drop(self, keys: Sequence[str]) -> int:
        """Forget these rows; the number of those that were remembered."""
        with self._transaction():
            known = sum(self._connection.execute("DELETE FROM rows WHERE key = ?", (key,)).rowcount for key in keys)
            self._connection.executemany("INSERT INTO dropped (key) VALUES (?)", [(key,) for key in keys])
        return known

    def reset(self) -> int:
        """Forget all; the number of rows that were remembered."""
        with self._transaction():
            known = self._connection.execute("DELETE FROM rows").rowcount
            generation = self.point.generation + 1
            self._connection.execute("DELETE FROM about WHERE name != 'salt'")
            self._connection.execute(_ABOUT, ("generation", generation))
        return known

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")


def memory_path(state: Path, job: str) -> Path:
    """Where a job's memory is, if there is one."""
    return state / FOLDER / f"{job}.db"


@contextmanager
def open_memory(state: Path, job: str) -> Iterator[Memory]:
    """A job's memory, made when it is not there. Raises `OSError` and `sqlite3.Error`."""
    path = memory_path(state, job)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
    connection = sqlite3.connect(path, isolation_level=None, timeout=30)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.executescript(_TABLES)
        connection.execute("INSERT OR IGNORE INTO about (name, value) VALUES ('salt', ?)", (secrets.token_bytes(16),))
        yield Memory(connection)
    finally:
        connection.close()
