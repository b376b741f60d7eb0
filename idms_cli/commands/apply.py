"""`idms apply FILE`: a plan that was kept is carried out, exactly, or refused."""

import sqlite3
from dataclasses import replace
from pathlib import Path

import click

from idms_cli.commands import Session, json_option, pass_session
from idms_cli.commands.foreground import see_through
from idms_cli.dispatch.claim import new_run
from idms_cli.dispatch.foreground import create_in_foreground
from idms_cli.dispatch.reading import find_job
from idms_cli.errors import InputError
from idms_cli.files.spool import copy_spool, require_listing, together
from idms_cli.records.saved_plan import read_about, take_plan


@click.command()
@click.argument("plan", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
@json_option
@pass_session
def command(session: Session, plan: Path, *, as_json: bool) -> int:
    """Carry out the plan in FILE, made by `idms plan JOB --out FILE`.

    Refused, with nothing written, when the job, its source or any record that the plan wants to change is no longer as
    it was when the plan was made.
    """
    about = read_about(plan)
    job, work = find_job(session.settings, about.job)
    again = f"Make a new plan: idms plan {about.job} --out FILE."
    if job.document.text != about.definition:
        raise InputError(f"{job.path} has been changed since the plan was made", hint=again)
    planned = session.store.run_directory(about.run)
    if together(require_listing(planned)) != about.source_sha256:
        raise InputError(f"{planned} is not the run that made this plan", hint=again)
    files = work.refuse_changed(planned)
    new = replace(new_run(session.store, job, work), intent="apply", of_run=about.run, row_limit=about.row_limit)

    def refuse(connection: sqlite3.Connection) -> None:
        before = session.store.runs.carried_out(connection, about.run)
        if before is not None:
            raise InputError(f"{plan} has been carried out, by run {before}", hint=again)

    run, alive = create_in_foreground(session.store, new, refuse=refuse)
    directory = session.store.run_directory(run.id)
    copy_spool(planned, directory, files)
    take_plan(plan, directory)
    return see_through(session, run, alive, as_json=as_json)
