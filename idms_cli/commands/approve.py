"""`idms approve RUN`: a held run carries out exactly the plan that was seen."""

import click

from idms_cli.commands import Session, json_option, pass_session
from idms_cli.commands.deciding import find_held, who
from idms_cli.commands.foreground import see_through
from idms_cli.dispatch.foreground import take_in_hand


@click.command()
@click.argument("run_id", metavar="RUN", type=int)
@json_option
@pass_session
def command(session: Session, run_id: int, *, as_json: bool) -> int:
    """Approve a held RUN: it carries out exactly its plan, now, and this command waits for it.

    A record that somebody has changed since the plan was made is left alone and told as rejected. Who approved it, and
    when, is kept.
    """
    run = find_held(session, run_id)
    now = session.now().timestamp()
    taken = take_in_hand(
        session.store, run, lambda connection: session.store.runs.approve(connection, run_id, who(), now)
    )
    return see_through(session, *taken, as_json=as_json)
