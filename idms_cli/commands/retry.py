"""`idms retry RUN --rejected`: the rows that a run rejected, once more."""

import sqlite3
from dataclasses import replace
from pathlib import Path

import click

from idms_cli.commands import Session, json_option, pass_session
from idms_cli.commands.deciding import find_run
from idms_cli.commands.foreground import see_through
from idms_cli.config import matchoptions
from idms_cli.delivery.journal import has_steps
from idms_cli.dispatch.claim import new_run
from idms_cli.dispatch.foreground import create_in_foreground
from idms_cli.dispatch.reading import find_job
from idms_cli.errors import InputError
from idms_cli.files import Row
from idms_cli.files.dialect import CsvOptions
from idms_cli.history.rows import Run
from idms_cli.modules import Delivering, Parametrised
from idms_cli.modules.attempt import REJECTS
from idms_cli.modules.given import give
from idms_cli.modules.workplaces import STEPS
from idms_cli.records.mended import given_format, open_given


@click.command()
@click.argument("run_id", metavar="RUN", type=int)
@click.option("--rejected", is_flag=True, help="The rows that were rejected.")
@click.option("--file", "mended", type=click.Path(dir_okay=False, path_type=Path), help="Its rejects file, mended.")
@click.option("--dry-run", is_flag=True, help="Plan and show what would be written; write nothing.")
@json_option
@pass_session
def command(session: Session, run_id: int, *, rejected: bool, mended: Path | None, dry_run: bool, as_json: bool) -> int:
    """Try the rows again that RUN rejected (--rejected): as they are, or mended in FILE.

    Of a transfer, without --rejected: do the steps that did not deliver, with the rows that RUN has read. What was
    delivered is not delivered again. Of a workflow: go on at the step at which RUN ended, with what the steps before it
    gave.

    The job is taken as it is now, so a mistake in its map can be corrected as well. Options that RUN was given with -o
    hold again.
    """
    run = find_run(session, run_id)
    if not rejected:
        return _deliver_rest(session, run, mended, dry_run=dry_run, as_json=as_json)
    if run.intent == "undo":
        raise InputError(f"run {run_id} took a run back; its rows are not imported", hint="Undo once more instead.")
    if (session.store.run_directory(run_id) / STEPS).is_dir():
        hint = f"`idms show {run_id}` says where each file of them lies; mended, it goes where the job reads its files."
        raise InputError(f"run {run_id} is a workflow: its rejected rows are those of its jobs", hint=hint)
    rejects = session.store.run_directory(run_id) / REJECTS
    rows = mended or rejects
    if not rows.is_file():
        what = f"{mended}: there is no such file" if mended else f"run {run_id} has no rejected rows"
        raise InputError(what, hint=f"`idms show {run_id}` says what became of its rows.")
    given_format(rows)  # what cannot be read is told before there is a run
    given = matchoptions.said_by(run.options, matchoptions.GIVEN)
    job, work = find_job(replace(session.settings, given=given), run.job)
    if isinstance(work, Delivering):
        hint = "Correct the source or the templates, and run the job again."
        what = "workflow" if isinstance(work, Parametrised) else "transfer"
        raise InputError(f"rows that a {what} rejected cannot be delivered by themselves", hint=hint)
    if mended is None and not work.looks_first():
        _refuse_unknown(rows)
    new = replace(new_run(session.store, job, work), dry_run=dry_run, intent="retry", of_run=run.id)
    created, alive = create_in_foreground(session.store, new)
    give(rows, session.store.run_directory(created.id), rejects=rejects)
    return see_through(session, created, alive, as_json=as_json)


def _deliver_rest(session: Session, run: Run, mended: Path | None, *, dry_run: bool, as_json: bool) -> int:
    """The steps of a transfer that did not deliver, or of a workflow from where it ended, as a run of its own."""
    job, work = find_job(session.settings, run.job)
    if not isinstance(work, Delivering) or mended:
        hint = f"Write idms retry {run.id} --rejected: the rest of the run is not done again."
        raise InputError("it has to be said that the rejected rows are meant", hint=hint)
    if run.is_open or run.status == "held":
        raise InputError(f"run {run.id} is {run.status}, and not over", hint=f"`idms show {run.id}` says more.")
    store, directory = session.store, session.store.run_directory(run.id)
    work.refuse_nothing_left(directory)

    def refuse(connection: sqlite3.Connection) -> None:
        for later in store.runs.retries(connection, run.id):
            if has_steps(store.run_directory(later)) or (store.run_directory(later) / STEPS).is_dir():
                hint = f"`idms show {later}` tells how far it came; what it left: idms retry {later}."
                raise InputError(f"run {later} has taken over what run {run.id} left", hint=hint)

    new = replace(new_run(store, job, work), dry_run=dry_run, intent="rest", of_run=run.id)
    new = replace(new, parameters=run.parameters)
    created, alive = create_in_foreground(store, new, refuse=refuse)
    work.take_over(directory, store.run_directory(created.id))
    return see_through(session, created, alive, as_json=as_json)


def _refuse_unknown(rejects: Path) -> None:
    """A row that may have been stored is not sent again blindly: without `match:` nobody would look."""
    with open_given(rejects, CsvOptions()) as table:
        line, code = table.columns.index("_line"), table.columns.index("_code")
        rows = [row.cells for row in table.rows() if isinstance(row, Row)]
    unknown = [cells[line] for cells in rows if "unknown" in cells[code]]
    if unknown:
        raise InputError(
            f"rows that may be stored already, and that the job has no match: to look for: line {', '.join(unknown)}",
            hint=f"Look for them on the site, take those that are there out of a copy of {rejects}, and use --file.",
        )
