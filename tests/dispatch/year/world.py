"""What the oracle of the simulated year knows: jobs, slots, runs, pauses, and what is due."""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass

from tests.dispatch.year.almanac import Almanac, Occurrence
from tests.dispatch.year.files import File
from tests.dispatch.year.schedules import Rules

KEPT_ONE_BY_ONE = 1000
"""Slots that get a row each; older ones share one."""


@dataclass
class Run:
    """A run of a slot."""

    job: str
    due: int
    file: File
    created: int
    status: str = "pending"
    started: bool = False
    deaths: int = 0
    ends: int = 0
    """When it will end, in true time, if nothing happens to it."""
    over_at: int = 0
    is_late: bool = False
    number: int = 0
    """Higher for later ones."""


@dataclass
class Row:
    """What is written down about a slot."""

    reason: str
    decided: int
    until: int | None = None
    run: Run | None = None

    @property
    def is_over(self) -> bool:
        return self.run is None or self.run.status not in ("pending", "running", "interrupted")


@dataclass
class Pause:
    since: int
    until: int | None
    ended: int | None = None

    def covers(self, at: int) -> bool:
        return self.since <= at and all(at < end for end in (self.until, self.ended) if end is not None)

    def is_open(self, now: int) -> bool:
        return self.ended is None and (self.until is None or self.until > now)


@dataclass
class Job:
    """A job as it was last read."""

    name: str
    file: File
    """As read last."""
    rules: Rules | None
    """Those that count: the last good ones."""
    enabled: bool
    decided_until: int
    problem: bool = False


@dataclass
class Switch:
    """Disabled by a person, or by failures."""

    reason: str = ""
    file: File | None = None
    """Of the run that failed; None when a person did it."""
    after: int = 0
    """Runs up to this one do not count any more."""


class World:
    """The state of the world as it must be, and what each job owes in it."""

    def __init__(self, almanac: Almanac) -> None:
        self.almanac = almanac
        self.true = 0
        """Seconds since 1970."""
        self.ahead = 0
        """Of the clock."""
        self.jobs: dict[str, Job] = {}
        self.slots: dict[str, dict[int, Row]] = {}
        self.runs: dict[str, list[Run]] = {}
        """Of each job."""
        self._count = 0
        self.open: list[Run] = []
        """Those that are not over."""
        self.pauses: dict[str, list[Pause]] = {}
        self.switches: dict[str, Switch] = {}

    @property
    def now(self) -> int:
        """What the clock says."""
        return self.true + self.ahead

    def switch(self, job: str) -> Switch:
        return self.switches.get(job, Switch())

    def last_run(self, job: str) -> int:
        return max((run.number for run in self.runs.get(job, [])), default=0)

    def new_run(self, run: Run) -> Run:
        self._count += 1
        run.number = self._count
        self.runs.setdefault(run.job, []).append(run)
        return run

    def write_down(self, job: str, due: int, reason: str, *, until: int | None = None) -> None:
        """A slot is skipped, unless it has its verdict already."""
        self.slots.setdefault(job, {}).setdefault(due, Row(reason, self.now, until))

    def write_down_stretch(self, job: str, older: tuple[int, int] | None, reason: str) -> None:
        if older:
            self.write_down(job, older[0], reason, until=older[1] if older[1] > older[0] else None)

    def settle(self, job: Job, reason: str) -> None:
        """What is owed is written down as skipped."""
        due, older = self.due(job)
        for one in due:
            self.write_down(job.name, one.slot, one.skip or reason)
        self.write_down_stretch(job.name, older, reason)
        self.is_decided(job, due)

    def due(self, job: Job) -> tuple[list[Occurrence], tuple[int, int] | None]:
        """What has no verdict yet; and the first and the last of those that are too many to be kept one by one."""
        if job.rules is None:
            return [], None
        if job.rules.after:
            return [self._answer(job.rules, *each) for each in self._unanswered(job) if each[1].is_over], None
        known = self.almanac.occurrences(job.rules, job.name)
        first, last = (bisect_right(known, at, key=_acts_at) for at in (job.decided_until, self.now))
        due = known[first:last]
        if len(due) <= KEPT_ONE_BY_ONE:
            return due, None
        return due[-KEPT_ONE_BY_ONE:], (due[0].slot, due[-KEPT_ONE_BY_ONE - 1].slot)

    def slots_to_come(self, job: Job) -> set[int]:
        """The slots that act later than now, also those that are named by a moment that is past."""
        if job.rules is None or job.rules.after:
            return set()
        known = self.almanac.occurrences(job.rules, job.name)
        return {one.slot for one in known[bisect_right(known, self.now, key=_acts_at) :]}

    def last_of_all(self, job: Job) -> Occurrence | None:
        """The last occurrence of a job that will never be due again; None where there is more to come."""
        if job.rules is None or job.rules.after:
            return None
        known = self.almanac.occurrences(job.rules, job.name)
        past = bisect_right(known, self.now, key=_acts_at)
        return known[past - 1] if past and known[-1].acts_at <= job.decided_until else None

    def is_decided(self, job: Job, answered: list[Occurrence]) -> None:
        """Whatever is due now has its verdict; of a job after another one these have theirs."""
        if job.rules is None or not job.rules.after:
            job.decided_until = max(job.decided_until, self.now)
        elif upstream := self.jobs.get(job.rules.after):
            waiting = [due for due, _ in self._unanswered(job)]
            until = min([upstream.decided_until, *(due - 1 for due in waiting)])
            job.decided_until = max([job.decided_until, *(one.slot for one in answered if one.slot <= until)])

    def followers(self) -> list[Job]:
        """The jobs after another one that has done something they have not answered to."""
        after = [job for job in self.jobs.values() if job.rules and job.rules.after]
        return [job for job in after if any(row.is_over for _, row in self._unanswered(job))]

    def _unanswered(self, job: Job) -> list[tuple[int, Row]]:
        """The slots of the job before it that this one has no verdict for."""
        assert job.rules is not None
        theirs: Mapping[int, Row] = self.slots.get(job.rules.after, {})
        ours = self.slots.get(job.name, {})
        return sorted(
            ((due, row) for due, row in theirs.items() if due > job.decided_until and due not in ours),
            key=lambda each: each[0],
        )

    def _answer(self, rules: Rules, due: int, row: Row) -> Occurrence:
        acts_at = max(due, row.run.over_at if row.run else row.decided)
        is_good = row.run is not None and row.run.status in rules.accept
        return Occurrence(acts_at, due, "" if is_good else f"after {rules.after}")


def _acts_at(one: Occurrence) -> int:
    return one.acts_at
