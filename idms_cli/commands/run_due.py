"""`idms run-due`: one tick; with --wait, ticks until nothing runs any more."""

import sys
from collections.abc import Iterator
from datetime import datetime
from functools import partial

import click

from idms_cli.commands import Session, pass_session
from idms_cli.commands.moments import exact_moment
from idms_cli.config.problems import Problem, format_problem
from idms_cli.dispatch.claim import Claimed
from idms_cli.dispatch.tick import Tick, tick
from idms_cli.dispatch.waiting import let_senders_end, stay
from idms_cli.errors import Interrupted
from idms_cli.reports.incidents import incident_sentence
from idms_cli.reports.page import Line, Page, show
from idms_cli.reports.status import settled_line
from idms_cli.reports.wording import Clock, in_minutes, some


@click.command("run-due")
@click.option("--wait", is_flag=True, help="Stay while runs last, and tick again each minute. For containers.")
@click.option("--at", metavar="TIME", help="Act as if it were TIME (2026-12-01 02:15), to try a schedule.")
@pass_session
def command(session: Session, *, wait: bool, at: str | None) -> int:
    """Start what is due and leave at once. For cron or a systemd timer, every minute.

    stdout says what was started; what needs a person goes to stderr. Exit code 2 when a job file that changed is wrong.
    """
    pretended = exact_moment(at, session.settings.timezone, "--at") if at else None
    began = session.now()

    def tick_at(now: datetime) -> Tick:
        """By the clock; or by the pretended one, which goes on from its TIME."""
        as_if = pretended + (now - began) if pretended else None
        return tick(session.store, session.settings, now, pretended=as_if)

    first = tick_at(began)
    code = _tell(session, first)
    if wait:
        told = partial(_tell, session)
        code = max(code, stay(session.store, session.now, first=first, again=lambda: tick_at(session.now()), told=told))
        if code != Interrupted.exit_code:
            let_senders_end(session.store, session.settings, session.now())
    return code


def _tell(session: Session, done: Tick) -> int:
    show(Page({}, [Line(text) for text in _needs_a_person(session, done)]), file=sys.stderr)
    show(Page({}, [*map(settled_line, done.settled), *(Line(text) for each in done.claims for text in _became(each))]))
    return 2 if done.broken else 0


def _needs_a_person(session: Session, done: Tick) -> Iterator[str]:
    if done.incident:
        clock = Clock(session.settings.timezone, session.now())
        yield incident_sentence(session.store, done.incident, clock)
    for run in done.interrupted:
        then = "it goes on now" if run.id in done.started else "it goes on as soon as it can"
        yield f"run {run.id} of {run.job} was interrupted: {run.reason}; {then}"
    for run in done.overdue:
        yield f"run {run.id} of {run.job} did not begin: {run.reason}"
    for switch in done.disabled:
        yield f"{switch.job}: {switch.disabled}; `idms enable {switch.job}`, or a change of its file, lets it run again"
    for row in done.broken:
        for problem in row.problems:
            yield from format_problem(Problem(**problem)).split("\n")
    yield from done.news
    if done.note:
        yield done.note


def _became(claim: Claimed) -> Iterator[str]:
    if claim.runs:
        late = f", {in_minutes(claim.late_s)} late" if claim.late_s else ""
        yield f"{claim.job}: run{'s' if len(claim.runs) > 1 else ''} {', '.join(map(str, claim.runs))}{late}"
    elif not claim.reason:
        return  # another run-due was faster, and tells
    if claim.reason:
        yield f"{claim.job}: skipped, {claim.reason}"
    earlier = claim.skipped - bool(claim.reason)
    if earlier:
        yield f"{claim.job}: {some(earlier, 'earlier slot')} skipped"
