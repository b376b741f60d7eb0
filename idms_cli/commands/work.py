"""`idms work RUN`: the process that does a run's work under its supervisor."""

import gc

import click

from idms_cli.commands import Session, pass_session
from idms_cli.dispatch.processes import die_with_parent
from idms_cli.dispatch.work import work
from idms_cli.errors import InputError

OBJECTS_BETWEEN_COLLECTIONS = 20_000
"""Pages of rows come and go by reference counts alone; there are hardly any cycles to look for."""


@click.command(hidden=True)
@click.argument("run_id", type=int)
@click.option("--parent", type=int, required=True, help="The supervisor's process id.")
@pass_session
def command(session: Session, run_id: int, parent: int) -> int:
    """Do the work of a run. Not for people."""
    die_with_parent(parent)
    gc.freeze()  # what was imported stays: the collector need not go through it again and again
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
    run = session.store.runs.one(run_id)
    if run is None or run.status != "running":
        raise InputError(f"run {run_id} is not running")
    return work(session.store, session.settings, run).exit_code
