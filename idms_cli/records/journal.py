"""The journal of a run: one row per record, with its action, state, changes and before-image, in SQLite.

A record's state, once planned: `planned` -> `sending` (committed before the request leaves) -> `done`; or it is settled
at once as `unchanged`, `skipped` or `rejected`. A record found in `sending` was in flight when the process died.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from idms_cli.errors import IdmsError
from idms_cli.imis.kinds import Key
from idms_cli.imis.properties import Value
from idms_cli.records.coding import decode, encode
from idms_cli.records.counts import Counts
from idms_cli.records.entry import MOST_PARTS, Entry, Intent, Verdict, place_of, word_for
from idms_cli.records.entryrows import columns, entry_of, fault_text, faults_of, named_faults, text_of
from idms_cli.records.faults import Fault

FILE_NAME = "journal.db"

TABLES = """
CREATE TABLE note (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE record (
  place INTEGER PRIMARY KEY,    -- line * 100000 + part, so that records stand in the order of the source
  line INTEGER AS (place / 100000),
  part INTEGER AS (place % 100000),
  action TEXT NOT NULL,         -- insert, update, or '' for what needs no write
  state TEXT NOT NULL,
  key TEXT,                     -- JSON list: the record's identity on the site
  match TEXT,                   -- JSON: what it was, or can be, found by
  "values" TEXT,                -- JSON: what is to be written
  changes TEXT,                 -- JSON: property -> [old, new]
  faults TEXT,                  -- JSON: why it is rejected or skipped
  before TEXT,                  -- JSON: the whole object before the write
  sent_at REAL                  -- UTC seconds, when the write left
) STRICT;
CREATE INDEX record_state ON record (state, place);
"""
ADD = """
INSERT INTO record (place, action, state, key, match, "values", changes, faults) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"""
ADD_UNCHANGED = "INSERT INTO record (place, action, state, key) VALUES (?, '', 'unchanged', ?)"
TODO = "SELECT * FROM record WHERE state = ? AND place > ? ORDER BY place LIMIT ?"
SENDING = "UPDATE record SET state = 'sending', before = ?, sent_at = ? WHERE place = ?"
IN_QUESTION = "SELECT * FROM record WHERE state = 'sending' AND action = 'insert' AND match IS NULL ORDER BY place"
ANSWER = """
UPDATE record SET state = ?, sent_at = iif(? = 'planned', NULL, sent_at) WHERE place = ? AND state = 'sending'"""
SETTLE = """
UPDATE record SET state = ?, key = coalesce(?, key), changes = coalesce(?, changes), faults = coalesce(?, faults)
WHERE place = ?"""
DROP_FURTHER = "DELETE FROM record WHERE place > ? AND place < ?"
REJECT_ALL = "UPDATE record SET state = 'rejected', faults = ? WHERE state = ?"
REJECT_RESENT = """
UPDATE record SET state = 'rejected', faults = ?
WHERE state = 'planned' AND action <> 'insert' AND sent_at IS NOT NULL"""
REOPEN = """
UPDATE record
SET state = CASE WHEN action = 'insert' AND match IS NOT NULL AND sent_at IS NOT NULL THEN 'sending' ELSE 'planned' END,
    faults = NULL
WHERE state = 'rejected' AND action <> '' AND json_extract(faults, '$[0][0]') = 'send'
  AND json_extract(faults, '$[0][2]') IN ('site-error', 'unknown', 'server-error')
  AND (action <> 'insert' OR match IS NOT NULL OR json_extract(faults, '$[0][2]') = 'site-error')"""
IS_BEGUN = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'note'"
# Only of what is done, the action counts: all others are counted in the index alone, five times as fast.
COUNT = """
SELECT state, '' AS action, count(*), sum(part > 0) FROM record WHERE state <> 'done' GROUP BY state
UNION ALL
SELECT state, action, count(*), sum(part > 0) FROM record WHERE state = 'done' GROUP BY action"""
FAULTS = "SELECT faults FROM record WHERE place = ?"
WITH_REASONS = """
SELECT line, key, faults, EXISTS (SELECT 1 FROM record AS r WHERE r.place = record.place - record.part + 1) AS many
FROM record WHERE state = ? ORDER BY place"""
LEFT_ALONE = WITH_REASONS.replace("state = ?", "state IN ('planned', 'done') AND faults IS NOT NULL")
PLANNED_UPDATES = "SELECT changes FROM record WHERE state = 'planned' AND action = 'update'"
WRITTEN = """
SELECT * FROM record
WHERE state = 'done' AND (:key IS NULL OR key = :key || ']' OR substr(key, 1, length(:key) + 1) = :key || ',')
ORDER BY place"""
PLANNED = "SELECT * FROM record WHERE state = 'planned' ORDER BY place LIMIT ?"


class Journal:
    """The journal in a run's directory. One connection, used from one thread."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        path = directory / FILE_NAME
        with _said_clearly():
            self._connection = sqlite3.connect(path, isolation_level=None)
            self._connection.row_factory = sqlite3.Row
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=FULL")
        path.chmod(0o600)

    def close(self) -> None:
        self._connection.close()

    @property
    def is_planned(self) -> bool:
        """Whether the plan is complete: what comes next is writing."""
        is_begun = self._connection.execute(IS_BEGUN).fetchone() is not None
        return is_begun and self.note("planned") is not None

    def begin(self) -> None:
        """An empty journal. What an unfinished plan left goes: nothing was written by it.

        Until the plan is finished, it is kept whole, but does not wait for the disk.
        """
        with _said_clearly():
            self._connection.executescript(
                "PRAGMA synchronous=NORMAL; DROP TABLE IF EXISTS note; DROP TABLE IF EXISTS record;" + TABLES
            )

    def add_unchanged(self, keys: Mapping[int, str | None]) -> None:
        """Plan nothing for rows whose records say already what they say: line -> packed key, where that is known."""
        self._connection.executemany(ADD_UNCHANGED, [(line * MOST_PARTS, key) for line, key in keys.items()])

    def add(self, entries: Iterable[Entry]) -> None:
        """Plan some records."""
        self._connection.executemany(ADD, [columns(entry) for entry in entries])

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """What is written in the block is written whole or not at all, and on disk when the block ends.

        Raises `IdmsError` when the disk does not take it.
        """
        with _said_clearly():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")

    def finish_plan(self, of_lines: Iterable[Verdict], of_records: Iterable[Verdict] = ()) -> None:
        """Correct what later rows showed of earlier ones, and call the plan complete: all at once.

        Of a whole line that is corrected none of the records that it was to act on is written.
        """
        corrections, single = list(of_lines), list(of_records)
        self._connection.execute("PRAGMA synchronous=FULL")
        with self.transaction():
            whole = [(place_of(each.line), place_of(each.line + 1)) for each in corrections]
            self._connection.executemany(DROP_FURTHER, whole)
            self._settle(single)
            self._settle(corrections)
            self._connection.execute("INSERT OR REPLACE INTO note VALUES ('planned', 'yes')")

    def keep_note(self, name: str, value: str) -> None:
        """A fact about the run, durable when this returns."""
        with self.transaction():
            self._connection.execute("INSERT OR REPLACE INTO note VALUES (?, ?)", (name, value))

    def note(self, name: str) -> str | None:
        row = self._connection.execute("SELECT value FROM note WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row["value"])

    def checkpoint(self, verdicts: Sequence[Verdict], intents: Sequence[Intent]) -> None:
        """One durable transaction: what became of the last window, and what the next is about to send."""
        if not verdicts and not intents:
            return
        with self.transaction():
            self._settle(verdicts)
            self._connection.executemany(
                SENDING, [(encode(each.before), each.at, place_of(each.line, each.part)) for each in intents]
            )

    def todo(self, state: str, *, window: int) -> Iterator[list[Entry]]:
        """Windows of records in a state, by line and part. Each window is read when it is asked for."""
        place = 0
        while rows := self._connection.execute(TODO, (state, place, window)).fetchall():
            yield [entry_of(row) for row in rows]
            place = rows[-1]["place"]

    def reject_rest(self, state: str, fault: Fault) -> None:
        """Give every record that is still in a state the same fault: a run's end leaves nothing undecided."""
        with self.transaction():
            self._connection.execute(REJECT_ALL, (fault_text([fault]), state))

    def reject_resent(self, fault: Fault) -> None:
        """Give this fault to every change and removal that an attempt sent, and that was planned again unseen.

        An insert is planned again only when it was looked for and was not there.
        """
        with self.transaction():
            self._connection.execute(REJECT_RESENT, (fault_text([fault]),))

    def reopen(self) -> None:
        """What was rejected because the site failed is still to be done, when it is tried again later.

        No record is written twice by it: an insert that may have been stored is looked for first, and stays rejected
        where there is nothing to look for it by; a change or removal reads its record afresh.
        """
        with self.transaction():
            self._connection.execute(REOPEN)

    def counts(self) -> Counts:
        """Computed from the records, never from what the process believed."""
        numbers: dict[str, int] = {}
        further = 0
        for state, action, number, beyond in self._connection.execute(COUNT):
            word = word_for(state, action)
            numbers[word] = numbers.get(word, 0) + number
            further += beyond
        return Counts.of({**numbers, "read": sum(numbers.values()) - further, "further": further})

    def planned_counts(self) -> dict[str, int]:
        """How many records are to be inserted, updated and deleted."""
        rows = self._connection.execute("SELECT action, count(*) FROM record WHERE state = 'planned' GROUP BY action")
        return {row[0]: row[1] for row in rows}

    def rejected(self) -> Iterator[tuple[int, tuple[Fault, ...]]]:
        """Line and reasons of every row of which a record was rejected, by line."""
        return _by_line(self._connection.execute(WITH_REASONS, ("rejected",)))

    def skipped(self) -> Iterator[tuple[int, tuple[Fault, ...]]]:
        """Line and reasons of every row of which a record was passed over on purpose, by line."""
        return _by_line(self._connection.execute(WITH_REASONS, ("skipped",)))

    def left_alone(self) -> Iterator[tuple[int, tuple[Fault, ...]]]:
        """Line and reasons of every row of which a record is written, but for some properties (by an undo)."""
        return _by_line(self._connection.execute(LEFT_ALONE))

    def faults(self, line: int) -> tuple[Fault, ...]:
        """What is wrong with the (first) record of a line so far."""
        row = self._connection.execute(FAULTS, (place_of(line),)).fetchone()
        return faults_of(row["faults"]) if row else ()

    def planned(self, limit: int) -> list[Entry]:
        """The first records that are to be written, for showing."""
        return [entry_of(row) for row in self._connection.execute(PLANNED, (limit,))]

    def in_question(self) -> list[Entry]:
        """Inserts that were sent, got no answer, and that nothing is matched by: somebody has to look for them."""
        return [entry_of(row) for row in self._connection.execute(IN_QUESTION)]

    def answer(self, stored: Iterable[Entry], not_stored: Iterable[Entry]) -> None:
        """Somebody has looked for records in question: those that are there are done, the others are planned again."""
        found = [("done", one) for one in stored] + [("planned", one) for one in not_stored]
        with self.transaction():
            self._connection.executemany(ANSWER, [(state, state, place_of(one.line, one.part)) for state, one in found])

    def written(self, key: Key | None = None) -> Iterator[Entry]:
        """What was written, by line: all, or what was done to the record of this key or of one that begins with it."""
        begins = None if key is None else encode(list(key)).removesuffix("]")
        for row in self._connection.execute(WRITTEN, {"key": begins}):
            yield entry_of(row)

    def planned_updates(self) -> Iterator[Mapping[str, tuple[Value, Value]]]:
        """What each planned update changes: property -> (old, new)."""
        for row in self._connection.execute(PLANNED_UPDATES):
            yield {name: (old, new) for name, (old, new) in decode(row["changes"]).items()}

    def _settle(self, verdicts: Iterable[Verdict]) -> None:
        self._connection.executemany(
            SETTLE,
            [
                (
                    each.state,
                    text_of(each.key),
                    text_of(each.changes),
                    fault_text(each.faults),
                    place_of(each.line, each.part),
                )
                for each in verdicts
            ],
        )


def _by_line(rows: Iterable[sqlite3.Row]) -> Iterator[tuple[int, tuple[Fault, ...]]]:
    for line, records in groupby(rows, key=itemgetter("line")):
        yield line, tuple(fault for record in records for fault in named_faults(record))


@contextmanager
def open_journal(directory: Path) -> Iterator[Journal]:
    """The journal in a run's directory, for the block. Raises `IdmsError`, with its path, for whatever SQLite meets."""
    try:
        with closing(Journal(directory)) as journal:
            yield journal
    except sqlite3.Error as error:
        raise IdmsError(
            f"{directory / FILE_NAME}: the journal of the run cannot be used: {error}.",
            hint="Look at the disk, and at the rights of the state directory.",
        ) from error


@contextmanager
def _said_clearly() -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        raise IdmsError(
            f"The journal of the run cannot be written: {error}.",
            hint="Look at the free space and the permissions of the state directory.",
        ) from error
