"""How each job stands: state, last run, next run, and a banner when nobody calls run-due."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from idms_cli.dispatch.owed import Settled
from idms_cli.dispatch.planning import occurrences_of
from idms_cli.dispatch.refresh import Refreshed
from idms_cli.history.rows import JobRow, Pause, Run, moment
from idms_cli.history.store import Store
from idms_cli.reports.incidents import incident_data, incident_sentence, silence
from idms_cli.reports.page import Line, Page, Table
from idms_cli.reports.wording import Clock, duration, late, result, some

RECENT_S = 24 * 3600
"""So long status tells of a silence that is over."""

UNTESTED_SHOWN = 8

NO_JOBS = "There are no jobs yet. A YAML file in jobs.d/ makes one."


def status_page(store: Store, refreshed: Refreshed, clock: Clock, *, away: Page) -> Page:
    """All jobs, by name, after the connections that do not work (`away`)."""
    last = store.runs.last_of_each_job()
    current = {run.job: run for run in reversed(store.runs.open()) if not run.dry_run}
    tested = store.trials.all()
    pauses = store.pauses.not_over(int(clock.now.timestamp()))
    states = [
        _State(
            job,
            last.get(name),
            current.get(name),
            tested=(name, job.digest) in tested,
            pause=pauses.get(name),
            resumes=_after_pause(store, job, pauses.get(name)),
        )
        for name, job in refreshed.jobs.items()
    ]
    banner = silence(store, clock)
    incidents = store.incidents.newest(since=clock.now.timestamp() - RECENT_S)
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


@dataclass(frozen=True)
class _State:
    """A job, its newest run, the oldest run of it that is not over, and its pause."""

    job: JobRow
    last: Run | None
    current: Run | None
    tested: bool
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
    def next_due(self) -> datetime | None:
        stands_still = self.job.problems or self.job.disabled or not self.job.enabled
        if stands_still:
            return None
        return self.resumes if self.pause else moment(self.job.next_due)


def _after_pause(store: Store, job: JobRow, pause: Pause | None) -> datetime | None:
    if pause is None or pause.until is None or not job.schedule:
        return None
    upcoming = occurrences_of(store, job).next_after(pause.until - timedelta(seconds=1))
    return None if upcoming is None else upcoming.acts_at


def _next(state: _State, clock: Clock) -> str:
    due = state.next_due
    return f"due since {clock.moment(due)}" if due and due <= clock.now else clock.moment(due)


def _last(state: _State, clock: Clock) -> str:
    problems, run = state.job.problems, state.current or state.last
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        return f"line {problems[0]['line']}: {problems[0]['message']}{more}; see idms check"
    paused = f"{state.pause.reason}, since {clock.moment(state.pause.since)}" if state.pause else ""
    disabled = state.job.disabled and f"{state.job.disabled} (idms enable {state.job.name})"
    return "; ".join(filter(None, (paused, _run(run, state.current, clock), disabled))) or "-"


def _run(run: Run | None, current: Run | None, clock: Clock) -> str:
    if run is None:
        return ""
    when = clock.moment(run.started_at or run.created_at)
    if current:
        return f"run {run.id} since {when}" + (f": {_shortly(run.reason)}" if run.reason else "")
    took = f" in {duration(run.duration_s)}" if run.duration_s is not None else ""
    told = result(run)
    return f"run {run.id}, {when}{late(run)}{took}" + (f": {told}" if told else "")


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
    names = ("id", "job", "due", "late_s", "by_hand", "dry_run", "status", "reason", "hint", "created_at", "started_at")
    more = ("ended_at", "duration_s", "attempt", "retried", "not_before", "exit_code")
    source = ("options", "source", "batch", "counts")
    return {name: _plain(getattr(run, name)) for name in (*names, *more, *source)}


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value
