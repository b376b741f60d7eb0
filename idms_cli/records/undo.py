"""Taking a run back: what it changed or deleted is restored from the journal, unless somebody has changed it since."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from idms_cli.codes import Code
from idms_cli.errors import RecordRefused, SiteError, Unreachable
from idms_cli.imis.kinds import Choosy, Kind, Record, key_in_words
from idms_cli.imis.properties import Property, Value
from idms_cli.imis.values import same
from idms_cli.records.conversions import show
from idms_cli.records.entry import Entry
from idms_cli.records.faults import Fault
from idms_cli.records.journal import Journal
from idms_cli.records.matching import searchable
from idms_cli.records.patience import Patience
from idms_cli.records.window import Window


@dataclass(frozen=True)
class TakeBack:
    """What cannot be taken back of a kind of record."""

    why_not_delete: str = ""
    """Why its records cannot be removed again; empty when they can."""
    put_back_with: tuple[str, ...] = ()
    """Properties without which a deleted record cannot be made again."""


class UndoPlanner:
    """Plans, in the journal of a new run, what takes an older run back."""

    def __init__(self, kind: Kind, older: Journal, journal: Journal, take_back: TakeBack) -> None:
        self._kind = kind
        self._older = older
        self._journal = journal
        self._take_back = take_back
        self._patience = Patience()

    def plan(self, window: Window, *, tell: Callable[[int], None]) -> None:
        """Look at every record that the older run wrote. `tell` is given the number so far, and raises to stop."""
        read = line = part = 0
        for entries in self._older.todo("done", window=200):
            planned = []
            for entry in window.each(self._look, entries):
                part = part + 1 if entry.line == line else 0  # of what is taken back, counted anew
                line = entry.line
                planned.append(replace(entry, part=part))
            with self._journal.transaction():
                self._journal.add(planned)
            read += len(entries)
            tell(read)

    def _look(self, done: Entry) -> Entry:
        try:
            if done.action == "delete":
                return self._put_back(done)
            record = self._find(done)
        except RecordRefused as refused:
            return _left(done, refused.code, str(refused))
        except (Unreachable, SiteError) as error:
            if self._patience.lose():
                raise
            return replace(_left(done, "site-error", str(error)), state="rejected")
        self._patience.regain()
        if record is None:
            return _left(done, "gone", "the record is no longer there")
        planned = self._take_back_insert(done, record) if done.action == "insert" else self._restore(done, record)
        return self._writable(planned, record)

    def _writable(self, planned: Entry, record: Record) -> Entry:
        if planned.state == "planned" and isinstance(self._kind, Choosy):
            try:
                self._kind.refuse_write(record, planned.wanted)
            except RecordRefused as refused:
                return _left(planned, refused.code, str(refused))
        return planned

    def _find(self, done: Entry) -> Record | None:
        """By its key; a record whose number the site did not tell when it was made, by what it can be found by."""
        if done.key and all(done.key):
            return self._kind.read(done.key)
        found = self._kind.find(done.match or done.values)
        return found[0] if len(found) == 1 else None

    def _put_back(self, done: Entry) -> Entry:
        """Made again from what is known of it; the site gives it a new number where it gives numbers."""
        properties = self._kind.properties()
        values = {name: old for name, (old, _) in done.changes.items() if not _is_given(properties.get(name))}
        missing = [name for name in self._take_back.put_back_with if name not in values]
        if missing:
            return _left(done, "required", f"it cannot be made again: it had no {', '.join(missing)}, or several")
        match = self._known_by(values)
        found = self._kind.find(match)
        self._patience.regain()
        if found:
            return _left(done, "exists", f"there is such a record already: {key_in_words(found[0].key)}")
        changes: Mapping[str, tuple[Value, Value]] = {name: (None, value) for name, value in values.items()}
        return Entry(done.line, "planned", "insert", match=match, values=values, changes=changes)

    def _known_by(self, values: Mapping[str, Value]) -> Mapping[str, Value]:
        """By its key, where that is not the site's to give; else by all that one can search by."""
        properties = self._kind.properties()
        keys = [name for name, one in properties.items() if one.key]
        if keys and all(name in values for name in keys):
            return {name: values[name] for name in (*keys, *self._take_back.put_back_with)}
        return searchable(values)

    def _take_back_insert(self, done: Entry, record: Record) -> Entry:
        if self._take_back.why_not_delete:
            return _left(done, "not-deletable", self._take_back.why_not_delete)
        changed = [name for name, value in done.values.items() if not same(value, record.values.get(name))]
        if changed:
            return _changed_since(done, record, changed)
        changes: Mapping[str, tuple[Value, Value]] = {name: (value, None) for name, value in done.values.items()}
        return Entry(done.line, "planned", "delete", key=record.key, match=done.match, changes=changes)

    def _restore(self, done: Entry, record: Record) -> Entry:
        """Each property that still has what the run wrote gets back what it had before."""
        kept, others = [], []
        for name, (old, new) in done.changes.items():
            if same(new, record.values.get(name)):
                kept.append(name)
            elif not same(old, record.values.get(name)):
                others.append(name)
        properties = self._kind.properties()
        lasting = [name for name in kept if done.changes[name][0] in (None, "") and _is_required(properties.get(name))]
        faults = (*_faults(record, others), *self._never_blank(lasting))
        values = {name: done.changes[name][0] for name in kept if name not in lasting}
        if not values:
            return Entry(done.line, "skipped" if faults else "unchanged", key=record.key, faults=faults)
        changes = {name: (record.values.get(name), old) for name, old in values.items()}
        return Entry(done.line, "planned", "update", key=record.key, values=values, changes=changes, faults=faults)

    def _never_blank(self, names: Iterable[str]) -> Iterator[Fault]:
        why = f": {self._take_back.why_not_delete}" if self._take_back.why_not_delete else ""
        for name in names:
            message = f"{name} was blank before, and cannot be made blank again{why}"
            yield Fault("plan", name, "not-deletable", message)


def _is_required(target: Property | None) -> bool:
    return target is not None and target.required


def _is_given(target: Property | None) -> bool:
    """Whether the site alone says what stands there."""
    return target is None or target.read_only


def _changed_since(done: Entry, record: Record, names: Iterable[str]) -> Entry:
    return Entry(done.line, "skipped", key=record.key, faults=_faults(record, names))


def _faults(record: Record, names: Iterable[str]) -> tuple[Fault, ...]:
    return tuple(
        Fault("plan", name, "changed-since", f"{name} has been changed since, to '{show(record.values.get(name))}'")
        for name in names
    )


def _left(done: Entry, code: Code, message: str) -> Entry:
    return Entry(done.line, "skipped", key=done.key, faults=(Fault("plan", "", code, message),))
