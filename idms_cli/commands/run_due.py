"""`idms run-due`: one tick; with --wait, ticks until nothing runs any more."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import NamedTuple, TextIO

import click

from idms_cli.commands import Session, pass_session
from idms_cli.commands.moments import exact_moment
from idms_cli.config.journald import INFO, WARNING, tell_journal
from idms_cli.config.problems import Problem, format_problem
from idms_cli.dispatch.claim import Claimed
from idms_cli.dispatch.telling import about
from idms_cli.dispatch.tick import Tick, tick
from idms_cli.dispatch.waiting import let_senders_end, stay
from idms_cli.errors import Interrupted
from idms_cli.reports.incidents import incident_sentence
from idms_cli.reports.page import Line, Page, show
from idms_cli.reports.status import settled_line
from idms_cli.reports.wording import Clock, in_minutes, some


class Told(NamedTuple):
    """A line that a tick tells, and the fields by which the journal finds it."""

    text: str
    fields: Mapping[str, object] = {}


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
    _say(_needs_a_person(session, done), sys.stderr, priority=WARNING)
    settled = (Told(settled_line(each).text, {"IDMS_JOB": each.job}) for each in done.settled)
    _say([*settled, *(told for each in done.claims for told in _became(each))], sys.stdout, priority=INFO)
    return 2 if done.broken else 0


def _say(told: Iterable[Told], out: TextIO, *, priority: int) -> None:
    """To the journal with its fields, where systemd runs us; else as lines."""
    left = [each for each in told if not tell_journal(each.text, each.fields, priority=priority)]
    show(Page({}, [Line(each.text) for each in left]), file=out)


def _needs_a_person(session: Session, done: Tick) -> Iterator[Told]:
    if done.incident:
        clock = Clock(session.settings.timezone, session.now())
        yield Told(incident_sentence(session.store, done.incident, clock))
    for run in done.interrupted:
        then = "it goes on now" if run.id in done.started else "it goes on as soon as it can"
        yield Told(f"run {run.id} of {run.job} was interrupted: {run.reason}; {then}", about(run))
    for run in done.overdue:
        yield Told(f"run {run.id} of {run.job} did not begin: {run.reason}", about(run))
    for switch in done.disabled:
        then = f"`idms enable {switch.job}`, or a change of its file, lets it run again"
        yield Told(f"{switch.job}: {switch.disabled}; {then}", {"IDMS_JOB": switch.job})
    for row in done.broken:
        for problem in row.problems:
            for line in format_problem(Problem(**problem)).split("\n"):
                yield Told(line, {"IDMS_JOB": row.name})
    yield from map(Told, done.news)
    if done.note:
        yield Told(done.note)


def _became(claim: Claimed) -> Iterator[Told]:
    about_job = {"IDMS_JOB": claim.job}
    if claim.runs:
        late = f", {in_minutes(claim.late_s)} late" if claim.late_s else ""
        runs = ", ".join(map(str, claim.runs))
        one = {"IDMS_RUN": claim.runs[0]} if len(claim.runs) == 1 else {}
        yield Told(f"{claim.job}: run{'s' if len(claim.runs) > 1 else ''} {runs}{late}", {**about_job, **one})
    elif not claim.reason:
        return  # another run-due was faster, and tells
    if claim.reason:
        yield Told(f"{claim.job}: skipped, {claim.reason}", {**about_job, "IDMS_STATUS": "skipped"})
    earlier = claim.skipped - bool(claim.reason)
    if earlier:
        yield Told(f"{claim.job}: {some(earlier, 'earlier slot')} skipped", {**about_job, "IDMS_STATUS": "skipped"})
