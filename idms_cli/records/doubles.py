"""Rows of one file that have the same key: found while it is planned, so that no two of them are written."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from idms_cli.files.places import in_words
from idms_cli.records.entry import Entry
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
"""
MEET = "INSERT INTO met (key, line, content) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
MET = "SELECT line, content FROM met WHERE key = ?"
REPLACE = "UPDATE met SET line = ?, content = ? WHERE key = ?"
CONTRADICT = "INSERT INTO contradicted (line, by, key) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
CONTRADICTED = "SELECT line, by FROM contradicted ORDER BY line"
REPLACED = "SELECT gone.line, met.line FROM contradicted AS gone JOIN met USING (key) ORDER BY gone.line"


class Doubles:
    """Remembers every key of a file."""

    def __init__(self, directory: Path, rules: Rules) -> None:
        self._rules = rules
        self._scratch = Scratch(directory / FILE_NAME, TABLES)
        self._keys = ", ".join(rules.match)

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

    def contradicted(self) -> Iterator[tuple[int, int]]:
        """Line of a row that does not count after all, and of the one that counts in its place.

        Where none of them counts: and of the first later one that says something else.
        """
        last = self._rules.duplicates == "last"
        yield from self._scratch.connection.execute(REPLACED if last else CONTRADICTED)

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
        return Entry(row.line, "rejected", faults=(contradiction(self._rules, line),), part=row.part)

    def _skipped(self, row: Wanted, message: str) -> Entry:
        fault = Fault("match", ", ".join(row.names), "double", message)
        return Entry(row.line, "skipped", faults=(fault,), part=row.part)


def contradiction(rules: Rules, other: int) -> Fault:
    """The fault of a row when the one in line `other` has its key and says something else."""
    message = f"{in_words(other)} has the same key and says something else; nobody knows which is right"
    return Fault("match", ", ".join(rules.match), "double", message)
