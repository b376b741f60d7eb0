"""How each job stands: state, last run, next run, and a banner when nobody calls run-due."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from idms_cli.dispatch.owed import Settled
from idms_cli.dispatch.refresh import Refreshed
from idms_cli.history.rows import Pause, Run
from idms_cli.history.store import Store
from idms_cli.reports.incidents import incident_data, incident_sentence, silence
from idms_cli.reports.page import Line, Page, Table
from idms_cli.reports.standing import Standing, standings
from idms_cli.reports.wording import Clock, some

RECENT_S = 24 * 3600
"""So long status tells of a silence that is over."""

UNTESTED_SHOWN = 8

NO_JOBS = "There are no jobs yet. A YAML file in jobs.d/ makes one."


def status_page(store: Store, refreshed: Refreshed, clock: Clock, *, away: Page) -> Page:
    """All jobs, by name, after the connections that do not work (`away`)."""
    states = standings(store, refreshed.jobs, clock)
    banner = silence(store, clock)
    incidents = store.incidents.newest(since=clock.now.timestamp() - RECENT_S)
    parts: list[Line | Table] = []
    if banner:
        parts.append(Line(banner, "bold red"))
    parts += away.parts
    if states:
        rows = [(each.job.name, each.word, each.next(clock), each.told(clock)) for each in states]
        parts.append(Table(("job", "state", "next run", "last run"), rows))
        parts += _untested(states)
        parts.append(Line(f"Times are in {clock.zone}.", "dim"))
    else:
        parts.append(Line(NO_JOBS))
    parts += map(settled_line, refreshed.settled)
    parts += [Line(_capital(incident_sentence(store, each, clock)) + ".", "yellow") for each in incidents]
    told = [incident_data(store, each) for each in incidents]
    return Page({"jobs": [_data(each) for each in states], "banner": banner, "incidents": told, **away.data}, parts)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def settled_line(settled: Settled) -> Line:
    """What a job that was edited or removed no longer owes."""
    more = "more than " if settled.is_more else ""
    return Line(f"{settled.job}: {more}{some(settled.slots, 'slot')} skipped, {settled.reason}")


def _untested(states: Sequence[Standing]) -> Iterator[Line]:
    """Jobs that have not passed their test as they are now."""
    names = [each.job.name for each in states if not each.tested and each.job.digest and not each.job.problems]
    if not names:
        return
    told = ", ".join(names[:UNTESTED_SHOWN])
    more = f" and {len(names) - UNTESTED_SHOWN} more" if len(names) > UNTESTED_SHOWN else ""
    yield Line(f"Untested as they are now: {told}{more} (idms test JOB).", "yellow")


def _data(state: Standing) -> dict[str, Any]:
    return {
        "job": state.job.name,
        "state": state.word,
        "description": state.job.description,
        "module": state.job.module,
        "disabled": state.job.disabled,
        "next_due": state.next_due.isoformat() if state.next_due else None,
        "done": state.is_done,
        "pause": pause_data(state.pause) if state.pause else None,
        "tested": state.tested,
        "problems": list(state.job.problems),
        "last_run": run_data(state.last) if state.last else None,
    }


def pause_data(pause: Pause) -> dict[str, Any]:
    """A pause as JSON."""
    names = ("job", "since", "until", "why", "who")
    return {name: _plain(getattr(pause, name)) for name in names}


def run_data(run: Run) -> dict[str, Any]:
    """A run as JSON; the fields are those of the history."""
    names = ("id", "job", "intent", "of_run", "due", "late_s", "by_hand", "dry_run", "status", "reason", "hint")
    times = ("created_at", "started_at", "ended_at", "duration_s", "not_before", "decided_at")
    more = ("attempt", "retried", "decided_by", "exit_code", "options", "source", "batch", "counts")
    return {name: _plain(getattr(run, name)) for name in (*names, *times, *more)}


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value
