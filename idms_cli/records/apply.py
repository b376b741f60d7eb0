"""The second half of a run: what was planned is written, each record journalled before and after."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from idms_cli.errors import IdmsError, LoginRefused, OutcomeUnknown, RecordRefused, SiteError, Unreachable
from idms_cli.imis.kinds import Key, Kind, Record
from idms_cli.records.entry import Entry, Intent, Verdict
from idms_cli.records.faults import Fault
from idms_cli.records.journal import Journal
from idms_cli.records.matching import Rules, differences
from idms_cli.records.patience import Patience
from idms_cli.records.window import Item, Result, Window


@dataclass(frozen=True)
class Ready:
    """A record read afresh and about to be written."""

    entry: Entry
    record: Record | None
    """None for an insert."""


class Applier:
    """Writes the plan in a journal to the site."""

    def __init__(self, kind: Kind, rules: Rules, journal: Journal, *, settle_s: float) -> None:
        self._kind = kind
        self._rules = rules
        self._journal = journal
        self._settle_s = settle_s
        self._patience = Patience()

    def apply(self, window: Window, *, tell: Callable[[list[Verdict]], None]) -> None:
        """Write everything that is planned. `tell` is given the verdicts of each window, and raises to stop.

        Raises `LoginRefused`, and `Unreachable` when the site fails several records in a row. What had been sent by
        then is in the journal.
        """
        for entries in self._journal.todo("sending", window=window.width):
            results = window.each(_caught(self._resolve), entries)
            self._journal.checkpoint(_verdicts(results), [])
            tell(_verdicts(results))
            _raise_first(results)
        behind: list[Verdict] = []
        try:
            for entries in self._journal.todo("planned", window=window.width):
                prepared = window.each(_caught(self._prepare), entries)
                _raise_first(prepared)
                ready = [each for each in prepared if isinstance(each, Ready)]
                self._journal.checkpoint(behind, [_intent(each) for each in ready])
                results = window.each(_caught(self._write), ready)
                behind = _verdicts(prepared) + _verdicts(results) + _not_sent(ready, results)
                tell(behind)
                _raise_first(results)
        finally:
            self._journal.checkpoint(behind, [])

    def _prepare(self, entry: Entry) -> Ready | Verdict:
        """Read the record afresh: others may have changed it since the plan, and their changes must survive."""
        if entry.action == "insert":
            return Ready(entry, None)
        try:
            record = self._kind.read(entry.key or ())
        except RecordRefused as refused:
            return _refused(entry, refused)
        except (Unreachable, SiteError) as error:
            self._patience.lose(error)
            return _failed(entry, "site-error", str(error))
        self._patience.regain()
        if record is None:
            return _failed(entry, "gone", "the record is no longer there")
        if self._rules.only_changes and not differences(entry.values, record, self._rules):
            state = "done" if entry.sent_at else "unchanged"  # sent before the run died, or done by others
            return Verdict(entry.line, state, entry.action)
        return Ready(entry, record)

    def _write(self, ready: Ready) -> Verdict:
        try:
            verdict = self._insert(ready.entry) if ready.record is None else self._update(ready.entry, ready.record)
        except RecordRefused as refused:
            self._patience.regain()
            return _refused(ready.entry, refused)
        except (Unreachable, SiteError) as error:
            self._patience.lose(error)
            return _failed(ready.entry, "site-error", str(error))
        self._patience.regain()
        return verdict

    def _update(self, entry: Entry, record: Record) -> Verdict:
        changes = differences(entry.values, record, self._rules)
        wanted = {name: new for name, (_, new) in changes.items()} if self._rules.only_changes else entry.values
        self._kind.update(record, wanted)
        return Verdict(entry.line, "done", entry.action, changes=changes)

    def _insert(self, entry: Entry) -> Verdict:
        """Create the record, and when the answer was lost look for it before doing it again, once."""
        last = ""
        for _ in range(2):
            try:
                return Verdict(entry.line, "done", entry.action, key=self._kind.insert(entry.values))
            except OutcomeUnknown as unknown:
                if not entry.match:
                    return _unknown(entry, unknown)
                try:
                    found = self._look_after(entry, unknown)
                except (Unreachable, SiteError) as error:
                    return _unknown(entry, error)
                if found is not None:
                    return Verdict(entry.line, "done", entry.action, key=found)
                last = str(unknown)
        return _failed(entry, "server-error", last)

    def _look_after(self, entry: Entry, unknown: OutcomeUnknown) -> Key | None:
        """Whether a create that got no clear answer was carried out.

        Without any answer the site may still be at it, so that looking at once would not see it: settle first.
        """
        if unknown.status is None:
            time.sleep(self._settle_s)
        return self._find(entry)

    def _find(self, entry: Entry) -> Key | None:
        found = self._kind.find(entry.match)
        return found[0].key if found else None

    def _resolve(self, entry: Entry) -> Verdict:
        """A record that was in flight when the last attempt died: was it written?"""
        if entry.action == "update":
            return Verdict(entry.line, "planned", entry.action)  # it names its record: look, and do it again
        if not entry.match:
            return _unknown(entry, OutcomeUnknown("The run died while this record was being sent."))
        waited = time.time() - (entry.sent_at or 0)  # the wall clock: monotonic time does not outlive a reboot
        time.sleep(min(self._settle_s, max(0.0, self._settle_s - waited)))
        found = self._find(entry)
        return Verdict(entry.line, "planned" if found is None else "done", entry.action, key=found)


def _intent(ready: Ready) -> Intent:
    return Intent(ready.entry.line, ready.record.body if ready.record else None, time.time())


def _refused(entry: Entry, refused: RecordRefused) -> Verdict:
    faults = tuple(Fault("send", "", refused.code, reason) for reason in refused.reasons)
    return Verdict(entry.line, "rejected", entry.action, faults=faults)


def _failed(entry: Entry, code: str, message: str) -> Verdict:
    return Verdict(entry.line, "rejected", entry.action, faults=(Fault("send", "", code, message),))


def _unknown(entry: Entry, error: Exception) -> Verdict:
    return _failed(entry, "unknown", f"{error} It may have been stored: look before sending it again.")


def _caught(work: Callable[[Item], Result]) -> Callable[[Item], Result | IdmsError]:
    """An error that ends the run must not hide what became of the other records of the same window."""

    def attempt(item: Item) -> Result | IdmsError:
        try:
            return work(item)
        except IdmsError as error:
            return error

    return attempt


def _verdicts(results: Sequence[object]) -> list[Verdict]:
    return [result for result in results if isinstance(result, Verdict)]


def _not_sent(ready: Sequence[Ready], results: Sequence[object]) -> list[Verdict]:
    """Records whose request never reached the site's hands: planned, as before."""
    pairs = zip(ready, results, strict=True)
    return [
        Verdict(each.entry.line, "planned", each.entry.action)
        for each, result in pairs
        if isinstance(result, LoginRefused | Unreachable)
    ]


def _raise_first(results: Sequence[object]) -> None:
    for result in results:
        if isinstance(result, IdmsError):
            raise result
