"""`idms next`: what will run, and when."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import click

from idms_cli.commands import Session, json_option, pass_session
from idms_cli.commands.moments import exact_moment
from idms_cli.config.fields import parse_time_zone
from idms_cli.config.problems import BadValue
from idms_cli.dispatch.coming import Asked, coming, is_untested, why_never
from idms_cli.dispatch.forecasting import habits_of
from idms_cli.dispatch.reading import check_jobs, require_job
from idms_cli.dispatch.refresh import refresh
from idms_cli.errors import InputError
from idms_cli.history.durations import usual_durations
from idms_cli.history.rows import JobRow, Pause
from idms_cli.jobs.conflicts import conflicts
from idms_cli.jobs.meetings import forecast
from idms_cli.reports.coming import Foretold, Listed, calendar, listed, next_page
from idms_cli.reports.page import show
from idms_cli.reports.wording import Clock

OF_ONE_JOB = 24
"""Slots of one job, where all jobs are listed."""

AHEAD = 1000
"""Slots that are looked at to find one that will run."""


@click.command("next")
@click.argument("job", required=False)
@click.option("--days", metavar="N", type=click.IntRange(1, 3660), default=7, show_default=True, help="How far ahead.")
@click.option("--from", "start", metavar="TIME", help="Begin there instead of now: 2026-10-30.")
@click.option("--limit", metavar="N", type=click.IntRange(1, 10_000), default=100, show_default=True, help="How many.")
@click.option("--utc", is_flag=True, help="Show times in UTC.")
@click.option("--zone", metavar="ZONE", help="Show times by this clock: Europe/Zurich.")
@click.option("--ical", is_flag=True, help="Print an iCalendar file of what will run.")
@json_option
@pass_session
def command(
    session: Session, job: str | None, days: int, start: str | None, limit: int, *,
    utc: bool, zone: str | None, ical: bool, as_json: bool,
) -> None:  # fmt: skip
    """List what is to come: of all jobs, or of JOB by its own clock.

    Marked are clocks that are put forward or back, what will be skipped (holidays, pauses, missing tests), and
    who will wait for whom. Of each of several jobs the first slots are shown.
    """
    store, now = session.store, session.now()
    if job:
        require_job(session.settings, job)
    rows = refresh(store, session.settings, now).jobs
    chosen = [rows[job]] if job else list(rows.values())
    clock = Clock(_zone(session, chosen, single=job is not None, utc=utc, zone=zone), now)
    after = exact_moment(start, clock.zone, "--from") - timedelta(seconds=1) if start else now
    asked = Asked(after, after + timedelta(days=days), limit, limit if job else min(limit, OF_ONE_JOB))
    pauses = store.pauses.not_over(int(now.timestamp()))
    shown = listed(coming(store, chosen, asked, pauses), asked)
    if job and not shown.slots and not why_never(rows[job]):
        if rows[job].upstream:
            told = _when_it_follows(session, rows, job, after, clock, pauses=pauses)
        else:
            told = _what_is_later(session, rows[job], asked, clock, pauses)
        shown = replace(shown, instead=told)
    foretold = _foretell(session, rows, shown, now, pauses, about=[job] if job else [])
    if ical:
        sys.stdout.flush()
        sys.stdout.buffer.write(calendar(shown, now, foretold))  # its lines end with CR LF, whatever the system's do
        return
    idle = {row.name: why for row in chosen if (why := why_never(row) or _follows(row))}
    show(next_page(shown, asked, clock, idle, foretold), as_json=as_json, paged=True)


def _foretell(
    session: Session,
    rows: Mapping[str, JobRow],
    shown: Listed,
    now: datetime,
    pauses: Mapping[str, Pause],
    *,
    about: Sequence[str],
) -> Foretold:
    """Whom the starts that are shown will meet, and which jobs will meet in the days to come."""
    if len(rows) < 2 or not shown.slots:
        return Foretold()
    usual_s = usual_durations(session.store.database, rows)
    idle = {row.name for row in rows.values() if row.disabled or is_untested(session.store, row)}
    habits = habits_of(check_jobs(session.settings, now), usual_s, idle=idle, pauses=pauses.values())
    starts = [(one.job, one.occurrence.acts_at) for one in shown.slots if not one.skip]
    return Foretold(
        conflicts(habits, starts),
        forecast(habits, now, about=about),
        rows.keys() - usual_s.keys(),
    )


def _follows(row: JobRow) -> str:
    return f"comes after {row.upstream}" if row.upstream else ""


def _when_it_follows(
    session: Session,
    rows: Mapping[str, JobRow],
    job: str,
    after: datetime,
    clock: Clock,
    *,
    pauses: Mapping[str, Pause],
) -> str:
    """Of a job that comes after another one: what starts it, and when the first of the chain is due."""
    upstream = first = rows[job].upstream
    while first in rows and rows[first].upstream:
        first = rows[first].upstream
    asked = Asked(after, after + timedelta(days=366), AHEAD, AHEAD)
    found = coming(session.store, [rows[first]] if first in rows else [], asked, pauses)
    due = next((one.occurrence.acts_at for one in found if not one.skip), None)
    when = f"is next due {clock.moment(due)}" if due else "has no run to come"
    begins = "" if first == upstream else f", with which the chain to {upstream} begins,"
    return f"{job} starts when a scheduled run of {upstream} has gone well; {first}{begins} {when}."


def _what_is_later(session: Session, row: JobRow, asked: Asked, clock: Clock, pauses: Mapping[str, Pause]) -> str:
    """Of a job that has nothing to come in the time that was asked for: its first slot after that."""
    ever = replace(asked, until=datetime.max.replace(tzinfo=UTC), limit=1, per_job=1)
    first = next(coming(session.store, [row], ever, pauses), None)
    if first is None:
        start = asked.after + timedelta(seconds=1)
        return (
            f"{row.name} will not run again: its schedule is over."
            if asked.after <= clock.now
            else f"{row.name} will not run from {clock.moment(start)} on: its schedule is over then."
        )
    nothing = f"Nothing of {row.name} is to come until {clock.moment(asked.until + timedelta(seconds=1))}"
    skipped = f", skipped, {first.skip}" if first.skip else ""
    return f"{nothing}; the first after that is {clock.moment(first.occurrence.acts_at)}{skipped}."


def _zone(session: Session, rows: list[JobRow], *, single: bool, utc: bool, zone: str | None) -> ZoneInfo:
    if utc and zone:
        raise InputError("--utc and --zone contradict each other", hint="Say one of them.")
    if zone:
        try:
            return parse_time_zone(zone)
        except BadValue as bad:
            raise click.BadParameter(f"'{zone}': {bad}", param_hint="--zone") from None
    if utc:
        return ZoneInfo("UTC")
    return ZoneInfo(rows[0].timezone) if single and rows[0].schedule else session.settings.timezone
