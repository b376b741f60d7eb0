"""The first half of a run: every row is classified into the journal, and nothing is written to the site."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from types import MappingProxyType
from typing import NamedTuple, TypeVar

from idms_cli.errors import InputError, RecordRefused, SiteError, Unreachable
from idms_cli.files import BrokenRow, Row
from idms_cli.imis.kinds import Choosy, Record
from idms_cli.records.canonical import fold, texts_of
from idms_cli.records.contacts import ContactFinder
from idms_cli.records.doubles import Doubles
from idms_cli.records.entry import Entry
from idms_cli.records.faults import Fault, read_fault
from idms_cli.records.journal import Journal
from idms_cli.records.lookup import Lookup, Wanted
from idms_cli.records.mapping import BoundMapping
from idms_cli.records.matching import Rules, Values, classify, match_names
from idms_cli.records.patience import Patience
from idms_cli.records.window import Window

CHUNK = 500
"""Rows that are planned in one transaction of the journal."""
MOST_HELD = 2000
"""Records that are held in memory; some rows of a chunk may act on very many."""
NONE_ALIKE: Mapping[int, str | None] = MappingProxyType({})


class Sources(NamedTuple):
    """Where a plan comes from, beside the rows."""

    lookup: Lookup
    mapping: BoundMapping
    contacts: ContactFinder | None = None
    """Finds the contact of each row, where the file does not know its ID."""
    choosy: Choosy | None = None
    """The kind of record, where not all of its records can be written."""


class OfContact(NamedTuple):
    """A mapped row whose contact has to be found first."""

    line: int
    values: Values
    contact: Values
    """What the contact is found by."""
    by: ContactFinder


Answer = TypeVar("Answer")


class Planner:
    """Plans the rows of one file."""

    def __init__(self, sources: Sources, rules: Rules, journal: Journal, doubles: Doubles) -> None:
        self._lookup, self._mapping, self._contacts, self._choosy = sources
        self._rules = rules
        self._journal = journal
        self._doubles = doubles
        self._patience = Patience()
        self._names = names_of(self._mapping, rules)
        self._trusts_rows = rules.current_is_unchanged and self._mapping.tells_current
        self._may_cross = rules.action != "insert" and bool(rules.match) and (self._lookup.parallel or rules.may_cross)
        self._match_at = [self._names.index(name) for name in rules.match]

    def plan(self, rows: Iterable[Row | BrokenRow], window: Window, *, tell: Callable[[int], None]) -> None:
        """Plan all rows; `tell` is given the number of rows planned so far, often, and raises to stop.

        Raises what ends the whole run: `LoginRefused`, `Unreachable`, `IdmsError` for `on_multiple: error`.
        """
        planned = 0
        source = iter(rows)
        in_order = window.stream if self._lookup.parallel else map
        while chunk := list(islice(source, CHUNK)):
            prepared = self._doubles.sort_out(self._prepared(chunk, window, tell=partial(tell, planned)))
            alike = self._alike(prepared)
            planned += len(alike)
            entries: list[Entry] = []
            for of_row in in_order(self._classify, [row for row in prepared if row.line not in alike]):
                planned += not of_row[0].part  # a further record of a row is no further row
                entries += of_row
                if len(entries) > MOST_HELD:
                    self._keep(entries)
                    entries = []
                tell(planned)
            self._keep(entries, alike)
            if alike:
                tell(planned)

    def _prepared(
        self, chunk: Sequence[Row | BrokenRow], window: Window, *, tell: Callable[[], None]
    ) -> list[Entry | Wanted]:
        """What each row wants, of each of its contacts; `tell` is called after each call."""
        if self._contacts is None:
            return [self._prepare(row) for row in chunk]
        found: list[Entry | Wanted] = []
        for of_row in window.stream(self._with_contact, [self._read(row, self._contacts) for row in chunk]):
            found += of_row
            tell()
        return found

    def _prepare(self, row: Row | BrokenRow) -> Entry | Wanted:
        """Everything that needs neither a call nor the other rows: reading and mapping."""
        if isinstance(row, BrokenRow):
            return _rejected(row.line, read_fault(row))
        mapped = self._mapping.values(row.cells)
        if mapped.faults:
            return _rejected(row.line, *mapped.faults)
        wanted = self._wanted(row.line, mapped.values)
        if self._trusts_rows and isinstance(wanted, Wanted) and wanted.names == self._rules.match:
            return wanted._replace(is_current=self._mapping.is_current(row.cells, mapped.values))
        return wanted

    def _read(self, row: Row | BrokenRow, contacts: ContactFinder) -> Entry | OfContact:
        """The same for a row whose contact is not known yet."""
        if isinstance(row, BrokenRow):
            return _rejected(row.line, read_fault(row))
        contact, mapped = contacts.wanted(row.cells), self._mapping.values(row.cells)
        if isinstance(contact, tuple):
            return _rejected(row.line, *contact, *mapped.faults)
        if mapped.faults:
            return _rejected(row.line, *mapped.faults)
        return OfContact(row.line, mapped.values, contact, contacts)

    def _with_contact(self, row: Entry | OfContact) -> list[Entry | Wanted]:
        """What a row wants of each contact that it is about."""
        if isinstance(row, Entry):
            return [row]
        found = self._answer(row.line, row.contact, partial(row.by.ids, row.line, row.contact), words=row.by.words)
        if isinstance(found, Entry | Fault):
            return [found if isinstance(found, Entry) else _rejected(row.line, found)]
        return [self._wanted(row.line, {**row.values, row.by.target: one}, part) for part, one in enumerate(found)]

    def _wanted(self, line: int, values: Values, part: int = 0) -> Entry | Wanted:
        if not self._rules.match:
            return Wanted(line, values, (), part=part)
        texts = texts_of(values, self._names)
        match = [texts[index] or "" for index in self._match_at]
        names = self._rules.match if all(match) else match_names(values, self._rules)
        if isinstance(names, Fault):
            return replace(_rejected(line, names), part=part)
        return Wanted(line, values, names, fold(match), texts, part)

    def _alike(self, prepared: Sequence[Entry | Wanted]) -> Mapping[int, str | None]:
        """Rows that are unchanged, as is seen without taking records apart: line -> packed key, if it is known."""
        if not self._rules.alike_is_unchanged or self._rules.may_cross:
            return {}
        wanted = [row for row in prepared if isinstance(row, Wanted)]
        if not self._trusts_rows:
            return self._lookup.alike(wanted)
        current = {row.line: None for row in wanted if row.is_current}
        return {**current, **self._lookup.alike([row for row in wanted if not row.is_current])}

    def _keep(self, entries: Sequence[Entry], alike: Mapping[int, str | None] = NONE_ALIKE) -> None:
        single = self._doubles.one_each(entries) if self._may_cross else entries
        with self._journal.transaction():
            self._journal.add_unchanged(alike)
            self._journal.add(single)

    def _classify(self, prepared: Entry | Wanted) -> list[Entry]:
        return self._look_up(prepared) if isinstance(prepared, Wanted) else [prepared]

    def _look_up(self, wanted: Wanted) -> list[Entry]:
        find = partial(self._lookup.find, wanted) if wanted.names else list[Record]
        found = self._answer(wanted.line, wanted.names, find, words=len(self._rules.match))
        if isinstance(found, Entry):
            return [replace(found, part=wanted.part)]
        entries = classify(wanted.line, wanted.values, wanted.match, found, self._rules)
        if self._choosy is not None:
            records = {record.key: record for record in found}
            entries = [self._writable(self._choosy, entry, records.get(entry.key or ())) for entry in entries]
        return [replace(entry, part=wanted.part) for entry in entries] if wanted.part else entries

    @staticmethod
    def _writable(choosy: Choosy, entry: Entry, record: Record | None) -> Entry:
        if entry.state != "planned":
            return entry
        try:
            choosy.refuse_write(record, entry.wanted)
        except RecordRefused as refused:
            faults = tuple(Fault("plan", "", refused.code, reason) for reason in refused.reasons)
            return Entry(entry.line, "rejected", key=entry.key, match=entry.match, faults=faults, part=entry.part)
        return entry

    def _answer(self, line: int, asked: Collection[str], find: Callable[[], Answer], *, words: int) -> Answer | Entry:
        """What the site says; the row is rejected when it says nothing. The job has so many `words` to ask by."""
        try:
            found = find()
        except InputError as error:
            if len(asked) == words:
                raise  # the job's own mistake: no row can be found so
            return _rejected(line, Fault("match", ", ".join(asked), "blank-match", str(error)))
        except RecordRefused as refused:
            self._patience.regain()
            return _rejected(line, *(Fault("match", "", refused.code, reason) for reason in refused.reasons))
        except (Unreachable, SiteError) as error:
            if self._patience.lose():
                raise
            return _rejected(line, Fault("match", "", "site-error", str(error)))
        self._patience.regain()
        return found


def names_of(mapping: BoundMapping, rules: Rules) -> tuple[str, ...]:
    """What is known of every row: the mapped properties, and the contact's ID where that is found first."""
    return tuple(dict.fromkeys((*mapping.properties, *rules.match)))


def _rejected(line: int, *faults: Fault) -> Entry:
    return Entry(line, "rejected", faults=faults)
