"""`idms backfill JOB`: run the slots of a stretch of time that have no success, each in its own time."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import click

from idms_cli.commands import Session, json_option, pass_session
from idms_cli.commands.foreground import wait_for
from idms_cli.commands.moments import exact_moment
from idms_cli.dispatch.backfill import RAN_WELL, Gone, Lack, lacks, take_up
from idms_cli.dispatch.batch import rest_of_batch
from idms_cli.dispatch.locks import Lock
from idms_cli.dispatch.reading import find_job
from idms_cli.dispatch.refresh import refresh
from idms_cli.dispatch.settle import settle
from idms_cli.errors import InputError, Interrupted
from idms_cli.history.rows import JobRow, Run, moment
from idms_cli.jobs.job import Job
from idms_cli.modules import Work
from idms_cli.reports.backfill import done_page, plan_page
from idms_cli.reports.page import Line, Page, show
from idms_cli.reports.run import summary
from idms_cli.reports.wording import Clock


@click.command()
@click.argument("job")
@click.option("--from", "since", metavar="TIME", required=True, help="The first slot, by the job's clock: 2026-12-01.")
@click.option("--to", "until", metavar="TIME", help="The last slot; a date means its whole day. Default: now.")
@click.option(
    "--missing/--again", default=True, help="Only what has no success (the default); or also what ran well, again."
)
@click.option("--list", "only_list", is_flag=True, help="Only show what would run.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--keep-going", is_flag=True, help="Go on with the next slot when one fails.")
@json_option
@pass_session
def command(
    session: Session, job: str, since: str, until: str | None, *,
    missing: bool, only_list: bool, yes: bool, keep_going: bool, as_json: bool,
) -> int:  # fmt: skip
    """Run the slots of JOB in a stretch of time which have no success, oldest first, and wait for them.

    Each runs in its own time: what a run is told of the time is its slot, not the clock. Shows the slots first, and
    asks. A slot that ran well, or partly, is left alone. Never beside another run of JOB; scheduled ones go first.
    Stopped or killed, the same command goes on where it was.
    """
    store, now = session.store, session.now()
    defined, work = find_job(session.settings, job)
    settle(store, now.timestamp())
    row = refresh(store, session.settings, now).jobs[job]
    if not row.schedule:
        raise InputError(f"{job} has no schedule, and so no slots", hint=f"`idms run {job}` runs it once.")
    clock = Clock(ZoneInfo(row.timezone), now)
    first, last = exact_moment(since, clock.zone, "--from"), _end(until, clock)
    if first > now:
        raise click.BadParameter(f"'{since}' is still to come: it is {clock.exact(now)}", param_hint="--from")
    if first > last:
        raise click.BadParameter("it lies after --to", param_hint="--from")
    found = lacks(store, row, first, last, again=not missing)
    todo = [lack for lack in found if lack.action]
    if only_list or not todo or not as_json:
        show(plan_page(job, found, clock, undecided=_undecided(row, last)), as_json=as_json)
    if only_list or not todo:
        return 0
    if not yes:
        _ask(as_json=as_json)
    ended = _run_all(session, _Backfill(defined, work, again=not missing, keep_going=keep_going), todo, clock)
    show(done_page(job, found, ended, clock), as_json=as_json)
    bad = [run for run in ended.values() if run.status not in RAN_WELL]
    return (bad[-1].exit_code or 1) if bad else 0


@dataclass(frozen=True)
class _Backfill:
    job: Job
    work: Work
    again: bool
    keep_going: bool


def _run_all(session: Session, backfill: _Backfill, todo: list[Lack], clock: Clock) -> dict[datetime, Run]:
    """The runs that ended, by slot; after a bad one no further, unless it was said to keep going."""
    ended: dict[datetime, Run] = {}
    for lack in todo:
        try:
            taken = take_up(session.store, backfill.job, backfill.work, lack, again=backfill.again)
        except Gone as gone:
            _say(f"{clock.moment(lack.slot)}: left alone, {gone}")
            continue
        for run in _all_files(session, *taken):
            ended[lack.slot] = run
            _say(f"{clock.moment(lack.slot)}: {summary(run)}")
            if run.status not in RAN_WELL:
                break
        run = ended[lack.slot]
        if run.exit_code == Interrupted.exit_code or (run.status not in RAN_WELL and not backfill.keep_going):
            break
    return ended


def _all_files(session: Session, run: Run, alive: Lock) -> Iterator[Run]:
    """The run of a slot; and where the job's files are a run each, those of the others."""
    ended = wait_for(session, run, alive)
    yield ended
    yield from rest_of_batch(session.store, session.settings, ended)


def _say(text: str) -> None:
    show(Page({}, [Line(text)]), file=sys.stderr)


def _ask(*, as_json: bool) -> None:
    if as_json or not sys.stdin.isatty():
        raise InputError("nobody is here to be asked", hint="Say --yes to run these slots, --list to only see them.")
    if not click.confirm("Run them now?"):
        raise click.Abort


def _undecided(row: JobRow, last: datetime) -> datetime | None:
    due = moment(row.next_due)
    return due if due and due <= last else None


def _end(text: str | None, clock: Clock) -> datetime:
    if text is None:
        return clock.now
    end = exact_moment(text, clock.zone, "--to")
    is_whole_day = len(text.strip()) == len("2026-12-01")
    return min(clock.now, end + timedelta(days=1, seconds=-1) if is_whole_day else end)
