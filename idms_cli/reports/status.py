"""How each job stands: state, last run, next run, and a banner when nobody calls run-due."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from idms_cli.history.rows import JobRow, Run, moment
from idms_cli.history.store import Store
from idms_cli.reports.page import Line, Page, Table
from idms_cli.reports.wording import Clock, counts, duration

SILENT_AFTER_S = 180
"""run-due is expected every minute; after three it is missed."""


def status_page(store: Store, jobs: Mapping[str, JobRow], clock: Clock) -> Page:
    """All jobs, by name."""
    last = store.runs.last_of_each_job()
    open_runs = {run.job: run for run in store.runs.open() if not run.dry_run}
    rows = [_row(job, last.get(name), open_runs.get(name), clock) for name, job in jobs.items()]
    banner = _banner(store.ticks.last(), clock)
    parts: list[Line | Table] = []
    if banner:
        parts.append(Line(banner, "bold red"))
    if rows:
        table = [(row["job"], row["state"], row["last"], clock.moment(row["next_due"])) for row in rows]
        parts.append(Table(("job", "state", "last run", "next run"), table))
        parts.append(Line(f"Times are in {clock.zone}.", "dim"))
    else:
        parts.append(Line("There are no jobs yet. A YAML file in jobs.d/ makes one."))
    data = {"jobs": [{**row, "last": None} | _run_data(row.pop("run")) for row in rows], "banner": banner}
    return Page(data, parts)


def _row(job: JobRow, last: Run | None, current: Run | None, clock: Clock) -> dict[str, Any]:
    return {
        "job": job.name,
        "state": _state(job, last, current),
        "description": job.description,
        "module": job.module,
        "last": _last(job, last, current, clock),
        "next_due": moment(job.next_due) if job.enabled and not job.problems else None,
        "problems": list(job.problems),
        "run": last,
    }


def _state(job: JobRow, last: Run | None, current: Run | None) -> str:
    if job.problems:
        return "broken"
    if current:
        return current.status
    if not job.enabled:
        return "disabled"
    return last.status if last else "new"


def _last(job: JobRow, last: Run | None, current: Run | None, clock: Clock) -> str:
    if job.problems:
        first = job.problems[0]
        more = f" (and {len(job.problems) - 1} more)" if len(job.problems) > 1 else ""
        return f"line {first['line']}: {first['message']}{more}; see idms check"
    if last is None:
        return "-"
    when = clock.moment(last.started_at or last.created_at)
    if current:
        return f"run {current.id} since {when}" + (f": {current.reason}" if current.reason else "")
    numbers = counts(last.counts)
    took = f" in {duration(last.duration_s)}" if last.duration_s is not None else ""
    told = numbers or last.reason
    return f"run {last.id}, {when}{took}" + (f": {told}" if told else "")


def _run_data(run: Run | None) -> dict[str, Any]:
    return {"last_run": None if run is None else run_data(run)}


def run_data(run: Run) -> dict[str, Any]:
    """A run as JSON; the fields are those of the history."""
    names = ("id", "job", "due", "by_hand", "dry_run", "status", "reason", "hint", "created_at", "started_at")
    more = ("ended_at", "duration_s", "attempt", "exit_code", "counts")
    return {name: _plain(getattr(run, name)) for name in (*names, *more)}


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value


def _banner(last_tick: float | None, clock: Clock) -> str:
    if last_tick is None:
        return "run-due has never been called: nothing starts on its own. The README has the cron line."
    silent_s = clock.now.timestamp() - last_tick
    if silent_s < SILENT_AFTER_S:
        return ""
    return f"run-due has not been called since {clock.moment(moment(last_tick))}: nothing starts on its own."
