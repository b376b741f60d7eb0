"""`idms stop RUN`: end a run before its time."""

import click

from idms_cli.commands import Session, pass_session
from idms_cli.commands.deciding import find_run, who
from idms_cli.dispatch.stop import stop
from idms_cli.dispatch.supervise import STOP_WITHIN_S
from idms_cli.errors import IdmsError, InputError
from idms_cli.history.queue import StopRequest
from idms_cli.history.rows import Run
from idms_cli.reports.wording import counts

CLEANLY_S = STOP_WITHIN_S + 15
"""A worker that has not ended by then is killed by its supervisor, which then writes what was not sent."""
BY_FORCE_S = 15.0


@click.command()
@click.argument("run_id", metavar="RUN", type=int)
@click.option("--force", is_flag=True, help="At once, in the middle of a record.")
@pass_session
def command(session: Session, run_id: int, *, force: bool) -> None:
    """End RUN: running, waiting, put off or interrupted. The record in hand is finished.

    What was not sent is in its rejects file, which can be imported as it is. Exit code 0 when the run is over,
    2 when it was over before, 1 when it could not be ended.
    """
    run = find_run(session, run_id)
    if not run.is_open:
        hint = f"`idms reject {run_id}` ends a held run." if run.status == "held" else ""
        raise InputError(f"run {run_id} is not there to be stopped: it is {run.status}", hint=hint)
    request = StopRequest(f"stopped by {who()}", force)
    ended = stop(session.store, session.settings, run, request, limit_s=BY_FORCE_S if force else CLEANLY_S)
    if ended.is_open:
        hint = f"`lsof {session.store.run_directory(run_id)}/lock` shows the process that holds it."
        raise IdmsError(f"run {run_id} does not end: it is {ended.status}", hint=hint)
    click.echo(_became(ended))


def _became(run: Run) -> str:
    told = "; ".join(filter(None, (run.reason, counts(run.counts))))
    if run.status == "cancelled":
        return f"run {run.id} of {run.job}: {told or 'cancelled'}"
    return f"run {run.id} of {run.job} ended before it could be stopped: {'; '.join(filter(None, (run.status, told)))}"
