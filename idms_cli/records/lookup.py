"""How the records that rows match are found: asked for one by one, or read in whole pages beforehand."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import NamedTuple, Protocol

from idms_cli.errors import Interrupted
from idms_cli.imis.kinds import Key, Kind, Record, Whole
from idms_cli.imis.properties import Property, Value
from idms_cli.imis.values import same, typed
from idms_cli.records.canonical import canonical, fold, pack, unpack
from idms_cli.records.scratch import Scratch

FILE_NAME = "snapshot.db"
BATCH = 1000
CACHE_MB = 16
# match: its match values, folded; key, content: packed texts, of its key and of its values
TABLE = "CREATE TABLE record (match BLOB NOT NULL, key TEXT NOT NULL, content TEXT NOT NULL) STRICT"
ADD = "INSERT INTO record VALUES (?, ?, ?)"
INDEX = "CREATE INDEX record_match ON record (match)"
FIND = "SELECT match, key, content FROM record WHERE match IN ({})"
ALL = "SELECT key, content FROM record"

Packed = tuple[str, str]
"""Key and values of a record as they are kept."""


# A named tuple, because one is made for every row.
class Wanted(NamedTuple):
    """A mapped row that has to be looked up."""

    line: int
    values: Mapping[str, Value]
    names: tuple[str, ...]
    """What it is looked up by."""
    key: bytes = b""
    """Their values, folded."""
    texts: tuple[str | None, ...] = ()
    """The canonical texts of all mapped properties, in the order of the map; None for one that stays as it is."""
    part: int = 0
    """Which of the contacts to whom the row adds a record: 0, 1, ..."""
    is_current: bool = False
    """The row says itself that its record has all that already."""

    @property
    def match(self) -> Mapping[str, Value]:
        """The values to look it up by."""
        return {name: self.values[name] for name in self.names}


class Lookup(Protocol):
    """Finds records by the values of the match properties. Used from one thread or from several, as `parallel` says."""

    parallel: bool
    """Whether calls gain from being made at the same time."""

    def alike(self, rows: Sequence[Wanted]) -> Mapping[int, str]:
        """Line -> packed key, for rows whose only record is known to say already all that they say.

        The others have to be looked at one by one; these rows come first to `find` then.
        """

    def find(self, row: Wanted) -> list[Record]:
        """The records that have all values of `row.match`. May raise what `Kind.find` raises."""

    def close(self) -> None:
        """Give back what was needed for it."""


class OneByOne:
    """Asks the site for each row."""

    parallel = True

    def __init__(self, kind: Kind, *, every: bool = False) -> None:
        """`every`: a row wants all the records that it matches, however many."""
        self._kind = kind
        self._every = every

    def alike(self, rows: Sequence[Wanted]) -> Mapping[int, str]:  # noqa: ARG002  (the protocol's)
        """None are known before they are asked for."""
        return {}

    def find(self, row: Wanted) -> list[Record]:
        """As `Kind.find`."""
        return self._kind.find(row.match, every=self._every)

    def close(self) -> None:
        """Nothing to give back."""


class Snapshot:
    """Every record of the kind, read in whole pages and kept on disk: for many rows, far fewer calls.

    Values are kept as canonical texts, so that most rows are compared as they are, and found in one look for many.
    Only the mapped properties are kept; `Record.body` is None, since whoever writes a record reads it afresh.
    """

    parallel = False

    def __init__(
        self, directory: Path, match: Sequence[str], names: Sequence[str], properties: Mapping[str, Property]
    ) -> None:
        """`names` are the mapped properties in the order of the map, `match` some of them."""
        self._match = tuple(match)
        self._names = tuple(names)
        self._match_at = [self._names.index(name) for name in match]
        self._types = [properties[name].type for name in names]
        self._loose: frozenset[str] = frozenset()
        self._near: dict[bytes, list[Packed]] = {}
        """What the rows of one look match, by their keys."""
        self._scratch = Scratch(directory / FILE_NAME, TABLE, cache_mb=CACHE_MB)
        self._connection = self._scratch.connection

    def read(self, kind: Whole, *, stopping: Callable[[], bool]) -> int:
        """Read all records; returns how many there are. Raises `Interrupted` when asked to stop."""
        self._loose = frozenset(name for name in self._match if kind.is_loose(name))
        count = 0
        kept = map(self._kept, kind.all(self._names))
        while batch := list(islice(kept, BATCH)):
            self._connection.execute("BEGIN")
            self._connection.executemany(ADD, batch)
            self._connection.execute("COMMIT")
            count += len(batch)
            if stopping():
                raise Interrupted("the run was stopped")
        self._connection.execute(INDEX)
        return count

    def alike(self, rows: Sequence[Wanted]) -> Mapping[int, str]:
        """As `Lookup.alike`."""
        whole = [row for row in rows if row.names == self._match]
        self._look_up([row.key for row in whole])
        found = {}
        for row in whole:
            records = self._near[row.key]
            if len(records) == 1 and _says(records[0][1], row.texts):
                found[row.line] = records[0][0]
        return found

    def find(self, row: Wanted) -> list[Record]:
        """The records whose values equal all of `match`, exactly as the site itself would be asked."""
        match = row.match
        if row.names != self._match:
            return [record for record in self._all() if self._fits(record, match)]
        if row.key not in self._near:
            self._look_up([row.key])
        return [record for record in map(self._record, self._near[row.key]) if self._fits(record, match)]

    def close(self) -> None:
        """Remove it."""
        self._scratch.close()

    def _kept(self, record: tuple[Key, Mapping[str, Value]]) -> tuple[bytes, str, str]:
        key, values = record
        texts = [value if type(value) is str else canonical(value) for value in map(values.get, self._names)]
        return fold([texts[index] for index in self._match_at]), pack(key), pack(texts)

    def _look_up(self, keys: Sequence[bytes]) -> None:
        self._near = {key: [] for key in keys}
        for match, key, content in self._connection.execute(FIND.format(",".join("?" * len(keys))), keys):
            self._near[match].append((key, content))

    def _all(self) -> Iterable[Record]:
        with closing(self._connection.execute(ALL)) as rows:
            yield from map(self._record, rows)

    def _record(self, packed: Packed) -> Record:
        key, content = packed
        texts = zip(self._names, unpack(content), self._types, strict=True)
        return Record(tuple(unpack(key)), {name: typed(text, kind) for name, text, kind in texts}, None)

    def _fits(self, record: Record, match: Mapping[str, Value]) -> bool:
        return all(same(value, record.values.get(name), loose=name in self._loose) for name, value in match.items())


def snapshot_pays(rows: Iterable[object], kind: Whole, page_size: int) -> bool:
    """Whether whole pages are fewer calls than one for each row. Reads no more rows than it takes to know."""
    pages = -(-kind.size() // page_size)
    return sum(1 for _, _ in zip(range(pages + 1), rows, strict=False)) > pages


def _says(content: str, texts: tuple[str | None, ...]) -> bool:
    """Whether a record with this packed content has all these texts."""
    if None not in texts:
        return content == pack(texts)
    return all(text is None or text == kept for text, kept in zip(texts, unpack(content), strict=True))
