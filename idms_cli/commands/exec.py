"""`idms exec RUN`: the supervisor process of one run, started with the run's locks already held."""

import os

import click

from idms_cli.commands import Session, pass_session
from idms_cli.dispatch.launch import Started, inherited
from idms_cli.dispatch.supervise import Supervisor
from idms_cli.errors import InputError


@click.command(hidden=True)
@click.argument("run_id", type=int)
@click.option("--locks", required=True, help="Descriptors of the held locks, as handed over.")
@pass_session
def command(session: Session, run_id: int, locks: str) -> None:
    """Supervise a run that `run-due` handed over. Not for people."""
    os.chdir("/")  # it must not keep the directory busy in which somebody happened to call run-due
    alive, data = inherited(locks)
    run = session.store.runs.one(run_id)
    if run is None or run.status != "running":
        raise InputError(f"run {run_id} is not handed over to anybody")
    Supervisor(session.store, session.settings, Started(run, alive, data)).supervise()
