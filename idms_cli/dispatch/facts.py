"""What the history and the schedule know of one job at one moment: its slot there, or the slots around it."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from idms_cli.dispatch.coming import has_run, is_untested, why_never
from idms_cli.dispatch.planning import occurrences_of
from idms_cli.history.rows import Incident, JobRow, Pause, Run, Slot
from idms_cli.history.store import Store
from idms_cli.jobs.holidays import Placed
from idms_cli.jobs.occurrences import Occurrence, Occurrences
from idms_cli.jobs.rules import Ruled

STEPS = 60
"""Occurrences that are looked at to find one: of a deferred slot the moment at which it acts is later than its own."""

TOGETHER = 10_000
"""Slots that act together, at the end of a window."""

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Near:
    """A slot before or after the moment that was asked for."""

    moment: datetime
    verdict: str = ""
    """How it went: a run's status, or skipped; empty for one that is still to come."""


@dataclass(frozen=True)
class Facts:
    """What there is to say of a job at a moment."""

    job: str
    row: JobRow | None
    """None for a job whose file is gone."""
    at: datetime | None
    """The moment that was asked for; None: the last slot."""
    now: datetime
    last_tick: datetime | None
    slot: Slot | None = None
    run: Run | None = None
    """The slot's run; or the run by hand that is under way."""
    made_up: Run | None = None
    """The run that did the work of the skipped slot after all."""
    occurrence: Occurrence | None = None
    """A slot without a verdict: still to come, or nobody has called run-due since."""
    incident: Incident | None = None
    """The silence in which the slot was due."""
    moved: Placed | None = None
    """Where a holiday moved the slot that was asked for."""
    before: Near | None = None
    after: Near | None = None
    pause: Pause | None = None
    """The pause that holds at the moment of the slot, or now."""
    is_untested: bool = False
    """It asks for a test, and has not passed one as it is now."""
    upcoming: Occurrence | None = None
    """The next that will run, the pause and what is called off considered."""


def facts_now(store: Store, job: str, row: JobRow | None, now: datetime) -> Facts:
    """Of the last slot, or of the run that is under way."""
    base = _base(store, job, row, None, now)
    waiting = _undecided(store, row, now)
    if waiting:
        return _with_occurrence(store, base, waiting)
    under_way = store.runs.open_of(job)
    newest = store.slots.of(job, 1)
    if under_way and under_way.due is None:
        return _copy(base, run=under_way)
    return _with_slot(store, base, newest[0]) if newest else base


def facts_at(store: Store, job: str, row: JobRow | None, at: datetime, now: datetime) -> Facts:
    """Of the minute that begins with `at`."""
    base = _base(store, job, row, at, now)
    first = int(at.timestamp())
    found = store.slots.between(job, first, first + 59)
    own = [slot for slot in found if slot.due >= at]
    occurrence = _occurrence_at(store, row, at)
    if own:
        return _with_slot(store, base, own[0])
    if occurrence and found:  # it lies in a stretch that one row stands for
        return _with_slot(store, base, found[0])
    if row and occurrence and occurrence.acts_at.timestamp() > row.decided_until:
        return _with_occurrence(store, base, occurrence)
    before, after = _around(store, job, row, at)
    return _copy(base, moved=_moved(store, row, at), before=before, after=after)


def _base(store: Store, job: str, row: JobRow | None, at: datetime | None, now: datetime) -> Facts:
    last = store.ticks.last()
    pause = store.pauses.not_over(int(now.timestamp())).get(job)
    upcoming = _upcoming(store, row, pause, now)
    last_tick = None if last is None else datetime.fromtimestamp(last, UTC)
    lacks_test = row is not None and is_untested(store, row)
    return Facts(job, row, at, now, last_tick, pause=pause, is_untested=lacks_test, upcoming=upcoming)


def _copy(facts: Facts, **changes: Any) -> Facts:
    return replace(facts, **changes)


