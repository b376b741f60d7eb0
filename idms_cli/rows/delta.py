"""Delta: of all rows only those that are new or changed since they were last delivered, and those that vanished."""

import hashlib
import json
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple, Self

import msgspec
from pydantic import Field, model_validator

from idms_cli.config.checked import Section
from idms_cli.config.foreign import shortened
from idms_cli.config.problems import BadValue
from idms_cli.config.spelling import did_you_mean
from idms_cli.errors import InputError, Interrupted
from idms_cli.files.writers import Cells, Rows
from idms_cli.rows.memory import Delivered, Memory, Point, memory_path, open_memory
from idms_cli.rows.spool import AT_A_TIME, Spooled, is_spooled, spooling

CHANGES = "delta.db"
CHANGED_ROWS = "delta.jsonl"
MARK = "change"

_ENCODE = msgspec.json.Encoder(decimal_format="number").encode
_STAGING = """
CREATE TABLE compared (key TEXT PRIMARY KEY, place INTEGER NOT NULL, digest BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE changes (key TEXT PRIMARY KEY, place INTEGER, digest BLOB, change TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE told (text TEXT NOT NULL);
"""
_FIND_CHANGES = """
INSERT INTO changes (key, place, digest, change)
SELECT key, place, compared.digest, iif(memory.digest IS NULL, 'new', 'changed')
FROM compared LEFT JOIN memory.rows AS memory USING (key)
WHERE memory.digest IS NULL OR memory.digest != compared.digest
"""
_FIND_VANISHED = """
INSERT INTO changes (key, place, digest, change)
SELECT key, NULL, NULL, 'vanished' FROM memory.rows WHERE key NOT IN (SELECT key FROM compared)
"""
_CHANGED = "SELECT place, change FROM changes WHERE place IS NOT NULL ORDER BY place"
_VANISHED = "SELECT key FROM changes WHERE place IS NULL ORDER BY key"


class DeltaOptions(Section):
    """The `delta:` of a transfer."""

    key: str = Field(min_length=1, description="The column that tells one row from another.")
    vanished: bool = Field(default=False, description="Deliver also the keys of rows that are no longer there.")
    mark: str | None = Field(
        default=None, min_length=1, description=f"A column that says new, changed or vanished; `{MARK}` if needed."
    )

    @model_validator(mode="after")
    def _differ(self) -> Self:
        if self.marked_in == self.key:
            raise BadValue("the mark cannot stand in the column of the key", hint="name another column")
        return self

    @property
    def marked_in(self) -> str | None:
        """The column that says what became of a row; None when nobody asks."""
        return self.mark or (MARK if self.vanished else None)


