"""`idms plan JOB`: what a run would write, to be read, and to be kept and applied later."""

from dataclasses import replace
from pathlib import Path

import click

from idms_cli.commands import Session, json_option, pass_session
from idms_cli.commands.foreground import see_through
from idms_cli.commands.options import accepted, find_job_with, match_options, parameter_options
from idms_cli.dispatch.claim import new_run
from idms_cli.dispatch.foreground import create_in_foreground
from idms_cli.errors import InputError
from idms_cli.files.spool import require_listing, together
from idms_cli.history.rows import Run
from idms_cli.modules import Delivering, Parametrised
from idms_cli.records.saved_plan import About, save_plan


@click.command()
@click.argument("job")
@click.option("--limit", type=click.IntRange(1), help="Only the first N rows.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Keep the plan in FILE, for `idms apply`.")
@match_options
@parameter_options
@json_option
@pass_session
def command(
    session: Session,
    job: str,
    *,
    limit: int | None,
    out: Path | None,
    given: tuple[str, ...],
    parameters: tuple[str, ...],
    as_json: bool,
) -> int:
    """Plan JOB and write nothing: totals, changes by property, calls and time to be expected.

    The plan is the first half of the real run. With --out it is kept, and `idms apply FILE` carries out exactly this.
    """
    if out and out.exists():
        raise InputError(f"{out} is there already", hint="A plan is never overwritten: choose another name.")
    if out and not out.absolute().parent.is_dir():
        raise InputError(f"{out}: there is no such folder", hint="Make it first.")
    found, work = find_job_with(session.settings, job, given)
    if out and isinstance(work, Delivering):
        hint = (
            f"`idms plan {job}` shows what would be done; `idms run {job}` does what is to be done then."
            if isinstance(work, Parametrised)
            else f"`idms plan {job}` makes its files and shows where they lie; `idms run {job}` delivers what is there "
            "then."
        )
        what = "workflow" if isinstance(work, Parametrised) else "transfer"
        raise InputError(f"the plan of a {what} is not kept", hint=hint)
    new = replace(new_run(session.store, found, work), dry_run=True, row_limit=limit, locks=())
    new = replace(new, parameters=accepted(work, job, parameters))
    run, alive = create_in_foreground(session.store, new)

    def keep(ended: Run) -> str:
        if not out or ended.status not in ("completed", "partial"):
            return ""
        directory = session.store.run_directory(run.id)
        about = About(found.name, found.document.text, together(require_listing(directory)), limit, run.id)
        save_plan(directory, about, out)
        click.echo(f"The plan is in {out}.", err=True)
        return str(out)

    return see_through(session, run, alive, as_json=as_json, keep=keep)
