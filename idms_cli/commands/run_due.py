"""`idms run-due`: one tick; with --wait, ticks until nothing runs any more."""

from datetime import datetime

import click

from idms_cli.commands import Session, pass_session
from idms_cli.config.problems import Problem, format_problem
from idms_cli.dispatch.tick import Tick, tick
from idms_cli.dispatch.waiting import stay


@click.command("run-due")
@click.option("--wait", is_flag=True, help="Stay while runs last, and tick again each minute. For containers.")
@click.option("--at", metavar="TIME", help="Act as if it were TIME (2026-12-01 02:15), to try a schedule.")
@pass_session
def command(session: Session, *, wait: bool, at: str | None) -> int:
    """Start what is due and leave at once. For cron or a systemd timer, every minute.

    stdout says what was started; what needs a person goes to stderr. Exit code 2 when a job file that changed is wrong.
    """
    pretended = _moment(at, session) if at else None
    done = tick(session.store, session.settings, session.now(), pretended=pretended)
    code = _tell(done)
    if wait:
        return max(code, stay(session.store, session.settings, session.now, first=done, told=_tell))
    return code


def _moment(text: str, session: Session) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"'{text}' is no time; write it like 2026-12-01 02:15", param_hint="--at") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=session.settings.timezone)


def _tell(done: Tick) -> int:
    for run in done.interrupted:
        then = "it goes on now" if run.id in done.started else "it goes on as soon as it can"
        click.echo(f"run {run.id} of {run.job} was interrupted: {run.reason}; {then}", err=True)
    for row in done.broken:
        for problem in row.problems:
            click.echo(format_problem(Problem(**problem)), err=True)
    for claim in done.claims:
        if claim.run is not None:
            click.echo(f"{claim.job}: run {claim.run}")
        if claim.reason:
            click.echo(f"{claim.job}: skipped, {claim.reason}")
        missed = claim.skipped - bool(claim.reason)
        if missed > 0:
            click.echo(f"{claim.job}: {missed:,} earlier slots skipped")
    if done.note:
        click.echo(done.note, err=True)
    return 2 if done.broken else 0
