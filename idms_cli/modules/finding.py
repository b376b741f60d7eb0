"""How a run finds the records that its rows match: one call for each, or whole pages where these are fewer."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from itertools import islice

from idms_cli.files import Row, Table
from idms_cli.imis.kinds import Kind, Whole
from idms_cli.imis.properties import Value
from idms_cli.modules import RunContext
from idms_cli.records.apply import Absent
from idms_cli.records.canonical import canonical, fold
from idms_cli.records.lookup import Lookup, OneByOne, Snapshot, Wanted, snapshot_pays
from idms_cli.records.mapping import BoundMapping
from idms_cli.records.matching import Rules
from idms_cli.records.plan import names_of


class Finding:
    """See the module."""

    def __init__(self, kind: Kind, rules: Rules, context: RunContext, *, read: str, page_size: int) -> None:
        """`read`: record, snapshot or auto."""
        self._kind = kind
        self._rules = rules
        self._context = context
        self._read = read
        self._page_size = page_size

    def lookup(self, table: Table, mapping: Callable[[], BoundMapping]) -> AbstractContextManager[Lookup]:
        """For planning the rows of a table."""
        rules = self._rules
        if rules.match and self._reads_pages(lambda: self._to_look_up(table, mapping())):
            names = names_of(mapping(), rules)
            if rules.action == "delete":  # the journal keeps all of what is deleted
                names = tuple(dict.fromkeys((*names, *rules.properties)))
            return closing(self._snapshot(names))
        return closing(OneByOne(self._kind, every=rules.on_multiple == "all"))

    @contextmanager
    def absent(self, inserts: int) -> Iterator[Absent]:
        """For so many inserts that were planned before, and have to be looked for once more.

        What is not known to be absent has to be asked for.
        """
        if not inserts or not self._rules.match or not self._reads_pages(lambda: range(inserts)):
            yield lambda _: False
            return
        with closing(self._snapshot(self._rules.match)) as snapshot:
            yield lambda match: tuple(match) == self._rules.match and not snapshot.find(_wanted(match))

    def looks(self, inserts: int) -> int:
        """The calls that it takes to look for so many inserts once more."""
        if not self._rules.match or not inserts:
            return 0
        kind = self._kind
        if isinstance(kind, Whole) and self._reads_pages(lambda: range(inserts)):
            return -(-kind.size() // self._page_size)
        return inserts

    def _snapshot(self, names: Sequence[str]) -> Snapshot:
        assert isinstance(self._kind, Whole)  # noqa: S101 - `_reads_pages` said so
        snapshot = Snapshot(self._context.directory, self._rules.match, names, self._rules.properties)
        number = snapshot.read(self._kind, stopping=self._context.stopping)
        why = "fewer calls than one for each row" if self._read == "auto" else "as the job says"
        self._context.log(f"read all {number:,} records of {self._kind.entity}: {why}")
        return snapshot

    def _reads_pages(self, rows: Callable[[], Iterable[object]]) -> bool:
        kind = self._kind
        if not isinstance(kind, Whole) or self._read == "record":
            return False
        if self._read == "auto":
            return kind.is_read_whole_unasked and snapshot_pays(rows(), kind, self._page_size)
        return True

    def _to_look_up(self, table: Table, mapping: BoundMapping) -> Iterator[object]:
        """The rows whose records have to be found."""
        rows = islice(table.rows(), self._context.row_limit)
        if not (self._rules.current_is_unchanged and mapping.tells_current):
            return rows
        whole = (row for row in rows if isinstance(row, Row))
        return (row for row in whole if not mapping.is_current(row.cells, mapping.values(row.cells).values))


def _wanted(match: Mapping[str, Value]) -> Wanted:
    texts = [canonical(value) for value in match.values()]
    return Wanted(0, match, tuple(match), fold(texts))
