"""A plan in a file: to be read, approved and carried out later, if nothing it rests on has changed."""

import json
import sqlite3
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

from idms_cli.errors import IdmsError, InputError
from idms_cli.records.journal import FILE_NAME, open_journal

ABOUT = "about"


@dataclass(frozen=True)
class About:
    """What a saved plan rests on."""

    job: str
    definition: str
    """The text of the job file."""
    source_sha256: str
    row_limit: int | None
    run: int
    """The dry run that made it."""


def save_plan(directory: Path, about: About, path: Path) -> None:
    """Write the journal of a dry run as a plan.

    Raises `InputError` when the file is there already, and `IdmsError` when it cannot be written.
    """
    if path.exists():
        raise InputError(f"{path} is there already", hint="A plan is never overwritten: choose another name.")
    beside = path.with_name(f".{path.name}.new")
    beside.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(directory / FILE_NAME)) as journal, closing(sqlite3.connect(beside)) as plan:
            journal.backup(plan)
            plan.execute("PRAGMA journal_mode=DELETE")
            plan.execute("INSERT INTO note VALUES (?, ?)", (ABOUT, json.dumps(asdict(about))))
            plan.commit()
    except sqlite3.Error as error:
        hint = "Look at the disk, and at the rights of the folder."
        raise IdmsError(f"{path}: the plan cannot be written: {error}", hint=hint) from error
    beside.chmod(0o600)
    beside.replace(path)


def read_about(path: Path) -> About:
    """What the plan in a file rests on. Raises `InputError` when it is no plan."""
    if not path.is_file():
        raise InputError(f"{path}: there is no such file", hint="`idms plan JOB --out FILE` makes one.")
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as plan:
            row = plan.execute("SELECT value FROM note WHERE name = ?", (ABOUT,)).fetchone()
        return About(**json.loads(row[0]))
    except (sqlite3.Error, TypeError, ValueError):
        raise InputError(f"{path} is no plan of this idms", hint="`idms plan JOB --out FILE` makes one.") from None


def take_plan(path: Path, directory: Path) -> None:
    """Make the plan in a file the journal of a new run.

    Raises `InputError` when it is damaged, and `IdmsError` when the journal cannot be written.
    """
    try:
        with closing(sqlite3.connect(path)) as plan, closing(sqlite3.connect(directory / FILE_NAME)) as journal:
            is_sound = plan.execute("PRAGMA quick_check").fetchone()[0] == "ok"
            if is_sound:
                plan.backup(journal)
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            hint = "Look at the free space, and at the rights of the state directory."
            raise IdmsError(f"{directory / FILE_NAME}: the journal cannot be written: {error}", hint=hint) from error
        is_sound = False
    if is_sound:
        with open_journal(directory) as journal_of_run:
            is_sound = journal_of_run.is_planned
    if not is_sound:
        raise InputError(f"{path} is damaged, or not the whole of a plan", hint="Make a new plan.")
