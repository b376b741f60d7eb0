"""`idms init job`: a first version of a job file."""

import os
import re
from pathlib import Path

import click

from idms_cli.commands import Session, pass_session
from idms_cli.config.settings import Settings
from idms_cli.config.spelling import did_you_mean
from idms_cli.errors import InputError
from idms_cli.jobs.folder import ENDINGS
from idms_cli.jobs.job import SAFE_NAME
from idms_cli.modules.drafting import Draft, destination, draft
from idms_cli.modules.sampling import QUERY


@click.group()
def command() -> None:
    """Write a first version of a file, to be looked at and completed."""


@command.command("job")
@click.option("--from", "source", metavar="FILE", required=True, help="The rows; or a query: '$/Folder/Name'.")
@click.option("--to", metavar="KIND", required=True, help="contact, activity, panel:ABC_Scores...")
@click.option("--name", help="The job's name. Default: the name of --out, else of the file.")
@click.option("--connection", help="The site that is asked. Default: that of idms.yaml.")
@click.option(
    "--out", metavar="PATH", help="Where to write it; - is the terminal. Default: NAME.yaml in the jobs folder."
)
@pass_session
def job(session: Session, source: str, *, to: str, name: str | None, connection: str | None, out: str | None) -> None:
    """Draft a job that imports FILE, or updates from a query, into records of a KIND.

    Columns are matched to the site's properties by name; how dates and numbers are written is told from the rows. What
    is not sure is marked `check`, and what could not be matched is listed. No file is ever overwritten. Exit code 4
    login refused, 5 site out of reach.
    """
    settings = session.settings
    where = destination(to)
    named = name or _default_name(source, out)
    _check_name(named, settings)
    path = None if out == "-" else Path(out).absolute() if out else settings.jobs / f"{named}.yaml"
    if path is not None:
        _check_free(path)
    asked = _connection(connection, settings)
    rows = source if source.startswith(QUERY) else Path(os.path.abspath(source))  # noqa: PTH100
    drafted = draft(rows, where, settings, job=named, connection=asked)
    if path is None:
        click.echo(drafted.text, nl=False)
        return
    _write(path, drafted.text)
    click.echo(_told(path, named, drafted))


def _default_name(source: str, out: str | None) -> str:
    """The stem of the file, or the query's name, made a job's name."""
    if out and out != "-":
        return Path(out).stem
    stem = Path(source).name.partition(".")[0]
    return re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-")


def _check_name(name: str, settings: Settings) -> None:
    pattern = settings.naming.pattern
    if not SAFE_NAME.fullmatch(name):
        raise InputError(f"'{name}' is no job name", hint="Say --name: letters, digits, - and _, at most 100.")
    if pattern is not None and not pattern.fullmatch(name):
        hint = f"Say --name: `naming.pattern` in {settings.path.name} is {pattern.pattern}"
        raise InputError(f"the job name '{name}' breaks the naming rule", hint=hint)


def _check_free(path: Path) -> None:
    if not path.parent.is_dir():
        raise InputError(f"{path.parent}: there is no such folder", hint="Make it, or say --out.")
    for taken in (path, *(path.with_suffix(ending) for ending in ENDINGS)):
        if taken.exists() or taken.is_symlink():
            raise _taken(taken)


def _connection(name: str | None, settings: Settings) -> str:
    chosen = name or settings.defaults.connection
    if chosen in settings.connections:
        return str(chosen)
    known = ", ".join(settings.connections) or "none"
    if name:
        hint = did_you_mean(name, settings.connections) or f"Connections in {settings.path.name}: {known}."
        raise InputError(f"there is no connection '{name}'", hint=hint)
    raise InputError("no connection is named, and there is no default one", hint=f"Say --connection. Known: {known}.")


def _write(path: Path, text: str) -> None:
    """A new file that only its owner may change, since a job runs with the account's rights."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
    except FileExistsError:
        raise _taken(path) from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


def _taken(path: Path) -> InputError:
    return InputError(f"{path} is there already, and is not overwritten", hint="Say --name or --out.")


def _told(path: Path, name: str, drafted: Draft) -> str:
    doubts = (
        f", {drafted.doubts} lines to check" if drafted.doubts > 1 else ", 1 line to check" if drafted.doubts else ""
    )
    return f"{path}: {drafted.mapped} of {drafted.columns} columns are mapped{doubts}. Next: idms check {name}"
