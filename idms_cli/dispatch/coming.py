"""The slots that are still to come, of all jobs in the order of time, without end: who asks says how many."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import merge
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

from idms_cli.dispatch.planning import occurrences_of
from idms_cli.history.rows import JobRow, Pause
from idms_cli.history.store import Store
from idms_cli.jobs.occurrences import Occurrence, Occurrences


@dataclass(frozen=True)
class Coming:
    """One slot that is still to come."""

    job: str
    occurrence: Occurrence
    zone: ZoneInfo
    """The job's."""
    skip: str = ""
    """Why it will not run, as far as it is known now: a holiday, a pause, a test that it has not passed."""

    @property
    def order(self) -> tuple[datetime, str]:
        return self.occurrence.acts_at, self.job


@dataclass(frozen=True)
class Asked:
    """What of the future is asked for."""

    after: datetime
    until: datetime
    limit: int
    """Slots at most."""
    per_job: int
    """Slots of one job at most."""


def coming(store: Store, rows: Iterable[JobRow], asked: Asked, pauses: Mapping[str, Pause]) -> Iterator[Coming]:
    """The slots of these jobs in the order in which they act, one by one; of each job one more than is asked for.

    Of jobs that run on their own; a job that is broken or disabled has none.
    """
    each = [
        islice(_of(store, row, asked.after, pauses.get(row.name)), asked.per_job + 1)
        for row in rows
        if why_never(row) == ""
    ]
    ordered = merge(*each, key=lambda one: one.order)
    return takewhile(lambda one: one.occurrence.acts_at <= asked.until, ordered)


def why_never(row: JobRow) -> str:
    """Why a job has nothing to come whatever its schedule says; empty where nothing is against it."""
    if row.problems:
        return "broken"
    if not row.schedule:
        return "no schedule"
    return row.disabled or ("" if row.enabled else "disabled")


def is_untested(store: Store, row: JobRow) -> bool:
    """Whether a job asks for a test, and has not passed one as it is now."""
    return row.require_test and not store.trials.has_passed(row.name, row.digest)


def has_run(store: Store, job: str) -> Callable[[Occurrence], bool]:
    """Whether a slot that is to come has had its run already: when the clock was ahead, or somebody pretended."""
    newest = next(iter(store.slots.of(job, 1)), None)
    return lambda one: (
        newest is not None and one.slot <= newest.due and store.slots.has_run(job, int(one.slot.timestamp()))
    )


def _of(store: Store, row: JobRow, after: datetime, pause: Pause | None) -> Iterator[Coming]:
    zone, is_over = ZoneInfo(row.timezone), has_run(store, row.name)
    untested = f"untested: idms test {row.name} first" if is_untested(store, row) else ""
    for occurrence in _occurrences(occurrences_of(store, row), after):
        if is_over(occurrence):
            continue
        paused = pause.reason if pause and pause.covers(occurrence.acts_at) else ""
        yield Coming(row.name, occurrence, zone, paused or occurrence.skip or untested)


def _occurrences(occurrences: Occurrences, after: datetime) -> Iterator[Occurrence]:
    moment: datetime | None = after
    while moment is not None:
        found = occurrences.next_after(moment)
        if found is None:
            return
        yield found
        moment = max(found.acts_at, moment + timedelta(seconds=1))
