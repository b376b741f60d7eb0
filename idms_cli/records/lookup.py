"""How the records that rows match are found: asked for one by one, or read in whole pages beforehand."""

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Protocol

from idms_cli.errors import Interrupted
from idms_cli.imis.kinds import Kind, Record, Whole
from idms_cli.imis.properties import Value
from idms_cli.imis.values import same
from idms_cli.records.coding import decode, encode
from idms_cli.records.matching import digest

FILE_NAME = "snapshot.db"
BATCH = 1000
TABLE = 'CREATE TABLE record (match BLOB NOT NULL, key TEXT NOT NULL, "values" TEXT NOT NULL) STRICT'
ADD = "INSERT INTO record VALUES (?, ?, ?)"
INDEX = "CREATE INDEX record_match ON record (match)"
FIND = 'SELECT key, "values" FROM record WHERE match = ?'


class Lookup(Protocol):
    """Finds records by the values of the match properties. Used from one thread or from several, as `parallel` says."""

    parallel: bool
    """Whether calls gain from being made at the same time."""

    def find(self, match: Mapping[str, Value]) -> list[Record]:
        """The records that have all these values. May raise what `Kind.find` raises."""

    def close(self) -> None:
        """Give back what was needed for it."""


class OneByOne:
    """Asks the site for each row."""

    parallel = True

    def __init__(self, kind: Kind) -> None:
        self._kind = kind

    def find(self, match: Mapping[str, Value]) -> list[Record]:
        """As `Kind.find`."""
        return self._kind.find(match)

    def close(self) -> None:
        """Nothing to give back."""


class Snapshot:
    """Every record of the kind, read in whole pages and kept on disk: for many rows, far fewer calls.

    Only the named properties are kept; `Record.body` is None, since whoever writes a record reads it afresh.
    """

    parallel = False

    def __init__(self, directory: Path, match: Sequence[str], wanted: Iterable[str]) -> None:
        self._path = directory / FILE_NAME
        self._match = tuple(match)
        self._wanted = frozenset(wanted) | frozenset(match)
        self._loose: frozenset[str] = frozenset()
        self._path.unlink(missing_ok=True)
        self._connection = sqlite3.connect(self._path, isolation_level=None)
        # Made anew for each plan: it need not survive anything.
        self._connection.execute("PRAGMA journal_mode=OFF")
        self._connection.execute("PRAGMA synchronous=OFF")
        self._connection.execute("PRAGMA locking_mode=EXCLUSIVE")  # no file lock to take for each look
        self._connection.execute("PRAGMA cache_size=-16000")  # 16 MB
        self._connection.execute(TABLE)

    def read(self, kind: Whole, *, stopping: Callable[[], bool]) -> int:
        """Read all records; returns how many there are. Raises `Interrupted` when asked to stop."""
        self._loose = frozenset(name for name in self._match if kind.is_loose(name))
        count = 0
        batch: list[tuple[bytes, str, str]] = []
        for record in kind.all():
            batch.append(self._row(record))
            if len(batch) == BATCH:
                count += self._add(batch)
                if stopping():
                    raise Interrupted("the run was stopped")
        count += self._add(batch)
        self._connection.execute(INDEX)
        return count

    def find(self, match: Mapping[str, Value]) -> list[Record]:
        """The records whose values equal all of `match`, exactly as the site itself would be asked."""
        if len(match) != len(self._match):
            return [record for record in self._all() if self._fits(record, match)]
        rows = self._connection.execute(FIND, (digest(match),))
        return [record for record in map(_record, rows) if self._fits(record, match)]

    def close(self) -> None:
        """Remove it: a copy of the site's data has no business lying about."""
        self._connection.close()
        self._path.unlink(missing_ok=True)

    def _add(self, batch: list[tuple[bytes, str, str]]) -> int:
        number = len(batch)
        self._connection.execute("BEGIN")
        self._connection.executemany(ADD, batch)
        self._connection.execute("COMMIT")
        batch.clear()
        return number

    def _row(self, record: Record) -> tuple[bytes, str, str]:
        values = {name: value for name, value in record.values.items() if name in self._wanted}
        key = digest({name: values.get(name) for name in self._match})
        return key, encode(record.key), encode(values)

    def _all(self) -> Iterable[Record]:
        with closing(self._connection.execute('SELECT key, "values" FROM record')) as rows:
            yield from map(_record, rows)

    def _fits(self, record: Record, match: Mapping[str, Value]) -> bool:
        return all(same(value, record.values.get(name), loose=name in self._loose) for name, value in match.items())


def snapshot_pays(rows: Iterable[object], kind: Whole, page_size: int) -> bool:
    """Whether whole pages are fewer calls than one for each row. Reads no more rows than it takes to know."""
    pages = -(-kind.size() // page_size)
    return sum(1 for _, _ in zip(range(pages + 1), rows, strict=False)) > pages


def _record(row: tuple[str, str]) -> Record:
    key, values = row
    return Record(tuple(decode(key)), decode(values), None)
