"""How each job stands, those that need somebody first; and a banner when nobody calls run-due."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from idms_cli.config.foreign import shortened
from idms_cli.dispatch.owed import Settled
from idms_cli.dispatch.refresh import Refreshed
from idms_cli.dispatch.settle import read_progress
from idms_cli.history.rows import Pause, Run
from idms_cli.history.store import Store
from idms_cli.reports.incidents import incident_data, incident_sentence, silence
from idms_cli.reports.page import Line, Page, Table, aligned
from idms_cli.reports.stage import stage_of
from idms_cli.reports.standing import GROUPS, NEEDS_YOU, Standing, standings
from idms_cli.reports.trend import Trend, trend_of
from idms_cli.reports.undelivered import undelivered_page
from idms_cli.reports.wording import Clock, some

RECENT_S = 24 * 3600
"""So long status tells of a silence that is over, and of messages that could not be delivered."""

UNTESTED_SHOWN = 8
TOLD_SHOWN = 200
"""Characters of what is said of a job: `idms show` has all of it."""

NO_JOBS = "There are no jobs yet. A YAML file in jobs.d/ makes one."
COLUMNS = ("job", "state", "next run", "took", "rows", "last run")
EXTRA = ("rows", "took")
STYLES = {NEEDS_YOU: "bold red"}


def status_page(store: Store, refreshed: Refreshed, clock: Clock, *, away: Page) -> Page:
    """All jobs in groups, each by name, after the connections that do not work (`away`)."""
    states = standings(store, refreshed.jobs, clock)
    trends = {each.job.name: trend_of(store.statistics.newest(each.job.name)) for each in states}
    banner = silence(store, clock)
    since = clock.now.timestamp() - RECENT_S
    undelivered = undelivered_page(store.outbox.given_up(since), clock)
    incidents = store.incidents.newest(since=since)
    parts: list[Line | Table] = []
    if banner:
        parts.append(Line(banner, "bold red"))
    parts += [*away.parts, *undelivered.parts]
    if states:
        parts += _groups(store, states, trends, clock)
        parts += _untested(states)
        parts.append(Line(f"Times are in {clock.zone}.", "dim"))
    else:
        parts.append(Line(NO_JOBS))
    parts += map(settled_line, refreshed.settled)
    parts += [Line(_capital(incident_sentence(store, each, clock)) + ".", "yellow") for each in incidents]
    told = [incident_data(store, each) for each in incidents]
    jobs = [_data(each, trends[each.job.name]) for each in states]
    return Page({"jobs": jobs, "banner": banner, "incidents": told, **away.data, **undelivered.data}, parts)


def _groups(
    store: Store, states: Sequence[Standing], trends: Mapping[str, Trend], clock: Clock
) -> Iterator[Line | Table]:
    """A heading and a table for each group that has a job."""
    groups = {name: [each for each in states if each.group == name] for name in GROUPS}
    filled = {name: members for name, members in groups.items() if members}
    tables = aligned([
        Table(COLUMNS, [_row(store, each, trends[each.job.name], clock) for each in members], extra=EXTRA)
        for members in filled.values()
    ])  # fmt: skip
    for number, ((name, members), table) in enumerate(zip(filled.items(), tables, strict=True)):
        if number:
            yield Line("")
        yield Line(f"{name}: {len(members)}", STYLES.get(name, "bold"))
        yield table


def _row(store: Store, state: Standing, trend: Trend, clock: Clock) -> tuple[str, ...]:
    told = state.told(clock)
    if state.word == "running" and state.current:
        stage = stage_of(read_progress(store.run_directory(state.current.id)))
        told += f": {stage}" if stage else ""
    streak = "" if state.word in ("broken", "running") else trend.streak(clock)
    advice = f" ({state.advice})" if state.advice else ""
    said = shortened("; ".join(filter(None, (streak, told))), TOLD_SHOWN) + advice
    return state.job.name, state.word, state.next(clock), trend.durations, trend.rows, said


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


def _data(state: Standing, trend: Trend) -> dict[str, Any]:
    return {
        "job": state.job.name,
        "state": state.word,
        "group": state.group,
        "description": state.job.description,
        "module": state.job.module,
        "disabled": state.job.disabled,
        "next_due": state.next_due.isoformat() if state.next_due else None,
        "done": state.is_done,
        "pause": pause_data(state.pause) if state.pause else None,
        "tested": state.tested,
        "problems": list(state.job.problems),
        "last_run": run_data(state.last) if state.last else None,
        **trend.as_data(),
    }


def pause_data(pause: Pause) -> dict[str, Any]:
    """A pause as JSON."""
    names = ("job", "since", "until", "why", "who")
    return {name: _plain(getattr(pause, name)) for name in names}


def run_data(run: Run) -> dict[str, Any]:
    """A run as JSON; the fields are those of the history."""
    names = ("id", "job", "intent", "of_run", "due", "late_s", "by_hand", "dry_run", "status", "reason", "hint")
    times = ("created_at", "started_at", "ended_at", "duration_s", "not_before", "decided_at")
    more = ("module", "sites", "attempt", "retried", "decided_by", "exit_code", "options", "source", "batch", "counts")
    return {name: _plain(getattr(run, name)) for name in (*names, *times, *more)}


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value
