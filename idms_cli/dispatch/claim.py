"""Due slots are claimed, each once; every slot that will not run gets its verdict and the reason."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from idms_cli.config.durations import format_duration
from idms_cli.config.problems import ProblemsFound
from idms_cli.config.settings import Settings
from idms_cli.dispatch.control import wake
from idms_cli.dispatch.definition import read_job_file
from idms_cli.dispatch.overlap import make_room, why_skip
from idms_cli.dispatch.planning import decided_until, occurrences_of
from idms_cli.history.rows import JobRow, NewRun
from idms_cli.history.store import Store
from idms_cli.jobs.job import Job
from idms_cli.jobs.occurrences import DueOccurrences, Occurrence
from idms_cli.modules import DataLock, Matching, Work

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


def new_run(store: Store, job: Job, work: Work, *, due: int | None = None, acts_at: float | None = None) -> NewRun:
    """A run of this job as it is defined now; of a slot, which acts at its own moment unless said otherwise."""
    owed_since = due if acts_at is None else acts_at
    return NewRun(
        job=job.name,
        due=due,
        definition=store.runs.remember(job.path, job.document.text),
        locks=tuple(lock._asdict() for lock in data_locks(job, work)),
        timeout_s=job.timeout.total_seconds(),
        start_by=None if owed_since is None else owed_since + job.grace.total_seconds(),
        priority=job.priority,
        pool=job.pool,
        wait_s=job.wait.total_seconds(),
        disable_after=job.disable_after,
        options=work.options_from_elsewhere() if isinstance(work, Matching) else {},
    )


def data_locks(job: Job, work: Work) -> tuple[DataLock, ...]:
    """What a run of the job reads and writes, and what it locks beside that."""
    return (*work.locks(), *(DataLock(f"lock:{name}", write=True) for name in job.locks))


@dataclass(frozen=True)
class _Found:
    """What is due of a job, and what is known of it once that is decided."""

    due: DueOccurrences
    next_due: int | None
    decided_until: int


class Claimer:
    """Decides the slots that are due at one moment.

    First `read` the jobs, which takes time; then `claim` them all, which belongs into one transaction.
    """

    def __init__(self, store: Store, settings: Settings, now: datetime, *, clock: float) -> None:
        """`now` is the moment whose slots are decided; `clock` what the clock says (UTC seconds)."""
        self._store = store
        self._settings = settings
        self._now = now
        self._moment = int(now.timestamp())
        self._clock = clock
        self._jobs: dict[str, tuple[Job, Work] | str] = {}
        self._due: dict[str, _Found] = {}
        self.to_wake: list[int] = []
        """Runs that were asked to stop because a newer one takes their place."""

    def read(self, rows: Iterable[JobRow]) -> None:
        """Find the slots that are due, and read the files of the jobs that may run."""
        for row in rows:
            occurrences = occurrences_of(self._store, row)
            due = occurrences.due(datetime.fromtimestamp(row.decided_until, UTC), self._now, newest=NEWEST)
            upcoming = occurrences.next_after(self._now)
            next_due = None if upcoming is None else int(upcoming.acts_at.timestamp())
            self._due[row.name] = _Found(due, next_due, decided_until(occurrences, row, self._now))
            if not due.occurrences or _why_none(row):
                continue
            try:
                self._jobs[row.name] = read_job_file(row.name, (row.path,), self._settings)
            except ProblemsFound as broken:  # it changed between this tick's reading and now
                self._jobs[row.name] = f"broken: {broken.problems[0].message}"

    def claim(self, row: JobRow) -> Claimed:
        """Decide every slot of a job up to now: the latest may run, older ones are `skipped: missed`."""
        found = self._due[row.name]
        claimed = self._decide(row, found.due) if found.due.occurrences or found.due.older else Claimed(row.name)
        self._store.catalog.advance(row.name, decided_until=found.decided_until, next_due=found.next_due)
        return claimed

    def _decide(self, row: JobRow, due: DueOccurrences) -> Claimed:
        why_none = _why_none(row)
        if due.older:
            first, last = (int(slot.timestamp()) for slot in due.older)
            self._skip(row, first, why_none or "missed: nobody called run-due", until=last)
        for one in due.occurrences:
            if one.skip:
                self._skip(row, int(one.slot.timestamp()), why_none or one.skip)
        able = [one for one in due.occurrences if not one.skip]
        missed = why_none or "missed: a later one took its place"
        slots = [int(one.slot.timestamp()) for one in able]
        self._store.runs.skip_all(row.name, slots[:-1], self._moment, reason=missed)
        if not able:
            return Claimed(row.name, None, len(due.occurrences), due.occurrences[-1].skip if due.occurrences else "")
        run, reason = (None, why_none) if why_none else self._claim_latest(row, able[-1])
        if reason:
            self._skip(row, slots[-1], reason)
        return Claimed(row.name, run, len(due.occurrences) - (run is not None), reason)

    def _claim_latest(self, row: JobRow, occurrence: Occurrence) -> tuple[int | None, str]:
        """The run that took the slot, or why there is none; both empty when another tick was faster."""
        read = self._jobs[row.name]
        if isinstance(read, str):
            return None, read
        job, work = read
        slot, acts_at = int(occurrence.slot.timestamp()), occurrence.acts_at.timestamp()
        reason = self._why_not_now(job, slot, late_s=self._moment - acts_at)
        if reason:
            return None, reason
        run = self._store.runs.claim(new_run(self._store, job, work, due=slot, acts_at=acts_at), self._clock)
        if run is not None:
            self.to_wake += make_room(self._store, job, run, self._clock)
        return run, ""

    def _why_not_now(self, job: Job, slot: int, *, late_s: float) -> str:
        if late_s > job.grace.total_seconds():
            return f"missed: over the grace of {format_duration(job.grace)}"
        if job.require_test and not self._store.trials.has_passed(job.name, job.digest):
            return f"untested: run idms test {job.name}"
        return why_skip(self._store, job, slot)

    def _skip(self, row: JobRow, slot: int, reason: str, *, until: int | None = None) -> None:
        self._store.runs.skip(row.name, slot, self._moment, reason=reason, until=until)


def claim_all(
    store: Store, settings: Settings, rows: Sequence[JobRow], now: datetime, *, clock: float
) -> list[Claimed]:
    """Decide every slot of these jobs up to `now`, in one transaction; `clock` is what the clock says (UTC seconds)."""
    if not rows:
        return []
    claimer = Claimer(store, settings, now, clock=clock)
    claimer.read(rows)
    with store.database.together():
        claims = [claimer.claim(row) for row in rows]
    for run in claimer.to_wake:
        wake(store.run_directory(run))
    return claims


def _why_none(row: JobRow) -> str:
    if row.problems:
        problem = row.problems[0]
        return f"broken: {problem['file']}:{problem['line']}: {problem['message']}"
    if row.disabled:
        return row.disabled
    return "" if row.enabled else "disabled: the job file says enabled: false"
