"""The first half of a run: every row is classified into the journal, and nothing is written to the site."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from types import MappingProxyType

from idms_cli.errors import InputError, RecordRefused, SiteError, Unreachable
from idms_cli.files import BrokenRow, Row
from idms_cli.files.places import in_words
from idms_cli.records.canonical import fold, texts_of
from idms_cli.records.doubles import Doubles, contradiction
from idms_cli.records.entry import Entry, Verdict
from idms_cli.records.faults import Fault, read_fault
from idms_cli.records.journal import Journal
from idms_cli.records.lookup import Lookup, Wanted
from idms_cli.records.mapping import BoundMapping
from idms_cli.records.matching import Rules, classify, match_names
from idms_cli.records.patience import Patience
from idms_cli.records.window import Window

CHUNK = 500
"""Rows that are planned in one transaction of the journal."""
MOST_HELD = 2000
"""Records that are held in memory; some rows of a chunk may act on very many."""
NONE_ALIKE: Mapping[int, str] = MappingProxyType({})


class Planner:
    """Plans the rows of one file."""

    def __init__(self, lookup: Lookup, mapping: BoundMapping, rules: Rules, journal: Journal, doubles: Doubles) -> None:
        self._lookup = lookup
        self._mapping = mapping
        self._rules = rules
        self._journal = journal
        self._doubles = doubles
        self._patience = Patience()
        self._match_at = [mapping.properties.index(name) for name in rules.match]

    def plan(self, rows: Iterable[Row | BrokenRow], window: Window, *, tell: Callable[[int], None]) -> None:
        """Plan all rows; `tell` is given the number of rows planned so far, often, and raises to stop.

        Raises what ends the whole run: `LoginRefused`, `Unreachable`, `IdmsError` for `on_multiple: error`.
        """
        planned = 0
        source = iter(rows)
        in_order = window.stream if self._lookup.parallel else map
        while chunk := list(islice(source, CHUNK)):
            prepared = self._doubles.sort_out([self._prepare(row) for row in chunk])
            alike = self._alike(prepared)
            planned += len(alike)
            entries: list[Entry] = []
            for of_row in in_order(self._classify, [row for row in prepared if row.line not in alike]):
                planned += 1
                entries += of_row
                if len(entries) > MOST_HELD:
                    self._keep(entries)
                    entries = []
                tell(planned)
            self._keep(entries, alike)
            if alike:
                tell(planned)

    def corrections(self) -> Iterator[Verdict]:
        """Rows that must not be written after all, since a later row contradicts them."""
        for line, later in self._doubles.contradicted():
            if self._rules.duplicates == "last":
                fault = Fault("match", ", ".join(self._rules.match), "double", f"{in_words(later)} counts in its place")
                yield Verdict(line, "skipped", faults=(fault,))
            else:
                yield Verdict(line, "rejected", faults=(*self._journal.faults(line), contradiction(self._rules, later)))

    def _prepare(self, row: Row | BrokenRow) -> Entry | Wanted:
        """Everything that needs neither a call nor the other rows: reading and mapping."""
        if isinstance(row, BrokenRow):
            return _rejected(row.line, read_fault(row))
        mapped = self._mapping.values(row.cells)
        if mapped.faults:
            return _rejected(row.line, *mapped.faults)
        if not self._rules.match:
            return Wanted(row.line, mapped.values, ())
        names = match_names(mapped.values, self._rules)
        if isinstance(names, Fault):
            return _rejected(row.line, names)
        texts = texts_of(mapped.values, self._mapping.properties)
        return Wanted(row.line, mapped.values, names, fold([texts[index] or "" for index in self._match_at]), texts)

    def _alike(self, prepared: Sequence[Entry | Wanted]) -> Mapping[int, str]:
        """Rows that are unchanged, as is seen without taking their records apart: line -> packed key."""
        if not self._rules.alike_is_unchanged:
            return {}
        return self._lookup.alike([row for row in prepared if isinstance(row, Wanted)])

    def _keep(self, entries: Sequence[Entry], alike: Mapping[int, str] = NONE_ALIKE) -> None:
        with self._journal.transaction():
            self._journal.add_unchanged(alike)
            self._journal.add(entries)

    def _classify(self, prepared: Entry | Wanted) -> list[Entry]:
        return self._look_up(prepared) if isinstance(prepared, Wanted) else [prepared]

    def _look_up(self, wanted: Wanted) -> list[Entry]:
        try:
            found = self._lookup.find(wanted) if wanted.names else []
        except InputError as error:
            if wanted.names == self._rules.match:
                raise  # the job's own mistake: no row can be found so
            return [_rejected(wanted.line, Fault("match", ", ".join(wanted.names), "blank-match", str(error)))]
        except RecordRefused as refused:
            self._patience.regain()
            return [_rejected(wanted.line, *(Fault("match", "", refused.code, reason) for reason in refused.reasons))]
        except (Unreachable, SiteError) as error:
            if self._patience.lose():
                raise
            return [_rejected(wanted.line, Fault("match", "", "site-error", str(error)))]
        self._patience.regain()
        return classify(wanted.line, wanted.values, wanted.match, found, self._rules)


def _rejected(line: int, *faults: Fault) -> Entry:
    return Entry(line, "rejected", faults=faults)
