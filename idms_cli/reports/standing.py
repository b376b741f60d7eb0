"""How one job stands: its state in a word, whether it needs somebody, and what went wrong in a few words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from idms_cli.history.rows import JobRow, Run, moment
from idms_cli.history.store import Store
from idms_cli.reports.wording import Clock, duration, result

NEEDS_YOU, RUNNING, WAITING, FINE = "needs you", "running", "waiting", "fine"
GROUPS = (NEEDS_YOU, RUNNING, WAITING, FINE)
"""In the order in which people want to see them."""

GROUP_OF = {
    "broken": NEEDS_YOU,
    "failed": NEEDS_YOU,
    "partial": NEEDS_YOU,
    "held": NEEDS_YOU,
    "interrupted": NEEDS_YOU,
    "running": RUNNING,
    "pending": WAITING,
}
"""The group of a job in a state; every other state is fine."""


@dataclass(frozen=True)
class Standing:
    """A job, its newest run, and the oldest run of it that is not over."""

    job: JobRow
    last: Run | None
    current: Run | None

    @property
    def word(self) -> str:
        if self.job.problems:
            return "broken"
        if self.current:
            return self.current.status
        if not self.job.enabled:
            return "disabled"
        return self.last.status if self.last else "new"

    @property
    def group(self) -> str:
        return GROUP_OF.get(self.word, FINE)

    @property
    def next_due(self) -> datetime | None:
        return moment(self.job.next_due) if self.job.enabled and not self.job.problems else None

    def told(self, clock: Clock) -> str:
        """Its problems, or what its run does or did; `-` before the first run."""
        problems, run = self.job.problems, self.current or self.last
        if problems:
            more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
            return f"line {problems[0]['line']}: {problems[0]['message']}{more}; see idms check"
        if run is None:
            return "-"
        when = clock.moment(run.started_at or run.created_at)
        if self.current:
            return f"run {run.id} since {when}" + (f": {run.reason}" if run.reason else "")
        took = f" in {duration(run.duration_s)}" if run.duration_s is not None else ""
        told = result(run)
        return f"run {run.id}, {when}{took}" + (f": {told}" if told else "")

    def next(self, clock: Clock) -> str:
        """When it is due next."""
        due = self.next_due
        return f"due since {clock.moment(due)}" if due and due <= clock.now else clock.moment(due)


def standings(store: Store, jobs: Mapping[str, JobRow]) -> list[Standing]:
    """All jobs, by name."""
    last = store.runs.last_of_each_job()
    current = {run.job: run for run in reversed(store.runs.open()) if not run.dry_run}
    return [Standing(job, last.get(name), current.get(name)) for name, job in jobs.items()]
