"""The second half of a run: what was planned is written, each record journalled before and after."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from typing import TypeVar

from idms_cli.codes import Code
from idms_cli.errors import IdmsError, OutcomeUnknown, RecordRefused, SiteError, Unreachable, Unsure
from idms_cli.imis.kinds import Kind, Record
from idms_cli.imis.properties import Value
from idms_cli.records.entry import Entry, Verdict
from idms_cli.records.faults import Fault
from idms_cli.records.flow import Flow, Ready, Steps, Told
from idms_cli.records.journal import Journal
from idms_cli.records.lost import LostInserts
from idms_cli.records.matching import Rules, already_there, changed_since, differences, what_goes
from idms_cli.records.patience import Patience
from idms_cli.records.window import Result, Window

READ_AHEAD = 100
"""Planned records that are held in memory."""

Absent = Callable[[Mapping[str, Value]], bool]
"""Whether it is known, without a call, that no record has these match values."""


def nothing_known(match: Mapping[str, Value]) -> bool:
    """An `Absent` that has to be asked for each."""
    del match
    return False


class Applier:
    """Writes the plan in a journal to the site."""

    def __init__(
        self, kind: Kind, rules: Rules, journal: Journal, *, settle_s: float, is_old_plan: bool = False
    ) -> None:
        """`is_old_plan`: an earlier attempt made the plan, and who knows who wrote what since."""
        self._kind = kind
        self._rules = rules
        self._journal = journal
        self._sought = LostInserts(kind, rules, settle_s=settle_s)
        self._is_old_plan = is_old_plan
        self._reading = Patience()
        self._writing = Patience()
        """Beside the other: a site that can be read, but stores nothing, is down as well."""

    def apply(self, window: Window, *, tell: Callable[[list[Verdict]], None], absent: Absent = nothing_known) -> None:
        """Write everything that is planned. `tell` is given the verdicts of each window, and raises to stop.

        Raises `LoginRefused`, `Unreachable` when the site fails several records in a row, and `Unsure` when nobody but
        a person can tell whether a record was stored: it stays `sending`. What had become of each record by then is in
        the journal, that of the other records of the same window too.
        """
        for entries in self._journal.todo("sending", window=window.width):
            resolved = window.each(_surely(self._resolve, "sending"), entries)
            self._journal.checkpoint(_verdicts(resolved), [])
            tell(_verdicts(resolved))
            _raise_first(resolved)
        if self._journal.in_question():
            raise Unsure("The run died while a record was being sent.")
        ready = partial(self._ready_at_once, absent=absent)
        steps = Steps(ready, _surely(self._prepare, "planned"), _surely(self._write, "sending"))
        Flow(window, self._journal, steps).run(self._planned(), tell=tell)

    def check(self, window: Window, *, absent: Absent = nothing_known) -> Iterator[Verdict]:
        """What could not be written as it is planned; writes nothing. Raises what ends the whole run."""
        unsure = (entry for entry in self._planned() if self._ready_at_once(entry, absent=absent) is None)
        for result in window.stream(_surely(self._prepare, "planned"), unsure):
            if isinstance(result, Told):
                _raise_first([result])
                yield result.verdict

    def _planned(self) -> Iterator[Entry]:
        return chain.from_iterable(self._journal.todo("planned", window=READ_AHEAD))

    def _ready_at_once(self, entry: Entry, *, absent: Absent) -> Ready | None:
        if entry.action != "insert":
            return None
        return Ready(entry, None) if not self._needs_look(entry) or absent(entry.match) else None

    def _needs_look(self, insert: Entry) -> bool:
        """Whether nobody has looked since a plan was made that is old, or was approved."""
        return (self._rules.exactly or self._is_old_plan) and bool(insert.match) and insert.sent_at is None

    def _prepare(self, entry: Entry) -> Ready | Told:
        """Read the record afresh: others may have changed it since the plan, and their changes must survive."""
        try:
            if entry.action == "insert":
                return self._prepare_insert(entry)
            record = self._kind.read(entry.key or ())
        except RecordRefused as refused:
            self._reading.regain()
            return Told(_refused(entry, refused))
        except (Unreachable, SiteError) as error:
            if ends := _end_of(error, self._reading):
                return Told(_planned(entry), ends)
            return Told(_failed(entry, "site-error", str(error)))
        self._reading.regain()
        return Told(_gone(entry)) if record is None else self._still_wanted(entry, record)

    def _still_wanted(self, entry: Entry, record: Record) -> Ready | Told:
        if self._rules.exactly and not entry.sent_at and (faults := changed_since(entry.changes, record)):
            return Told(entry.became("rejected", *faults))
        needless = entry.action == "update" and not differences(entry.values, record, self._rules)
        if needless and (self._rules.only_changes or entry.sent_at):
            state = "done" if entry.sent_at else "unchanged"  # sent before the run died, or done by others
            return Told(entry.became(state))
        return Ready(entry, record)

    def _prepare_insert(self, entry: Entry) -> Ready | Told:
        found = self._kind.find(entry.match) if self._needs_look(entry) else []
        self._reading.regain()
        if not found:
            return Ready(entry, None)
        if not self._rules.exactly and (settled := already_there(entry, found, self._rules)):
            return Told(settled)
        return Told(_failed(entry, "changed-since", "there was no such record when this was planned"))

    def _write(self, ready: Ready) -> Told:
        try:
            if ready.record is None:
                return self._insert(ready.entry)
            if ready.entry.action == "delete":
                return self._delete(ready.entry, ready.record)
            return self._update(ready.entry, ready.record)
        except RecordRefused as refused:
            return Told(_refused(ready.entry, refused), self._outage(refused))
        except IdmsError as error:
            return self._lost(ready, error)

    def _update(self, entry: Entry, record: Record) -> Told:
        changes = differences(entry.values, record, self._rules)
        changed = {name: new for name, (_, new) in changes.items()}
        wanted = changed if self._rules.only_changes else {**entry.values, **changed}
        self._kind.update(record, wanted)
        self._writing.regain()
        return Told(entry.became("done", changes=changes))

    def _delete(self, entry: Entry, record: Record) -> Told:
        self._kind.delete(record)
        self._writing.regain()
        return Told(entry.became("done", changes=what_goes(record)))

    def _insert(self, entry: Entry, *, again: bool = False) -> Told:
        try:
            key = self._kind.insert(entry.values)
        except OutcomeUnknown as unknown:
            return self._look_before_repeating(entry, unknown, again=again)
        except RecordRefused as refused:
            if not again:
                raise
            return Told(_unknown(entry, refused))  # what is in its way may be what the first try stored
        self._writing.regain()
        return Told(entry.became("done", key=key))

    def _look_before_repeating(self, entry: Entry, unknown: OutcomeUnknown, *, again: bool) -> Told:
        """A create that got no clear answer: is the record there? If not, do it again, once."""
        if not self._sought.can_be_found(entry):
            return self._ask(entry, unknown)
        if _is_outage(unknown):
            self._sought.settle(time.time())
        try:
            found = self._sought.find(entry)
        except Exception as error:  # whatever it is, the record may be there
            return Told(_unknown(entry, error), _end_of(error, self._reading))
        self._reading.regain()
        if found is not None:
            self._writing.regain()
            return Told(entry.became("done", key=found))
        if not again:
            return self._insert(entry, again=True)
        message = f"{unknown} It was looked for, and is not there."
        return Told(_failed(entry, "server-error", message), self._outage(unknown))

    def _ask(self, entry: Entry, unknown: OutcomeUnknown) -> Told:
        """Nothing would find it. A 500 costs its record only; where no answer came, the run stops there and asks."""
        if _is_outage(unknown):
            return Told(entry.became("sending"), Unsure(str(unknown)))
        return Told(_unknown(entry, unknown), self._outage(unknown))

    def _resolve(self, entry: Entry) -> Told:
        """A record that was in flight when the last attempt died: was it written?"""
        if entry.action != "insert":
            return Told(_planned(entry))  # it names its record: look, and do it again
        if not self._sought.can_be_found(entry):
            return Told(entry.became("sending"))
        self._sought.settle(entry.sent_at or 0)
        try:
            found = self._sought.find(entry)
        except Exception as error:
            return Told(_unknown(entry, error), _end_of(error, self._reading))
        self._reading.regain()
        return Told(entry.became("planned" if found is None else "done", key=found))

    def _lost(self, ready: Ready, error: IdmsError) -> Told:
        """A write that failed for no fault of its record.

        An insert was not carried out: else `_insert` says so. An update may have been, and then looked at in vain.
        """
        entry, ends = ready.entry, _end_of(error, self._writing)
        if ready.record is not None:
            return Told(_unknown(entry, error), ends)
        return Told(_planned(entry) if ends else _failed(entry, "site-error", str(error)), ends)

    def _outage(self, error: OutcomeUnknown | RecordRefused) -> Exception | None:
        """What ends the run when one record after the other is not stored, and it is not the records' fault."""
        if not _is_outage(error):
            self._writing.regain()
            return None
        if not self._writing.lose():
            return None
        return Unreachable(f"The site stores nothing now. {error}", hint="Look at the site, and try again later.")


