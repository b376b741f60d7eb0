"""`idms reject RUN`: a held run will not be carried out."""

import click

from idms_cli.commands import Session, pass_session
from idms_cli.commands.deciding import find_held, who
from idms_cli.errors import InputError


@click.command()
@click.argument("run_id", metavar="RUN", type=int)
@pass_session
def command(session: Session, run_id: int) -> None:
    """End a held RUN: nothing of its plan is written. Who rejected it, and when, is kept."""
    run = find_held(session, run_id)
    if not session.store.runs.refuse(run_id, who(), session.now().timestamp()):
        raise InputError(f"run {run_id} is no longer held", hint=f"`idms show {run_id}` says more.")
    click.echo(f"run {run_id} of {run.job} is rejected; nothing was written")
