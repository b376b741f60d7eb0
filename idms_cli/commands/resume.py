"""`idms resume RUN`: an interrupted run, or one that was put off, goes on now rather than later."""

import click

from idms_cli.commands import Session, json_option, pass_session
from idms_cli.commands.deciding import find_run
from idms_cli.commands.foreground import see_through
from idms_cli.dispatch.foreground import take_in_hand
from idms_cli.errors import InputError


@click.command()
@click.argument("run_id", metavar="RUN", type=int)
@json_option
@pass_session
def command(session: Session, run_id: int, *, as_json: bool) -> int:
    """Go on with RUN, interrupted or to be tried again later, at the record in question, now, and wait for it."""
    run = find_run(session, run_id)
    if run.status != "interrupted" and run.not_before is None:
        hint = "What a failed or partial run did not write can be tried again with `idms retry RUN --rejected`."
        raise InputError(f"run {run_id} is not interrupted: it is {run.status}", hint=hint)
    taken = take_in_hand(session.store, run, lambda connection: session.store.runs.take_over(connection, run_id))
    return see_through(session, *taken, as_json=as_json)
