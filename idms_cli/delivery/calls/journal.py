"""The journal of a step's requests: one row for each, in SQLite, written before and after it is sent.

`pending` -> `sent` (committed before the request leaves) -> `done`, `refused`, `unknown`, or `pending` again when it
was certainly not carried out. One that nobody has begun with has no row. A request found in `sent` was on its way when
the process died.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

from idms_cli.errors import IdmsError, InputError

FILE_NAME = "requests.db"

State = Literal["pending", "sent", "done", "refused", "unknown"]

TABLES = """
CREATE TABLE IF NOT EXISTS note (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS request (
  number INTEGER PRIMARY KEY,
  rows INTEGER NOT NULL,        -- how many rows it is about
  size INTEGER NOT NULL,        -- bytes of its body
  state TEXT NOT NULL,
  status INTEGER,               -- of HTTP, of the last answer
  reason TEXT,                  -- why it is not done
  answer TEXT,                  -- JSON: what is kept of the answer
  key TEXT UNIQUE,              -- by which the server knows it when it comes again
  tries INTEGER NOT NULL,
  sent_at REAL                  -- UTC seconds, when it last left
) STRICT"""
NOTE = "SELECT value FROM note WHERE name = ?"
KEEP_NOTE = "INSERT OR REPLACE INTO note VALUES (?, ?)"
REOPEN = "UPDATE request SET state = 'pending' WHERE state = 'refused'"
STANDING = "SELECT state, tries FROM request WHERE number = ?"
OF_KEY = "SELECT number FROM request WHERE key = ? AND number <> ?"
LEAVE = """
INSERT INTO request (number, rows, size, state, key, tries, sent_at) VALUES (?, ?, ?, 'sent', ?, 1, ?)
ON CONFLICT (number) DO UPDATE
SET state = 'sent', size = excluded.size, key = excluded.key, tries = tries + 1, sent_at = excluded.sent_at"""
SETTLE = """
INSERT INTO request (number, rows, size, state, status, reason, answer, tries) VALUES (?, ?, 0, ?, ?, ?, ?, 0)
ON CONFLICT (number) DO UPDATE
SET state = excluded.state, status = excluded.status, reason = excluded.reason, answer = excluded.answer"""
COUNT = "SELECT state, count(*), sum(rows), sum(size) FROM request GROUP BY state"
HIGHEST = "SELECT coalesce(max(number), 0) FROM request"
TOLD = "SELECT number, state, status, reason, answer FROM request WHERE state IN ({}) ORDER BY number"


class Standing(NamedTuple):
    """What is known of a request."""

    state: State
    tries: int
    """How often it left."""


@dataclass(frozen=True)
class Intent:
    """A request is about to leave."""

    number: int
    rows: int
    size: int
    key: str | None
    at: float
    """UTC seconds."""


@dataclass(frozen=True)
class Settled:
    """What became of a request."""

    number: int
    rows: int
    state: State
    status: int | None = None
    reason: str = ""
    answer: str | None = field(default=None, repr=False)


class Tally(NamedTuple):
    """How many requests are in a state, with how many rows and bytes."""

    requests: int = 0
    rows: int = 0
    size: int = 0


class Journal:
    """The journal in a step's folder. One connection, used from one thread."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.highest = int(connection.execute(HIGHEST).fetchone()[0])
        """The greatest number with a row when the journal was opened."""

    def keep_shape(self, shape: str) -> None:
        """Remember how rows are cut into requests. Raises `InputError` when an earlier attempt cut them otherwise."""
        if self._kept("shape", shape) != shape:
            raise InputError(
                "the step was changed since this delivery began, and its requests would be others now",
                hint="Write `batch:` and `each:` as they were, or run the job anew.",
            )

    def reopen(self, run: int) -> None:
        """Let what was refused be sent again, when another run does the rest of the one that began: a person wants it.

        The attempts of one run are by themselves, and what is refused stays so.
        """
        if self._kept("run", str(run)) != str(run):
            with self._transaction():
                self._connection.execute(REOPEN)
                self._connection.execute(KEEP_NOTE, ("run", str(run)))

    def kept_stem(self, stem: str) -> str:
        """What keys of our own are made from: that of the first attempt, also when another run does the rest."""
        return self._kept("stem", stem)

    def _kept(self, name: str, value: str) -> str:
        """The note of this name, which is `value` if there was none: durable when this returns."""
        found = self._connection.execute(NOTE, (name,)).fetchone()
        if found is not None:
            return str(found[0])
        with self._transaction():
            self._connection.execute(KEEP_NOTE, (name, value))
        return value

    def standing(self, number: int) -> Standing | None:
        """None for a request that nobody has begun with."""
        found = self._connection.execute(STANDING, (number,)).fetchone()
        return None if found is None else Standing(*found)

    def other_of(self, key: str, number: int) -> int | None:
        """Another request with this key."""
        found = self._connection.execute(OF_KEY, (key, number)).fetchone()
        return None if found is None else int(found[0])

    def checkpoint(self, settled: Sequence[Settled], intents: Sequence[Intent]) -> None:
        """One durable transaction: what became of some requests, and which are about to leave."""
        if not settled and not intents:
            return
        with self._transaction():
            self._connection.executemany(
                SETTLE,
                [(each.number, each.rows, each.state, each.status, each.reason, each.answer) for each in settled],
            )
            self._connection.executemany(
                LEAVE, [(each.number, each.rows, each.size, each.key, each.at) for each in intents]
            )

    def tallies(self) -> dict[State, Tally]:
        """By state, of all requests with a row."""
        return {state: Tally(*numbers) for state, *numbers in self._connection.execute(COUNT)}

    def told(self, *states: State) -> Iterator[tuple[int, State, int | None, str, str | None]]:
        """Number, state, status, reason and answer of all requests in these states, by number."""
        yield from self._connection.execute(TOLD.format(",".join("?" * len(states))), states)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")


@contextmanager
def open_journal(folder: Path) -> Iterator[Journal]:
    """The journal in a step's folder, for the block. Raises `IdmsError`, with its path, for whatever SQLite meets."""
    path = folder / FILE_NAME
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            path.chmod(0o600)
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            connection.executescript(TABLES)
            yield Journal(connection)
    except sqlite3.Error as error:
        raise IdmsError(
            f"{path}: the journal of the delivery cannot be used: {error}.",
            hint="Look at the disk, and at the rights of the state directory.",
        ) from error
