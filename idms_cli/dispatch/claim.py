"""Due slots are claimed, each once; every slot that will not run gets its verdict and the reason."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime

from idms_cli.config.problems import ProblemsFound
from idms_cli.config.settings import Settings
from idms_cli.dispatch.alarms import was_missed
from idms_cli.dispatch.connections import sites_of
from idms_cli.dispatch.control import wake
from idms_cli.dispatch.definition import read_job_file
from idms_cli.dispatch.overlap import make_room
from idms_cli.dispatch.planning import decided_until, occurrences_of
from idms_cli.dispatch.verdicts import Case, decide, why_not
from idms_cli.history.rows import JobRow, NewRun, Verdict
from idms_cli.history.runs import definition_hash
from idms_cli.history.store import Store
from idms_cli.jobs.job import Job
from idms_cli.jobs.occurrences import DueOccurrences, Occurrence
from idms_cli.modules import DataLock, Matching, Work

NEWEST = 1000
"""Missed slots that get a row each; older ones share one row."""

UNWANTED = ("missed", "broken", "untested")
"""Why slots do not run though somebody counts on them."""

NOBODY = "missed: nobody called run-due"


@dataclass(frozen=True)
class Claimed:
    """What became of one job's due slots."""

    job: str
    runs: tuple[int, ...] = ()
    late_s: int = 0
    """So long after its moment the oldest of them was taken; 0 on time."""
    skipped: int = 0
    reason: str = ""
    """Why the latest slot did not run."""


@dataclass(frozen=True)
class Decided:
    """What is to be written down about one job."""

    row: JobRow
    job: Job | None
    """None for one that cannot run anyway."""
    verdicts: tuple[Verdict, ...]
    next_due: int | None
    decided_until: int


def new_run(store: Store, job: Job, work: Work, *, due: int | None = None) -> NewRun:
    """A run of this job as it is defined now, with its definition remembered."""
    store.runs.remember(job.path, job.document.text)
    return _run_of(job, work, due=due)


def data_locks(job: Job, work: Work) -> tuple[DataLock, ...]:
    """What a run of the job reads and writes, and what it locks beside that."""
    return (*work.locks(), *(DataLock(f"lock:{name}", write=True) for name in job.locks))


class Claimer:
    """Decides the slots that are due at one moment."""

    def __init__(self, store: Store, settings: Settings, now: datetime, *, clock: float) -> None:
        """`now` is the moment whose slots are decided; `clock` what the clock says (UTC seconds)."""
        self._store = store
        self._settings = settings
        self._now = now
        self._moment = int(now.timestamp())
        self._clock = clock

    def claim(self, rows: Sequence[JobRow]) -> list[Claimed]:
        """Decide every slot of these jobs up to now. Files are read first; then all is written in one transaction."""
        decided = [self._decide(row) for row in rows]
        to_wake: list[int] = []
        claims = []
        with self._store.database.together():
            for one in decided:
                claimed = self._write(one)
                if one.job and one.job.missed != "all":
                    to_wake += [run for new in claimed.runs for run in self._make_room(one.job, new)]
                claims.append(claimed)
        for run in to_wake:
            wake(self._store.run_directory(run))
        return claims

    def _write(self, decided: Decided) -> Claimed:
        with self._store.database.write() as connection:
            if decided.job and any(verdict.run for verdict in decided.verdicts):
                self._store.runs.keep(connection, decided.job.path, decided.job.document.text)
            runs = self._store.slots.decide(connection, decided.verdicts, self._moment, created_at=self._clock)
            self._store.catalog.advance(
                connection, decided.row.name, decided_until=decided.decided_until, next_due=decided.next_due
            )
        self._tell(decided)
        return _claimed(decided, runs)

    def _tell(self, decided: Decided) -> None:
        """Of the latest slot, if it does not run though nobody wanted that; nobody is told what is pretended."""
        latest = decided.verdicts[-1] if decided.verdicts else None
        if latest and latest.reason.partition(":")[0] in UNWANTED and self._moment == int(self._clock):
            was_missed(self._store, latest, self._clock)

    def _make_room(self, job: Job, run_id: int) -> list[int]:
        return make_room(self._store, job, run_id, self._clock)

    def _decide(self, row: JobRow) -> Decided:
        occurrences = occurrences_of(self._store, row)
        due = occurrences.due(datetime.fromtimestamp(row.decided_until, UTC), self._now, newest=NEWEST)
        upcoming = occurrences.next_after(self._now)
        next_due = None if upcoming is None else int(upcoming.acts_at.timestamp())
        case, work = self._look(row, due.occurrences) if due.occurrences else (Case(row, None, self._now), None)
        verdicts = (*_stretch(case, due), *_each(case, work, due))
        return Decided(row, case.job, verdicts, next_due, decided_until(occurrences, row, self._now))

    def _look(self, row: JobRow, due: Sequence[Occurrence]) -> tuple[Case, Work | None]:
        """What the verdicts of a job's slots depend on; and its work, unless the job cannot run anyway."""
        latest = max(int(one.acts_at.timestamp()) for one in due)  # to come, where the clock has been set back since
        pauses = self._store.pauses.of(row.name, row.decided_until, max(self._moment, latest))
        case = Case(row, None, self._now, tuple(pauses))
        if row.problems or row.disabled or not row.enabled:
            return case, None
        try:
            job, work = read_job_file(row.name, (row.path,), self._settings)
        except ProblemsFound as broken:  # it changed between this tick's reading and now
            return replace(case, row=replace(row, problems=tuple(map(asdict, broken.problems)))), None
        is_untested = job.require_test and not self._store.trials.has_passed(job.name, job.digest)
        open_run = self._store.runs.open_of(job.name) or self._store.runs.asking_of(job.name)
        return replace(case, job=job, open_run=open_run, is_untested=is_untested), work


