"""`idms enable JOB`: its slots run again."""

import click

from idms_cli.commands import Session, pass_session
from idms_cli.commands.deciding import who
from idms_cli.dispatch.owed import settle_owed
from idms_cli.dispatch.reading import require_job
from idms_cli.dispatch.refresh import refresh
from idms_cli.errors import InputError


@click.command()
@click.argument("job")
@pass_session
def command(session: Session, job: str) -> None:
    """Let JOB run again after `idms disable`, or after too many failures in a row. They are counted anew."""
    require_job(session.settings, job)
    switch = session.store.switches.one(job)
    if switch is None or not switch.disabled:
        hint = "If its file says `enabled: false`, change that."
        raise InputError(f"{job} is not disabled by a command or by failures", hint=hint)
    now = session.now()
    row = refresh(session.store, session.settings, now).jobs[job]
    settle_owed(session.store, row, int(now.timestamp()), reason=switch.disabled)
    session.store.switches.enable(job, now.timestamp(), by=who())
    click.echo(f"{job} is enabled; it was {switch.disabled}")
