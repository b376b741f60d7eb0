"""`idms retry RUN --rejected`: the rows that a run rejected, once more."""

import shutil
from dataclasses import replace
from pathlib import Path

import click

from idms_cli.commands import Session, json_option, pass_session
from idms_cli.commands.deciding import find_run
from idms_cli.commands.foreground import see_through
from idms_cli.dispatch.claim import new_run
from idms_cli.dispatch.foreground import create_in_foreground
from idms_cli.dispatch.reading import find_job
from idms_cli.errors import InputError
from idms_cli.files import Row
from idms_cli.files.dialect import CsvOptions
from idms_cli.modules.attempt import GIVEN, REJECTS
from idms_cli.records.mended import given_format, open_given


@click.command()
@click.argument("run_id", metavar="RUN", type=int)
@click.option("--rejected", is_flag=True, required=True, help="The rows that were rejected.")
@click.option("--file", "mended", type=click.Path(dir_okay=False, path_type=Path), help="Its rejects file, mended.")
@click.option("--dry-run", is_flag=True, help="Plan and show what would be written; write nothing.")
@json_option
@pass_session
def command(session: Session, run_id: int, *, rejected: bool, mended: Path | None, dry_run: bool, as_json: bool) -> int:
    """Try the rows again that RUN rejected: as they are, or mended in FILE.

    The job is taken as it is now, so a mistake in its map can be corrected as well.
    """
    del rejected  # the only kind there is; named, so that nobody thinks that the whole run is done again
    run = find_run(session, run_id)
    if run.intent == "undo":
        raise InputError(f"run {run_id} took a run back; its rows are not imported", hint="Undo once more instead.")
    rows = mended or session.store.run_directory(run_id) / REJECTS
    if not rows.is_file():
        what = f"{mended}: there is no such file" if mended else f"run {run_id} has no rejected rows"
        raise InputError(what, hint=f"`idms show {run_id}` says what became of its rows.")
    given_format(rows)  # what cannot be read is told before there is a run
    job, work = find_job(session.settings, run.job)
    if mended is None and not work.looks_first():
        _refuse_unknown(rows)
    new = replace(new_run(session.store, job, work), dry_run=dry_run, intent="retry", of_run=run_id)
    created, alive = create_in_foreground(session.store, new)
    shutil.copyfile(rows, session.store.run_directory(created.id) / f"{GIVEN}{''.join(rows.suffixes[-2:])}")
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
