"""`idms redraw`: the process that makes the report page and the metrics anew, started with the report's lock held."""

import os
import time

import click

from idms_cli.commands import Session, pass_session
from idms_cli.dispatch.redrawing import ended
from idms_cli.history.store import Store
from idms_cli.reports.files import redraw

NICE = 10
"""It is never urgent."""
PATIENCE_S = 20.0
"""So long it waits for runs to end: the tick that started it has started them as well."""
LOOK_EVERY_S = 0.5


@click.command(hidden=True)
@click.option("--lock", type=int, required=True, help="Descriptor of the held lock, as handed over.")
@pass_session
def command(session: Session, lock: int) -> None:
    """Write the files that `report:` in idms.yaml names. Not for people."""
    os.set_inheritable(lock, False)
    settings, store = session.settings, session.store
    os.chdir("/")  # it must not keep the directory busy in which somebody happened to call run-due
    os.nice(NICE)
    _let_runs_end(store)
    ended(store.state, "; ".join(redraw(store, settings, session.now())))


def _let_runs_end(store: Store) -> None:
    until = time.monotonic() + PATIENCE_S
    while any(run.status == "running" for run in store.runs.open()) and time.monotonic() < until:
        time.sleep(LOOK_EVERY_S)
