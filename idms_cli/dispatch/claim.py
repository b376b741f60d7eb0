"""Due slots are claimed, each once; every slot that will not run gets its verdict and the reason."""

from dataclasses import dataclass
from datetime import UTC, datetime

from idms_cli.config.durations import format_duration
from idms_cli.config.problems import ProblemsFound
from idms_cli.config.settings import Settings
from idms_cli.dispatch.definition import read_job_file
from idms_cli.history.rows import JobRow, NewRun
from idms_cli.history.store import Store
from idms_cli.jobs.job import Job, schedule_from
from idms_cli.jobs.schedule import Due
from idms_cli.modules import Work

NEWEST = 1000
"""Missed slots that get a row each; older ones share one row."""


@dataclass(frozen=True)
class Claimed:
    """What became of one job's due slots."""

    job: str
    run: int | None = None
    skipped: int = 0
    reason: str = ""
    """Why the latest slot did not run."""


def new_run(store: Store, job: Job, work: Work, *, due: int | None = None) -> NewRun:
    """A run of this job as it is defined now."""
    return NewRun(
        job=job.name,
        due=due,
        definition=store.runs.remember(job.path, job.document.text),
        locks=tuple(lock._asdict() for lock in work.locks()),
        timeout_s=job.timeout.total_seconds(),
        start_by=None if due is None else due + job.grace.total_seconds(),
    )


class Claimer:
    """Decides the slots that are due at one moment."""

    def __init__(self, store: Store, settings: Settings, now: datetime) -> None:
        self._store = store
        self._settings = settings
        self._now = now
        self._moment = int(now.timestamp())

    def claim(self, row: JobRow) -> Claimed:
        """Decide every slot of a job up to now: the latest may run, older ones are `skipped: missed`."""
        schedule = schedule_from(row.schedule, row.timezone)
        due = schedule.due(datetime.fromtimestamp(row.decided_until, UTC), self._now, newest=NEWEST)
        claimed = self._decide(row, due) if due.slots else Claimed(row.name)
        upcoming = schedule.next_after(self._now)
        next_due = None if upcoming is None else int(upcoming.timestamp())
        self._store.catalog.advance(row.name, decided_until=self._moment, next_due=next_due)
        return claimed

    def _decide(self, row: JobRow, due: Due) -> Claimed:
        slots = [int(slot.timestamp()) for slot in due.slots]
        why_none = _why_none(row)
        if due.older:
            first, last = (int(slot.timestamp()) for slot in due.older)
            self._skip(row, first, why_none or "missed: nobody called run-due", until=last)
        missed = why_none or "missed: a later one took its place"
        self._store.runs.skip_all(row.name, slots[:-1], self._moment, reason=missed)
        run, reason = (None, why_none) if why_none else self._claim_latest(row, slots[-1])
        if reason:
            self._skip(row, slots[-1], reason)
        return Claimed(row.name, run, len(slots) - (run is not None), reason)

    def _claim_latest(self, row: JobRow, slot: int) -> tuple[int | None, str]:
        """The run that took the slot, or why there is none; both empty when another tick was faster."""
        try:
            job, work = read_job_file(row.name, (row.path,), self._settings)
        except ProblemsFound as broken:  # it changed between this tick's reading and now
            return None, f"broken: {broken.problems[0].message}"
        reason = self._why_not_now(job, slot)
        if reason:
            return None, reason
        return self._store.runs.claim(new_run(self._store, job, work, due=slot), self._moment), ""

    def _why_not_now(self, job: Job, slot: int) -> str:
        if self._moment - slot > job.grace.total_seconds():
            return f"missed: over the grace of {format_duration(job.grace)}"
        if job.require_test and not self._store.trials.has_passed(job.name, job.digest):
            return f"untested: run idms test {job.name}"
        other = self._store.runs.open_of(job.name)
        if other is None or (other.due is not None and int(other.due.timestamp()) == slot):
            return ""  # in the second case another tick was faster; the claim will tell
        return f"overlap: run {other.id} is still {other.status}"

    def _skip(self, row: JobRow, slot: int, reason: str, *, until: int | None = None) -> None:
        self._store.runs.skip(row.name, slot, self._moment, reason=reason, until=until)


def _why_none(row: JobRow) -> str:
    if row.problems:
        problem = row.problems[0]
        return f"broken: {problem['file']}:{problem['line']}: {problem['message']}"
    return "" if row.enabled else "disabled: the job file says enabled: false"
