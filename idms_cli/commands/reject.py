"""`idms reject RUN`: a held run will not be carried out."""

import click

from idms_cli.commands import Session, pass_session
from idms_cli.commands.deciding import find_held, who
from idms_cli.dispatch.deciding import reject


@click.command()
@click.argument("run_id", metavar="RUN", type=int)
@pass_session
def command(session: Session, run_id: int) -> None:
    """End a held RUN: nothing of its plan is written. Who rejected it, and when, is kept.

    Of a run that asks whether records were stored, what it wrote stays; those and the rest are in its rejects file.
    """
    run = find_held(session, run_id)
    reject(session.store, session.settings, run, who(), session.now().timestamp())
    what = "what it wrote stays, the rest is in its rejects file" if run.asks else "nothing was written"
    click.echo(f"run {run_id} of {run.job} is rejected; {what}")
