"""`idms work RUN`: the process that does a run's work under its supervisor."""

import click

from idms_cli.commands import Session, pass_session
from idms_cli.dispatch.processes import die_with_parent
from idms_cli.dispatch.work import work
from idms_cli.errors import InputError


@click.command(hidden=True)
@click.argument("run_id", type=int)
@click.option("--parent", type=int, required=True, help="The supervisor's process id.")
@pass_session
def command(session: Session, run_id: int, parent: int) -> int:
    """Do the work of a run. Not for people."""
    die_with_parent(parent)
    run = session.store.runs.one(run_id)
    if run is None or run.status != "running":
        raise InputError(f"run {run_id} is not running")
    return work(session.store, session.settings, run).exit_code
