"""How each job stands: state, last run, next run, and a banner when nobody calls run-due."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from idms_cli.history.rows import JobRow, Run, moment
from idms_cli.history.store import Store
from idms_cli.reports.page import Line, Page, Table
from idms_cli.reports.wording import Clock, duration, result

SILENT_AFTER_S = 180
"""run-due is expected every minute; after three it is missed."""

UNTESTED_SHOWN = 8

NO_JOBS = "There are no jobs yet. A YAML file in jobs.d/ makes one."


def status_page(store: Store, jobs: Mapping[str, JobRow], clock: Clock, *, away: Page) -> Page:
    """All jobs, by name, after the connections that do not work (`away`)."""
    last = store.runs.last_of_each_job()
    current = {run.job: run for run in reversed(store.runs.open()) if not run.dry_run}
    tested = store.trials.all()
    states = [
        _State(job, last.get(name), current.get(name), tested=(name, job.digest) in tested)
        for name, job in jobs.items()
    ]
    banner = _banner(store.ticks.last(), clock)
    parts: list[Line | Table] = []
    if banner:
        parts.append(Line(banner, "bold red"))
    parts += away.parts
    if states:
        rows = [(each.job.name, each.word, _next(each, clock), _last(each, clock)) for each in states]
        parts.append(Table(("job", "state", "next run", "last run"), rows))
        parts += _untested(states)
        parts.append(Line(f"Times are in {clock.zone}.", "dim"))
    else:
        parts.append(Line(NO_JOBS))
    return Page({"jobs": [_data(each) for each in states], "banner": banner, **away.data}, parts)


@dataclass(frozen=True)
class _State:
    """A job, its newest run, and the oldest run of it that is not over."""

    job: JobRow
    last: Run | None
    current: Run | None
    tested: bool

    @property
    def word(self) -> str:
        if self.job.problems:
            return "broken"
        if self.current:
            return self.current.status
        if self.job.disabled or not self.job.enabled:
            return "disabled"
        if self.job.require_test and not self.tested:
            return "untested"
        return self.last.status if self.last else "new"

    @property
    def next_due(self) -> datetime | None:
        stands_still = self.job.problems or self.job.disabled or not self.job.enabled
        return None if stands_still else moment(self.job.next_due)


def _next(state: _State, clock: Clock) -> str:
    due = state.next_due
    return f"due since {clock.moment(due)}" if due and due <= clock.now else clock.moment(due)


def _last(state: _State, clock: Clock) -> str:
    problems, run = state.job.problems, state.current or state.last
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        return f"line {problems[0]['line']}: {problems[0]['message']}{more}; see idms check"
    disabled = state.job.disabled and f"{state.job.disabled} (idms enable {state.job.name})"
    return "; ".join(filter(None, (_run(run, state.current, clock), disabled))) or "-"


def _run(run: Run | None, current: Run | None, clock: Clock) -> str:
    if run is None:
        return ""
    when = clock.moment(run.started_at or run.created_at)
    if current:
        return f"run {run.id} since {when}" + (f": {_shortly(run.reason)}" if run.reason else "")
    took = f" in {duration(run.duration_s)}" if run.duration_s is not None else ""
    told = result(run)
    return f"run {run.id}, {when}{took}" + (f": {told}" if told else "")


def _untested(states: Sequence[_State]) -> Iterator[Line]:
    """Jobs that have not passed their test as they are now."""
    names = [each.job.name for each in states if not each.tested and each.job.digest and not each.job.problems]
    if not names:
        return
    told = ", ".join(names[:UNTESTED_SHOWN])
    more = f" and {len(names) - UNTESTED_SHOWN} more" if len(names) > UNTESTED_SHOWN else ""
    yield Line(f"Untested as they are now: {told}{more} (idms test JOB).", "yellow")


def _shortly(reason: str) -> str:
    """What is said of the connection stands above the table, once for all its runs."""
    return reason.partition(",")[0] if reason.startswith("waits for connection ") else reason


def _data(state: _State) -> dict[str, Any]:
    return {
        "job": state.job.name,
        "state": state.word,
        "description": state.job.description,
        "module": state.job.module,
        "disabled": state.job.disabled,
        "next_due": state.next_due.isoformat() if state.next_due else None,
        "tested": state.tested,
        "problems": list(state.job.problems),
        "last_run": run_data(state.last) if state.last else None,
    }


def run_data(run: Run) -> dict[str, Any]:
    """A run as JSON; the fields are those of the history."""
    names = ("id", "job", "due", "by_hand", "dry_run", "status", "reason", "hint", "created_at", "started_at")
    more = ("ended_at", "duration_s", "attempt", "retried", "not_before", "exit_code")
    source = ("options", "source", "batch", "counts")
    return {name: _plain(getattr(run, name)) for name in (*names, *more, *source)}


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value


def _banner(last_tick: float | None, clock: Clock) -> str:
    if last_tick is None:
        return "run-due has never been called: nothing starts on its own. The README has the cron line."
    silent_s = clock.now.timestamp() - last_tick
    if silent_s < SILENT_AFTER_S:
        return ""
    return f"run-due has not been called since {clock.moment(moment(last_tick))}: nothing starts on its own."
