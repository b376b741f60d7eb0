"""How one job stands: its state in a word, whether it needs somebody, and what went wrong in a few words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from idms_cli.dispatch.planning import occurrences_of
from idms_cli.history.rows import JobRow, Pause, Run, moment
from idms_cli.history.store import Store
from idms_cli.reports.wording import Clock, duration, late, result

NEEDS_YOU, RUNNING, WAITING, FINE = "needs you", "running", "waiting", "fine"
GROUPS = (NEEDS_YOU, RUNNING, WAITING, FINE)
"""In the order in which people want to see them."""

GROUP_OF = {
    "broken": NEEDS_YOU,
    "failed": NEEDS_YOU,
    "partial": NEEDS_YOU,
    "held": NEEDS_YOU,
    "interrupted": NEEDS_YOU,
    "untested": NEEDS_YOU,
    "running": RUNNING,
    "pending": WAITING,
    "paused": WAITING,
}
"""The group of a job in a state; every other state is fine."""


@dataclass(frozen=True)
class Standing:
    """A job, its newest run, the oldest run of it that is not over, and its pause."""

    job: JobRow
    last: Run | None
    current: Run | None
    tested: bool
    """It has passed `idms test` as it is now."""
    pause: Pause | None
    resumes: datetime | None
    """Of a paused job: its first slot after the pause."""

    @property
    def word(self) -> str:
        if self.job.problems:
            return "broken"
        if self.current:
            return self.current.status
        if self.job.disabled or not self.job.enabled:
            return "disabled"
        if self.pause:
            return "paused"
        if self.job.require_test and not self.tested:
            return "untested"
        return self.last.status if self.last else "new"

    @property
    def group(self) -> str:
        is_given_up = self.word == "disabled" and bool(self.job.disabled)
        return NEEDS_YOU if is_given_up else GROUP_OF.get(self.word, FINE)

    @property
    def next_due(self) -> datetime | None:
        stands_still = self.job.problems or self.job.disabled or not self.job.enabled
        if stands_still:
            return None
        return self.resumes if self.pause else moment(self.job.next_due)

    @property
    def is_done(self) -> bool:
        """Its schedule is over: it had one time, or an end."""
        stands_still = self.job.problems or self.job.disabled or not self.job.enabled or self.pause
        has_times = bool(self.job.schedule) and not self.job.upstream
        return has_times and self.job.next_due is None and not stands_still

    def next(self, clock: Clock) -> str:
        """When it is due next; `done` where its schedule is over."""
        due = self.next_due
        if due is None and self.is_done:
            return "done"
        return f"due since {clock.moment(due)}" if due and due <= clock.now else clock.moment(due)

    @property
    def advice(self) -> str:
        """The command that comes next, where it needs somebody and nothing else says so; else empty."""
        run = self.current or self.last
        if self.word == "untested":
            return f"idms test {self.job.name}"
        if run is None or self.group != NEEDS_YOU or self.word in ("broken", "disabled"):
            return ""
        if self.word == "held" and not run.asks:
            return f"idms approve {run.id}"
        return f"idms show {run.id}"

    def told(self, clock: Clock) -> str:
        """Its problems, or its pause and what its run does or did; `-` before the first run."""
        problems, run = self.job.problems, self.current or self.last
        if problems:
            more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
            return f"line {problems[0]['line']}: {problems[0]['message']}{more}; see idms check"
        paused = f"{self.pause.reason}, since {clock.moment(self.pause.since)}" if self.pause else ""
        disabled = self.job.disabled and f"{self.job.disabled} (idms enable {self.job.name})"
        return "; ".join(filter(None, (paused, _run(run, self.current, clock), disabled))) or "-"


def standings(store: Store, jobs: Mapping[str, JobRow], clock: Clock) -> list[Standing]:
    """All jobs, by name."""
    last = store.runs.last_of_each_job()
    current = {run.job: run for run in reversed(store.runs.open()) if not run.dry_run}
    tested = store.trials.all()
    pauses = store.pauses.not_over(int(clock.now.timestamp()))
    return [
        Standing(
            job,
            last.get(name),
            current.get(name),
            tested=(name, job.digest) in tested,
            pause=pauses.get(name),
            resumes=_after_pause(store, job, pauses.get(name)),
        )
        for name, job in jobs.items()
    ]


def _after_pause(store: Store, job: JobRow, pause: Pause | None) -> datetime | None:
    if pause is None or pause.until is None or not job.schedule:
        return None
    upcoming = occurrences_of(store, job).next_after(pause.until - timedelta(seconds=1))
    return None if upcoming is None else upcoming.acts_at


def _run(run: Run | None, current: Run | None, clock: Clock) -> str:
    if run is None:
        return ""
    when = clock.moment(run.started_at or run.created_at)
    if current:
        return f"run {run.id} since {when}" + (f": {_shortly(run.reason)}" if run.reason else "")
    took = f" in {duration(run.duration_s)}" if run.duration_s is not None else ""
    told = result(run)
    return f"run {run.id}, {when}{late(run)}{took}" + (f": {told}" if told else "")


def _shortly(reason: str) -> str:
    """What is said of the connection stands above the table, once for all its runs."""
    return reason.partition(",")[0] if reason.startswith("waits for connection ") else reason
