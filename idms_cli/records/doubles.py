"""Rows of one file with the same key, or about the same record: found while it is planned, so that one is written."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from idms_cli.files.places import in_words
from idms_cli.records.canonical import canonical, pack
from idms_cli.records.entry import MOST_PARTS, Entry, Verdict, place_of
from idms_cli.records.faults import Fault
from idms_cli.records.lookup import Wanted
from idms_cli.records.matching import Rules
from idms_cli.records.scratch import Scratch

FILE_NAME = "keys.db"
TABLES = """
CREATE TABLE met (
  key BLOB PRIMARY KEY, line INTEGER NOT NULL, content INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE contradicted (     -- an earlier row by a later one of its key
  line INTEGER PRIMARY KEY, by INTEGER NOT NULL, key BLOB NOT NULL
) STRICT;
CREATE TABLE reached (          -- records, by the first row that is about them, or the one that counts
  key TEXT PRIMARY KEY, place INTEGER NOT NULL, content INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE crossed (          -- the record of a row by a later one that is about it as well
  place INTEGER PRIMARY KEY, by INTEGER NOT NULL
) STRICT;
"""
MEET = "INSERT INTO met (key, line, content) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
MET = "SELECT line, content FROM met WHERE key = ?"
REPLACE = "UPDATE met SET line = ?, content = ? WHERE key = ?"
CONTRADICT = "INSERT INTO contradicted (line, by, key) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
CONTRADICTED = "SELECT line, by FROM contradicted ORDER BY line"
REPLACED = "SELECT gone.line, met.line FROM contradicted AS gone JOIN met USING (key) ORDER BY gone.line"
REACH = "INSERT INTO reached (key, place, content) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
REACHED = "SELECT place, content FROM reached WHERE key = ?"
REACH_ANEW = "UPDATE reached SET place = ?, content = ? WHERE key = ?"
CROSS = "INSERT INTO crossed (place, by) VALUES (?, ?) ON CONFLICT DO NOTHING"
CROSSED = "SELECT place, by FROM crossed ORDER BY place"

SKIPPING = frozenset({"absent", "exists"})
"""Codes of rows that there is nothing to do for: told, but no reason to reject one."""


class Doubles:
    """Remembers every key of a file, and every record that it is about."""

    def __init__(self, directory: Path, rules: Rules) -> None:
        self._rules = rules
        self._scratch = Scratch(directory / FILE_NAME, TABLES)

    def sort_out(self, rows: Sequence[Entry | Wanted]) -> list[Entry | Wanted]:
        """The rows in their order; those that are not to be looked up, as an earlier one has their key, as entries."""
        keyed = [(row.key, row.line, hash(row.texts)) for row in rows if isinstance(row, Wanted) and row.names]
        connection = self._scratch.connection
        connection.execute("BEGIN")
        try:
            if connection.executemany(MEET, keyed).rowcount in (len(keyed), -1):
                return list(rows)  # every key is new, as nearly always
            return [self._of_earlier(row) or row if isinstance(row, Wanted) and row.names else row for row in rows]
        finally:
            connection.execute("COMMIT")

    def one_each(self, entries: Sequence[Entry]) -> list[Entry]:
        """The plan of rows in their order; of a record that an earlier one is about as well, at most one is left."""
        connection = self._scratch.connection
        connection.execute("BEGIN")
        try:
            return [self._reached(entry) or entry if entry.acts_on_record else entry for entry in entries]
        finally:
            connection.execute("COMMIT")

    def corrections(self, known: Callable[[int], tuple[Fault, ...]]) -> Iterator[Verdict]:
        """Rows that must not be written after all, since a later one has their key and says something else.

        `known` tells what is wrong with a line so far. Where the last one counts, that is named, else the first later.
        """
        by_key = REPLACED if self._rules.duplicates == "last" else CONTRADICTED
        for line, later in self._scratch.connection.execute(by_key):
            told = self._correction(line, later)
            found = [fault for fault in known(line) if fault.code not in SKIPPING]
            yield replace(told, faults=(*found, *(told.faults or ()))) if told.state == "rejected" else told

    def corrections_of_records(self) -> Iterator[Verdict]:
        """The same of single records, since a later row is about them, too."""
        for place, later in self._scratch.connection.execute(CROSSED):
            line, part = divmod(place, MOST_PARTS)
            yield self._correction(line, later, part)

    def close(self) -> None:
        """Forget them."""
        self._scratch.close()

    def _of_earlier(self, row: Wanted) -> Entry | None:
        """What becomes of a row whose key was met before; None when this is the first one, or counts in its place."""
        line, content = self._scratch.connection.execute(MET, (row.key,)).fetchone()
        if line == row.line:
            return None
        if content == hash(row.texts):
            return self._skipped(row, f"says the same as {in_words(line)}")
        if self._rules.duplicates == "first":
            return self._skipped(row, f"{in_words(line)} has the same key; the first one counts")
        self._scratch.connection.execute(CONTRADICT, (line, row.line, row.key))
        if self._rules.duplicates == "last":
            self._scratch.connection.execute(REPLACE, (row.line, hash(row.texts), row.key))
            return None
        fault = self._fault(_contradiction(line, "has the same key"))
        return Entry(row.line, "rejected", faults=(fault,), part=row.part)

    def _reached(self, entry: Entry) -> Entry | None:
        """What becomes of an entry whose record was reached before; None as `_of_earlier`."""
        connection = self._scratch.connection
        key, place, content = pack(entry.key or ()), place_of(entry.line, entry.part), hash(_content(entry))
        if connection.execute(REACH, (key, place, content)).rowcount == 1:
            return None
        earlier, said = connection.execute(REACHED, (key,)).fetchone()
        line = earlier // MOST_PARTS
        if said == content:
            return self._left(entry, "skipped", f"says the same of the record as {in_words(line)}")
        if self._rules.duplicates == "first":
            return self._left(entry, "skipped", f"{in_words(line)} is about the same record; the first one counts")
        connection.execute(CROSS, (earlier, entry.line))
        if self._rules.duplicates == "last":
            connection.execute(REACH_ANEW, (place, content, key))
            return None
        return self._left(entry, "rejected", _contradiction(line, "is about the same record"))

    def _correction(self, line: int, later: int, part: int | None = None) -> Verdict:
        """Of a whole line, or of one record of it."""
        is_same = "has the same key" if part is None else "is about the same record"
        if self._rules.duplicates == "last":
            state, message = "skipped", f"{in_words(later)} counts in its place"
        else:
            state, message = "rejected", _contradiction(later, is_same)
        return Verdict(line, state, faults=(self._fault(message),), part=part or 0)

    def _skipped(self, row: Wanted, message: str) -> Entry:
        return Entry(row.line, "skipped", faults=(self._fault(message, row.names),), part=row.part)

    def _left(self, entry: Entry, state: str, message: str) -> Entry:
        return replace(entry, state=state, action="", values={}, changes={}, faults=(self._fault(message),))

    def _fault(self, message: str, names: Sequence[str] = ()) -> Fault:
        return Fault("match", ", ".join(names or self._rules.match), "double", message)


def _contradiction(other: int, is_same: str) -> str:
    return f"{in_words(other)} {is_same} and says something else; nobody knows which is right"


def _content(entry: Entry) -> tuple[object, ...]:
    """What is to be done with the record."""
    return (entry.action, *sorted((name, canonical(value)) for name, value in entry.wanted.items()))