def _end_of(error: Exception, patience: Patience) -> Exception | None:
    """`error` if it ends the run: at once, or as one too many in a row."""
    if isinstance(error, RecordRefused):
        return None
    if isinstance(error, Unreachable | SiteError):
        return error if patience.lose() else None
    return error


def _is_outage(error: OutcomeUnknown | RecordRefused) -> bool:
    """No answer, or one from a server in front of the site: unlike a 500, it is not the fault of one record."""
    settled = isinstance(error, RecordRefused) and error.code != "server-error"
    return not settled and error.status in (None, 502, 503, 504)


def _planned(entry: Entry) -> Verdict:
    return entry.became("planned")


def _gone(entry: Entry) -> Verdict:
    if entry.action != "delete":
        return _failed(entry, "gone", "the record is no longer there")
    if entry.sent_at:
        return entry.became("done")
    fault = Fault("send", "", "absent", "the record is no longer there")
    return entry.became("skipped", fault)


def _refused(entry: Entry, refused: RecordRefused) -> Verdict:
    faults = tuple(Fault("send", "", refused.code, reason) for reason in refused.reasons)
    return entry.became("rejected", *faults)


def _failed(entry: Entry, code: Code, message: str) -> Verdict:
    return entry.became("rejected", Fault("send", "", code, message))


def _unknown(entry: Entry, error: Exception) -> Verdict:
    return _failed(entry, "unknown", f"{error} It may have been stored: look before sending it again.")


Item = TypeVar("Item", Entry, Ready)


def _surely(work: Callable[[Item], Result], state: str) -> Callable[[Item], Result | Told]:
    """Even a bug met by one record must not hide what became of the others of its window: it stays in `state`."""

    def attempt(item: Item) -> Result | Told:
        try:
            return work(item)
        except Exception as bug:
            entry = item.entry if isinstance(item, Ready) else item
            return Told(entry.became(state), bug)

    return attempt


def _verdicts(results: Sequence[object]) -> list[Verdict]:
    return [result.verdict for result in results if isinstance(result, Told)]


def _raise_first(results: Sequence[object]) -> None:
    for result in results:
        if isinstance(result, Told) and result.ends:
            raise result.ends
