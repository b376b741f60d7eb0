"""`idms approve RUN`: a held run carries out exactly the plan that was seen; one that asks goes on by the answer."""

import click

from idms_cli.commands import Session, json_option, pass_session
from idms_cli.commands.deciding import find_held, who
from idms_cli.commands.foreground import see_through
from idms_cli.dispatch.asking import in_question, keep, understood
from idms_cli.dispatch.foreground import take_in_hand


@click.command()
@click.argument("run_id", metavar="RUN", type=int)
@click.option("--stored", metavar="NUMBERS", default="", help="Of a run that asks: these records are on the site.")
@click.option("--not-stored", metavar="NUMBERS", default="", help="These are not there, and are sent again.")
@json_option
@pass_session
def command(session: Session, run_id: int, *, stored: str, not_stored: str, as_json: bool) -> int:
    """Approve a held RUN: it carries out exactly its plan, now, and this command waits for it.

    A record that somebody has changed since the plan was made is left alone and told as rejected. Who approved it, and
    when, is kept.

    A run that asks whether records were stored goes on when it is told for each of them: NUMBERS are those of
    `idms show RUN`, as in 1,3, or all.
    """
    run = find_held(session, run_id)
    answer = understood(run, in_question(session.store, run), stored=stored, not_stored=not_stored)
    now = session.now().timestamp()
    taken = take_in_hand(
        session.store, run, lambda connection: session.store.runs.approve(connection, run_id, who(), now)
    )
    keep(session.store, run, answer, who())
    return see_through(session, *taken, as_json=as_json)