def _with_slot(store: Store, base: Facts, slot: Slot) -> Facts:
    run = store.runs.one(slot.run) if slot.run else None
    made_up = store.runs.one(slot.made_up_by) if slot.made_up_by else None
    late = slot.code == "missed" or (run is not None and run.late_s > 0)
    incident = store.incidents.at(int(slot.due.timestamp())) if late else None
    return _copy(base, slot=slot, run=run, made_up=made_up, incident=incident)


def _with_occurrence(store: Store, base: Facts, occurrence: Occurrence) -> Facts:
    moment = int(occurrence.acts_at.timestamp())
    pauses = [pause for pause in store.pauses.of(base.job, moment, moment) if pause.covers(occurrence.acts_at)]
    return _copy(base, occurrence=occurrence, pause=pauses[0] if pauses else base.pause)


def _undecided(store: Store, row: JobRow | None, now: datetime) -> Occurrence | None:
    """The latest slot that is due and has no verdict."""
    if row is None or row.next_due is None or row.next_due > now.timestamp():
        return None
    due = occurrences_of(store, row).due(datetime.fromtimestamp(row.decided_until, UTC), now, newest=1)
    return due.occurrences[-1] if due.occurrences else None


def _occurrence_at(store: Store, row: JobRow | None, at: datetime) -> Occurrence | None:
    """By the schedule as it is now, which says nothing of the time before it was so."""
    if row is None or not row.schedule or at.timestamp() < row.since:
        return None
    occurrences = occurrences_of(store, row)
    found = occurrences.next_after(at - timedelta(seconds=1))
    for _ in range(STEPS):
        if found is None:
            return None
        own = next((one for one in _together(occurrences, found) if at <= one.slot < at + MINUTE), None)
        if own:
            return own
        found = occurrences.next_after(found.acts_at)
    return None


def _together(occurrences: Occurrences, one: Occurrence) -> tuple[Occurrence, ...]:
    """All that act when this one does: those that it replaces at the end of a window as well."""
    return occurrences.due(one.acts_at - timedelta(microseconds=1), one.acts_at, newest=TOGETHER).occurrences


def _moved(store: Store, row: JobRow | None, at: datetime) -> Placed | None:
    if row is None or not row.schedule or at.timestamp() < row.since:
        return None
    occurrences = occurrences_of(store, row)
    before = timedelta(microseconds=1)
    return occurrences.moved(at - before, at + MINUTE - before) if isinstance(occurrences, Ruled) else None


def _around(store: Store, job: str, row: JobRow | None, at: datetime) -> tuple[Near | None, Near | None]:
    known = [_near(store, slot) for slot in store.slots.around(job, int(at.timestamp()))]
    if row is not None and row.schedule:
        occurrences, since = occurrences_of(store, row), datetime.fromtimestamp(row.since, UTC)
        if at > since:
            earlier = occurrences.due(since, at - timedelta(seconds=1), newest=1).occurrences
            known += [Near(one.slot) for one in earlier]
        later = occurrences.next_after(max(at, since))
        known += [Near(later.slot)] if later else []
    before = [near for near in known if near.moment < at]
    after = [near for near in known if near.moment >= at]
    return (
        max(before, key=lambda near: (near.moment, near.verdict), default=None),
        min(after, key=lambda near: (near.moment, not near.verdict), default=None),
    )


def _near(store: Store, slot: Slot) -> Near:
    run = store.runs.one(slot.run) if slot.run else None
    return Near(slot.due, run.status if run else slot.verdict)


def _upcoming(store: Store, row: JobRow | None, pause: Pause | None, now: datetime) -> Occurrence | None:
    if row is None or why_never(row) or (pause and pause.until is None):
        return None
    occurrences, is_over = occurrences_of(store, row), has_run(store, row.name)
    found = occurrences.next_after(pause.until - timedelta(seconds=1) if pause and pause.until else now)
    for _ in range(STEPS):
        if found is None or not (found.skip or is_over(found)):
            return found
        found = occurrences.next_after(found.acts_at)
    return found