@dataclass(frozen=True)
class DeltaCounts:
    """What a comparison found."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    vanished: int = 0
    """0 when nobody asks for them."""
    remembered: int = 0
    """How many rows the memory had."""


class Compared(NamedTuple):
    """The rows that are to be delivered."""

    rows: Rows
    counts: DeltaCounts


@dataclass(frozen=True)
class Delta:
    """The comparison of one run of a job with what the job has delivered before."""

    state: Path
    job: str
    options: DeltaOptions
    directory: Path
    """The run's own; what was compared once is not compared again, so that each attempt delivers the same."""

    def compare(self, rows: Rows, *, stopping: Callable[[], bool] = lambda: False) -> Compared:
        """Raises `InputError` for rows without a key, or two that differ and have the same."""
        if not is_spooled(self._spool):
            self._refuse_columns(rows)
            with open_memory(self.state, self.job) as memory:
                self._compare(rows, memory, stopping)
        with closing(sqlite3.connect(self._staging)) as staging:
            ((text,),) = staging.execute("SELECT text FROM told").fetchall()
        return Compared(Spooled(self._spool), DeltaCounts(**json.loads(text)["counts"]))

    def remember(self, run: int, at: int, facts: Mapping[str, str | int] | None = None) -> bool:
        """All of it was delivered, certainly. Done again, it does no harm.

        False when the memory was reset meanwhile: nothing is remembered then, and all rows are delivered again.
        """
        with closing(sqlite3.connect(self._staging)) as staging:
            ((text,),) = staging.execute("SELECT text FROM told").fetchall()
        done = Delivered(run, at, Point(*json.loads(text)["point"]))
        with open_memory(self.state, self.job) as memory:
            return memory.keep(done, self._staging, facts or {})

    @property
    def _staging(self) -> Path:
        return self.directory / CHANGES

    @property
    def _spool(self) -> Path:
        return self.directory / CHANGED_ROWS

    def _refuse_columns(self, rows: Rows) -> None:
        key, mark = self.options.key, self.options.marked_in
        if rows.columns and key not in rows.columns:
            known = did_you_mean(key, rows.columns) or f"Columns: {', '.join(rows.columns)}."
            raise InputError(f"delta: there is no column '{shortened(key)}'", hint=known)
        if mark in rows.columns:
            hint = "Name another one: delta: {mark: what_became}."
            raise InputError(f"delta: there is a column '{mark}' already, which is to say what is new", hint=hint)

    def _compare(self, rows: Rows, memory: Memory, stopping: Callable[[], bool]) -> None:
        """The spool comes last: when it is there, what was staged is on disk."""
        point, known, path = memory.point, memory.count, self._staging
        path.unlink(missing_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
        with closing(sqlite3.connect(path, isolation_level=None)) as staging:
            staging.execute("PRAGMA journal_mode=OFF")
            staging.execute("PRAGMA synchronous=OFF")
            staging.execute("PRAGMA cache_size=-16000")
            staging.executescript(_STAGING)
            self._take_in(rows, memory.salt, staging, stopping)
            self._find_changes(staging)
            counts = self._counted(staging, known)
            staging.execute("INSERT INTO told VALUES (?)", (json.dumps({"counts": asdict(counts), "point": point}),))
            with path.open("rb") as file:
                os.fsync(file.fileno())
            self._write(rows, staging)

    def _take_in(self, rows: Rows, salt: bytes, staging: sqlite3.Connection, stopping: Callable[[], bool]) -> None:
        """Digests of rows with other columns differ, so that a change of `select:` delivers all of them anew."""
        if not rows.columns:
            return
        place = rows.columns.index(self.options.key)
        start = hashlib.blake2b(_ENCODE(rows.columns), digest_size=16, salt=salt)

        def digest(cells: Cells) -> bytes:
            one = start.copy()
            one.update(_ENCODE(cells))
            return one.digest()

        waiting: list[tuple[str, int, bytes]] = []
        for number, cells in enumerate(rows, start=1):
            key = cells[place]
            if key is None or not str(key).strip():
                raise InputError(f"delta: row {number:,} has no {self.options.key}, which is to tell it from others")
            waiting.append((str(key), number, digest(cells)))
            if len(waiting) == AT_A_TIME:
                self._put(waiting, staging)
                if stopping():
                    raise Interrupted("the run was stopped")
        self._put(waiting, staging)

    def _put(self, waiting: list[tuple[str, int, bytes]], staging: sqlite3.Connection) -> None:
        try:
            staging.execute("BEGIN")
            staging.executemany("INSERT INTO compared (key, place, digest) VALUES (?, ?, ?)", waiting)
        except sqlite3.IntegrityError:
            staging.execute("ROLLBACK")
            staging.execute("BEGIN")
            self._put_one_by_one(waiting, staging)
        staging.execute("COMMIT")
        waiting.clear()

    def _put_one_by_one(self, waiting: list[tuple[str, int, bytes]], staging: sqlite3.Connection) -> None:
        """A row that comes twice is taken once. Raises `InputError` for two rows of one key that differ."""
        for key, number, digest in waiting:
            twin = staging.execute("SELECT place, digest FROM compared WHERE key = ?", (key,)).fetchone()
            if twin is None:
                staging.execute("INSERT INTO compared (key, place, digest) VALUES (?, ?, ?)", (key, number, digest))
            elif twin[1] != digest:
                message = f"delta: rows {twin[0]:,} and {number:,} differ, and both have {self.options.key}"
                hint = "Name a column that is different in every row."
                raise InputError(f"{message} '{shortened(key)}'", hint=hint)

    def _find_changes(self, staging: sqlite3.Connection) -> None:
        staging.execute("ATTACH ? AS memory", (str(memory_path(self.state, self.job)),))
        staging.execute(_FIND_CHANGES)
        if self.options.vanished:
            staging.execute(_FIND_VANISHED)
        staging.execute("DETACH memory")

    def _counted(self, staging: sqlite3.Connection, known: int) -> DeltaCounts:
        found = dict(staging.execute("SELECT change, count(*) FROM changes GROUP BY change"))
        ((total,),) = staging.execute("SELECT count(*) FROM compared").fetchall()
        unchanged = total - found.get("new", 0) - found.get("changed", 0)
        return DeltaCounts(unchanged=unchanged, remembered=known, **found)

    def _write(self, rows: Rows, staging: sqlite3.Connection) -> None:
        mark = self.options.marked_in
        columns = rows.columns or (self.options.key,)
        with spooling(self._spool) as spool:
            spool.name((*columns, mark) if mark else columns)
            for cells, change in _chosen(rows, staging.execute(_CHANGED)):
                row = dict(zip(columns, cells, strict=True))
                spool.add({**row, mark: change} if mark else row)
            if mark and self.options.vanished:
                for (key,) in staging.execute(_VANISHED):
                    spool.add({self.options.key: key, mark: "vanished"})


def _chosen(rows: Rows, places: Iterator[tuple[int, str]]) -> Iterator[tuple[Cells, str]]:
    """The rows at these places, counted from 1 and growing."""
    wanted = next(places, None)
    if wanted is None:
        return
    for number, cells in enumerate(rows, start=1):
        if number == wanted[0]:
            yield cells, wanted[1]
            wanted = next(places, None)
            if wanted is None:
                return
