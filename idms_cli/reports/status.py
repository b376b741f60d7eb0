"""How each job stands: state, last run, next run, and a banner when nobody calls run-due."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from idms_cli.history.rows import JobRow, Run, moment
from idms_cli.history.store import Store
from idms_cli.reports.page import Line, Page, Table
from idms_cli.reports.standing import Standing, standings
from idms_cli.reports.wording import Clock

SILENT_AFTER_S = 180
"""run-due is expected every minute; after three it is missed."""

NO_JOBS = "There are no jobs yet. A YAML file in jobs.d/ makes one."


def status_page(store: Store, jobs: Mapping[str, JobRow], clock: Clock) -> Page:
    """All jobs, by name."""
    standing = standings(store, jobs)
    silence = banner(store.ticks.last(), clock)
    parts: list[Line | Table] = []
    if silence:
        parts.append(Line(silence, "bold red"))
    if standing:
        rows = [(each.job.name, each.word, each.next(clock), each.told(clock)) for each in standing]
        parts.append(Table(("job", "state", "next run", "last run"), rows))
        parts.append(Line(f"Times are in {clock.zone}.", "dim"))
    else:
        parts.append(Line(NO_JOBS))
    return Page({"jobs": [_data(each) for each in standing], "banner": silence}, parts)


def _data(state: Standing) -> dict[str, Any]:
    return {
        "job": state.job.name,
        "state": state.word,
        "description": state.job.description,
        "module": state.job.module,
        "next_due": state.next_due.isoformat() if state.next_due else None,
        "problems": list(state.job.problems),
        "last_run": run_data(state.last) if state.last else None,
    }


def run_data(run: Run) -> dict[str, Any]:
    """A run as JSON; the fields are those of the history."""
    names = ("id", "job", "due", "by_hand", "dry_run", "status", "reason", "hint", "created_at", "started_at")
    more = ("ended_at", "duration_s", "attempt", "exit_code", "counts")
    return {name: _plain(getattr(run, name)) for name in (*names, *more)}


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value


def banner(last_tick: float | None, clock: Clock) -> str:
    """What to say when run-due is not called; last_tick is in UTC seconds."""
    if last_tick is None:
        return "run-due has never been called: nothing starts on its own. The README has the cron line."
    silent_s = clock.now.timestamp() - last_tick
    if silent_s < SILENT_AFTER_S:
        return ""
    return f"run-due has not been called since {clock.moment(moment(last_tick))}: nothing starts on its own."
