"""The journal of a step that does steps for each of many items: a row for each that is over, in SQLite."""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from idms_cli.errors import IdmsError, InputError
from idms_cli.modules.steps import FAILED, InnerResult

FILE_NAME = "items.db"

TABLES = """
CREATE TABLE IF NOT EXISTS note (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS item (
  number INTEGER PRIMARY KEY,   -- from 1, in the order of the items
  status TEXT NOT NULL,         -- succeeded, partial, failed
  reason TEXT NOT NULL,
  hint TEXT NOT NULL,
  exit_code INTEGER NOT NULL,
  counts TEXT NOT NULL,         -- JSON
  gave TEXT                     -- JSON: what is collected of it
) STRICT"""
NOTE = "SELECT value FROM note WHERE name = ?"
KEEP_NOTE = "INSERT OR REPLACE INTO note VALUES (?, ?)"
REOPEN = "DELETE FROM item WHERE status = 'failed'"
OVER = "SELECT number FROM item"
ADD = "INSERT OR REPLACE INTO item VALUES (?, ?, ?, ?, ?, ?, ?)"
TALLY = "SELECT status, count(*) FROM item GROUP BY status"
FIRST = "SELECT number, reason, hint, exit_code FROM item WHERE status = ? ORDER BY number LIMIT 1"
COUNTS = "SELECT counts FROM item WHERE counts <> '{}'"
GAVE = "SELECT gave FROM item WHERE gave IS NOT NULL ORDER BY number"

_ENCODE = msgspec.json.Encoder(decimal_format="number").encode
_DECODE = msgspec.json.Decoder(float_hook=Decimal).decode


class Bad(NamedTuple):
    """An item that did not go well."""

    number: int
    reason: str
    hint: str
    exit_code: int


class Items:
    """See the module. One connection, used from one thread."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def keep_shape(self, count: int, run: int) -> None:
        """How many there are, and for which run: in another one, what failed is done again.

        Raises `InputError` when there were as many as that no longer.
        """
        if self._kept("count", str(count)) != str(count):
            message = "the list of items is another one than when this step began"
            raise InputError(message, hint="Run the job anew: which of them are done cannot be told.")
        if self._kept("run", str(run)) != str(run):
            with self._connection:
                self._connection.execute(REOPEN)
                self._connection.execute(KEEP_NOTE, ("run", str(run)))

    def over(self) -> set[int]:
        """The numbers of those that need not be done."""
        return {number for (number,) in self._connection.execute(OVER)}

    def add(self, number: int, result: InnerResult, gave: Any) -> None:
        """An item is over. On disk when this returns."""
        told = None if gave is None else _ENCODE(gave).decode()
        counts = json.dumps(dict(result.counts))
        row = (number, result.status, result.reason, result.hint, result.exit_code, counts, told)
        with self._connection:
            self._connection.execute(ADD, row)

    def tally(self) -> dict[str, int]:
        """How many are in each status."""
        return dict(self._connection.execute(TALLY).fetchall())

    def first(self, status: str = FAILED) -> Bad | None:
        """The first one in this status."""
        found = self._connection.execute(FIRST, (status,)).fetchone()
        return None if found is None else Bad(*found)

    def counts(self) -> dict[str, int]:
        """Of all together."""
        found: dict[str, int] = {}
        for (text,) in self._connection.execute(COUNTS):
            for name, number in json.loads(text).items():
                found[name] = found.get(name, 0) + number
        return found

    def gave(self) -> Iterator[Mapping[str, Any]]:
        """What was collected, in the order of the items."""
        for (text,) in self._connection.execute(GAVE):
            yield _DECODE(text)

    def _kept(self, name: str, value: str) -> str:
        found = self._connection.execute(NOTE, (name,)).fetchone()
        if found is not None:
            return str(found[0])
        with self._connection:
            self._connection.execute(KEEP_NOTE, (name, value))
        return value


@contextmanager
def open_items(folder: Path) -> Iterator[Items]:
    """The journal in a step's folder, for the block. Raises `IdmsError` with its path for whatever SQLite meets."""
    path = folder / FILE_NAME
    try:
        with closing(sqlite3.connect(path)) as connection:
            path.chmod(0o600)
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            connection.executescript(TABLES)
            yield Items(connection)
    except sqlite3.Error as error:
        hint = "Look at the disk, and at the rights of the state directory."
        raise IdmsError(f"{path}: the journal of the items cannot be used: {error}.", hint=hint) from error
