"""The first half of a run: every row is classified into the journal, and nothing is written to the site."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from idms_cli.errors import InputError, RecordRefused, SiteError, Unreachable
from idms_cli.files import BrokenRow, Row
from idms_cli.files.places import in_words
from idms_cli.records.entry import Entry, Verdict
from idms_cli.records.faults import Fault, read_fault
from idms_cli.records.journal import Journal
from idms_cli.records.lookup import Lookup
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

    def __init__(self, lookup: Lookup, mapping: BoundMapping, rules: Rules, journal: Journal) -> None:
        self._lookup = lookup
        self._mapping = mapping
        self._rules = rules
        self._journal = journal
        self._patience = Patience()
        self._replaced: list[tuple[int, int]] = []
        """Line of a row, and of the later one of the same key that counts in its place."""
        self._doubles: dict[int, int] = {}
        """Line of the first row of a key -> line of a later row that says something else for the same key."""

    def plan(self, rows: Iterable[Row | BrokenRow], window: Window, *, tell: Callable[[int], None]) -> None:
        """Plan all rows; `tell` is given the number of rows planned so far after each, and raises to stop.

        Raises what ends the whole run: `LoginRefused`, `Unreachable`, `IdmsError` for `on_multiple: error`.
        """
        planned = 0
        source = iter(rows)
        while chunk := list(islice(source, CHUNK)):
            with self._journal.transaction():
                prepared = [self._prepare(row) for row in chunk]
            entries: list[Entry] = []
            in_order = window.stream if self._lookup.parallel else map
            for entry in in_order(self._classify, prepared):
                entries.append(entry)
                tell(planned + len(entries))
            with self._journal.transaction():
                self._journal.add(entries)
            planned += len(entries)

    def corrections(self) -> Iterator[Verdict]:
        """Rows that must not be written after all, since a later row contradicts them."""
        for first, second in self._replaced:
            fault = Fault("match", ", ".join(self._rules.match), "double", f"{in_words(second)} counts in its place")
            yield Verdict(first, "skipped", faults=(fault,))
        for first, second in self._doubles.items():
            yield Verdict(first, "rejected", faults=(*self._journal.faults(first), _double(self._rules, second)))

    def _prepare(self, row: Row | BrokenRow) -> Entry | Wanted:
        """Everything that needs no call: reading, mapping, doubles within the file."""
        if isinstance(row, BrokenRow):
            return _rejected(row.line, read_fault(row))
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
        if not same and self._rules.duplicates == "last":
            self._journal.meet_again(digest(match), line, content_digest(values))
            self._replaced.append((first, line))
            return None
        if not same and self._rules.duplicates == "first":
            fault = Fault(
                "match", ", ".join(match), "double", f"{in_words(first)} has the same key; the first one counts"
            )
            return Entry(line, "skipped", faults=(fault,))
        if same:
            fault = Fault("match", ", ".join(match), "double", f"says the same as {in_words(first)}")
            return Entry(line, "skipped", faults=(fault,))
        self._doubles.setdefault(first, line)
        return _rejected(line, _double(self._rules, first))

    def _classify(self, prepared: Entry | Wanted) -> Entry:
        return self._look_up(prepared) if isinstance(prepared, Wanted) else prepared

    def _look_up(self, wanted: Wanted) -> Entry:
        try:
            found = self._lookup.find(wanted.match) if wanted.match else []
        except InputError as error:
            if len(wanted.match) == len(self._rules.match):
                raise  # the job's own mistake: no row can be found so
            return _rejected(wanted.line, Fault("match", ", ".join(wanted.match), "blank-match", str(error)))
        except RecordRefused as refused:
            self._patience.regain()
            return _rejected(wanted.line, *(Fault("match", "", refused.code, reason) for reason in refused.reasons))
        except (Unreachable, SiteError) as error:
            if self._patience.lose():
                raise
            return _rejected(wanted.line, Fault("match", "", "site-error", str(error)))
        self._patience.regain()
        return classify(wanted.line, wanted.values, wanted.match, found, self._rules)


def _rejected(line: int, *faults: Fault) -> Entry:
    return Entry(line, "rejected", faults=faults)


def _double(rules: Rules, other: int) -> Fault:
    message = f"{in_words(other)} has the same key and says something else; nobody knows which is right"
    return Fault("match", ", ".join(rules.match), "double", message)
