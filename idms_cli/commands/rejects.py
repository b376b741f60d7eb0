"""`idms rejects RUN`: the rejected rows of a run, each with its reasons."""

import sys
from pathlib import Path

import click

from idms_cli.commands import Session, json_option, pass_session
from idms_cli.commands.deciding import find_run
from idms_cli.errors import InputError
from idms_cli.history.rows import Run
from idms_cli.modules.attempt import REJECTS
from idms_cli.modules.workplaces import workplaces
from idms_cli.reports.page import show
from idms_cli.reports.rejects import rejects_page


@click.command()
@click.argument("run_id", metavar="RUN", type=int)
@click.option("--csv", "csv_file", metavar="FILE", help="Copy the file of rejected rows to FILE; - is the output.")
@click.option(
    "--limit", type=click.IntRange(1, 10_000_000), default=100, show_default=True, metavar="N", help="How many at most."
)
@json_option
@pass_session
def command(session: Session, run_id: int, csv_file: str | None, limit: int, *, as_json: bool) -> None:
    """The rejected rows of a run: line, column, what is wrong. Mended, they go back with `idms retry`."""
    run = find_run(session, run_id)
    directory = session.store.run_directory(run_id)
    if csv_file is None:
        show(rejects_page(run, directory, limit), as_json=as_json, paged=True)
    else:
        _copy(run, _only_file(run, directory), csv_file)


def _only_file(run: Run, directory: Path) -> Path:
    """The file of rejected rows; of a workflow, that of the only job which has one."""
    found = [(step, place / REJECTS) for step, place in workplaces(directory) if (place / REJECTS).exists()]
    if len(found) > 1:
        steps = ", ".join(step for step, _ in found)
        raise InputError(f"the rejected rows are those of several steps: {steps}", hint=f"See `idms show {run.id}`.")
    return found[0][1] if found else directory / REJECTS


def _copy(run: Run, rejects: Path, target: str) -> None:
    if not rejects.exists():
        waits = " yet: it is not over" if run.is_open else ""
        raise InputError(f"run {run.id} has no file of rejected rows{waits}", hint=f"See `idms show {run.id}`.")
    if target == "-":
        with rejects.open("rb") as source:
            while block := source.read(1 << 16):
                sys.stdout.buffer.write(block)
        return
    try:
        with Path(target).open("xb") as copy, rejects.open("rb") as source:
            while block := source.read(1 << 16):
                copy.write(block)
    except FileExistsError:
        raise InputError(f"{target} is there already", hint="Name another file, or remove that one.") from None
    click.echo(f"{target}: mend it, then `idms retry {run.id} --rejected --file {target}`")