def claim_all(
    store: Store, settings: Settings, rows: Sequence[JobRow], now: datetime, *, clock: float
) -> list[Claimed]:
    """Decide every slot of these jobs up to `now`, in one transaction; `clock` is what the clock says (UTC seconds)."""
    return Claimer(store, settings, now, clock=clock).claim(rows) if rows else []


def _stretch(case: Case, due: DueOccurrences) -> Iterator[Verdict]:
    """One verdict for all slots beyond the newest."""
    if due.older is None:
        return
    first, last = (why_not(case, Occurrence(slot, slot)) for slot in due.older)
    reason = first if first == last and first else NOBODY
    since, until = (int(slot.timestamp()) for slot in due.older)
    yield Verdict(case.row.name, since, reason=reason, until=until if until > since else None)


def _each(case: Case, work: Work | None, due: DueOccurrences) -> Iterator[Verdict]:
    for occurrence, reason in decide(case, due.occurrences).items():
        slot = int(occurrence.slot.timestamp())
        if reason or case.job is None or work is None:
            yield Verdict(case.row.name, slot, reason=reason)
        else:
            new = _run_of(case.job, work, due=slot)
            start_by = (occurrence.acts_at + case.job.grace).timestamp()
            late_s = int(case.late(occurrence).total_seconds())
            yield Verdict(case.row.name, slot, replace(new, start_by=start_by, late_s=late_s))


def _run_of(job: Job, work: Work, *, due: int | None = None) -> NewRun:
    is_owed_each = due is not None and job.missed == "all"
    locks = data_locks(job, work)
    return NewRun(
        job=job.name,
        due=due,
        definition=definition_hash(job.path, job.document.text),
        locks=tuple(lock._asdict() for lock in locks),
        timeout_s=job.timeout.total_seconds(),
        priority=job.priority,
        pool=job.pool,
        wait_s=None if is_owed_each else job.wait.total_seconds(),
        disable_after=job.disable_after,
        options=work.options_from_elsewhere() if isinstance(work, Matching) else {},
        module=job.module,
        sites=",".join(sorted(sites_of(lock.resource for lock in locks))),
    )


def _claimed(decided: Decided, runs: Sequence[int | None]) -> Claimed:
    made = [(verdict, run) for verdict, run in zip(decided.verdicts, runs, strict=True) if run is not None]
    late_s = max((verdict.run.late_s for verdict, _ in made if verdict.run), default=0)
    skipped = sum(verdict.run is None for verdict in decided.verdicts)
    reason = decided.verdicts[-1].reason if decided.verdicts else ""
    return Claimed(decided.row.name, tuple(run for _, run in made), late_s, skipped, reason)
