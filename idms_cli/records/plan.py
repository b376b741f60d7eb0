"""The first half of a run: every row is classified into the journal, and nothing is written to the site."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from idms_cli.errors import RecordRefused, SiteError, Unreachable
from idms_cli.files import BrokenRow, Row
from idms_cli.imis.kinds import Kind
from idms_cli.records.entry import Entry, Verdict
from idms_cli.records.faults import Fault
from idms_cli.records.journal import Journal
from idms_cli.records.mapping import BoundMapping
from idms_cli.records.matching import Rules, Values, classify, content_digest, digest, match_values
from idms_cli.records.patience import Patience
from idms_cli.records.window import Window

CHUNK = 200
"""Rows that are planned in one transaction of the journal."""


@dataclass(frozen=True)
class Wanted:
    """A mapped row that has to be looked up."""

    line: int
    values: Values
    match: Values


class Planner:
    """Plans the rows of one file."""

    def __init__(self, kind: Kind, mapping: BoundMapping, rules: Rules, journal: Journal) -> None:
        self._kind = kind
        self._mapping = mapping
        self._rules = rules
        self._journal = journal
        self._patience = Patience()
        self._doubles: dict[int, int] = {}
        """Line of the first row of a key -> line of a later row that says something else for the same key."""

    def plan(self, rows: Iterable[Row | BrokenRow], window: Window, *, tell: Callable[[int], None]) -> bool:
        """Plan all rows; `tell` is given the number of rows read after each chunk, and raises to stop.

        Raises what ends the whole run: `LoginRefused`, `Unreachable`, `IdmsError` for `on_multiple: error`.
        """
        read = 0
        source = iter(rows)
        while chunk := list(islice(source, CHUNK)):
            entries = self._plan_chunk(chunk, window)
            self._journal.begin_batch()
            self._journal.add(entries)
            self._journal.end_batch()
            read += len(chunk)
            tell(read)
        return read > 0

    def corrections(self) -> Iterator[Verdict]:
        """Rows that must not be written after all, since a later row contradicts them."""
        for first, second in self._doubles.items():
            yield Verdict(first, "rejected", faults=(_double(self._rules, second),))

    def _plan_chunk(self, chunk: Sequence[Row | BrokenRow], window: Window) -> list[Entry]:
        self._journal.begin_batch()
        prepared = [self._prepare(row) for row in chunk]
        self._journal.end_batch()
        wanted = [row for row in prepared if isinstance(row, Wanted)]
        settled = [row for row in prepared if isinstance(row, Entry)]
        return settled + window.each(self._look_up, wanted)

    def _prepare(self, row: Row | BrokenRow) -> Entry | Wanted:
        """Everything that needs no call: reading, mapping, doubles within the file."""
        if isinstance(row, BrokenRow):
            return _rejected(row.line, Fault("read", "", row.code, row.message))
        mapped = self._mapping.values(row.cells)
        if mapped.faults:
            return _rejected(row.line, *mapped.faults)
        if not self._rules.match:
            return Wanted(row.line, mapped.values, {})
        match = match_values(mapped.values, self._rules)
        if isinstance(match, Fault):
            return _rejected(row.line, match)
        return self._double_of_earlier(row.line, mapped.values, match) or Wanted(row.line, mapped.values, match)

    def _double_of_earlier(self, line: int, values: Values, match: Values) -> Entry | None:
        met = self._journal.meet(digest(match), line, content_digest(values))
        if met is None:
            return None
        first, same = met
        if same:
            fault = Fault("match", ", ".join(match), "double", f"says the same as line {first}")
            return Entry(line, "skipped", faults=(fault,))
        self._doubles.setdefault(first, line)
        return _rejected(line, _double(self._rules, first))

    def _look_up(self, wanted: Wanted) -> Entry:
        try:
            found = self._kind.find(wanted.match) if wanted.match else []
        except RecordRefused as refused:
            return _rejected(wanted.line, *(Fault("match", "", refused.code, reason) for reason in refused.reasons))
        except (Unreachable, SiteError) as error:
            self._patience.lose(error)
            return _rejected(wanted.line, Fault("match", "", "site-error", str(error)))
        self._patience.regain()
        return classify(wanted.line, wanted.values, wanted.match, found, self._rules)


def _rejected(line: int, *faults: Fault) -> Entry:
    return Entry(line, "rejected", faults=faults)


def _double(rules: Rules, other: int) -> Fault:
    message = f"line {other} has the same key and says something else; nobody knows which is right"
    return Fault("match", ", ".join(rules.match), "double", message)
