"""`idms undo RUN`: what would take a run back; with --apply, it is taken back."""

import click

from idms_cli.commands import Session, json_option, pass_session
from idms_cli.commands.deciding import find_run
from idms_cli.commands.foreground import see_through
from idms_cli.delivery.journal import has_steps
from idms_cli.dispatch.foreground import create_in_foreground
from idms_cli.dispatch.settle import last_counts
from idms_cli.errors import InputError
from idms_cli.history.rows import NewRun


@click.command()
@click.argument("run_id", metavar="RUN", type=int)
@click.option("--apply", "carry_out", is_flag=True, help="Do it. Without this, only the plan is shown.")
@json_option
@pass_session
def command(session: Session, run_id: int, *, carry_out: bool, as_json: bool) -> int:
    """Take RUN back: restore the fields that it changed, remove the records that it made.

    What somebody has changed since is left alone and named. Shows its plan; with --apply it is a run of its own, which
    can be seen in the history and taken back as well.
    """
    run = find_run(session, run_id)
    if run.is_open or run.dry_run or run.status == "held":
        raise InputError(f"run {run_id} cannot be taken back: it wrote nothing, or is not over ({run.status})")
    if has_steps(session.store.run_directory(run_id)):
        hint = "Whoever received it has to put it right; send a correction with another run."
        raise InputError(f"run {run_id} is a transfer: what was delivered to others cannot be taken back", hint=hint)
    told = last_counts(session.store.run_directory(run_id))  # by a journal exact, else perhaps from before its end
    if not any(run.counts.get(done) or told.get(done) for done in ("inserted", "updated", "deleted")):
        raise InputError(f"run {run_id} wrote nothing: there is nothing to take back")
    new = NewRun(
        job=run.job,
        definition=run.definition,
        dry_run=not carry_out,
        intent="undo",
        of_run=run_id,
        options=run.options,
        locks=run.locks if carry_out else (),
        timeout_s=run.timeout_s,
        module=run.module,
        sites=run.sites,
    )
    return see_through(session, *create_in_foreground(session.store, new), as_json=as_json)
