"""`idms redraw`: the process that makes the report page and the metrics anew, started with the report's lock held."""

import os

import click

from idms_cli.commands import Session, pass_session
from idms_cli.dispatch.redrawing import ended
from idms_cli.reports.files import redraw

NICE = 10
"""It is never urgent."""


@click.command(hidden=True)
@click.option("--lock", type=int, required=True, help="Descriptor of the held lock, as handed over.")
@pass_session
def command(session: Session, lock: int) -> None:
    """Write the files that `report:` in idms.yaml names. Not for people."""
    os.set_inheritable(lock, False)
    settings, store = session.settings, session.store
    os.chdir("/")  # it must not keep the directory busy in which somebody happened to call run-due
    os.nice(NICE)
    ended(store.state, "; ".join(redraw(store, settings, session.now())))
