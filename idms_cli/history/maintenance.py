"""The file of the history as a file: whether it is sound, a copy of it, its size."""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from sqlite_utils import Database as Tables

from idms_cli.config.replacing import sync_folder
from idms_cli.errors import IdmsError, InputError
from idms_cli.history.database import Database

PAGES_AT_A_TIME = 1000
"""Of a backup: between two portions others may write."""


def faults_of(database: Database) -> Iterator[str]:
    """What is wrong with the file; nothing, if it is sound."""
    for (text,) in database.connection.execute("PRAGMA integrity_check").fetchall():
        if text != "ok":
            yield f"{database.path}: {text}"
    for table, row, parent, _ in database.connection.execute("PRAGMA foreign_key_check").fetchall():
        yield f"{database.path}: row {row} of {table} leads to a row of {parent} that is not there"


def back_up(database: Database, target: Path) -> int:
    """A copy as of one moment, also while runs go on; its size in bytes.

    Written beside, checked, on disk and renamed: under its name there is a whole copy or none. Raises `InputError` when
    something has that name already, `IdmsError` when it cannot be written.
    """
    if target.exists():
        raise InputError(f"{target} is there already", hint="Name a file that is not there yet.")
    beside = target.with_name(f".{target.name}.part")
    try:
        beside.unlink(missing_ok=True)
        os.close(os.open(beside, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        with closing(sqlite3.connect(beside)) as copy:
            database.connection.backup(copy, pages=PAGES_AT_A_TIME, sleep=0.01)
            copy.execute("PRAGMA journal_mode=DELETE")
            ((verdict,),) = copy.execute("PRAGMA integrity_check(1)").fetchall()
        if verdict != "ok":
            raise IdmsError(f"the copy is not sound: {verdict}", hint="`idms db check` looks at the original.")
        with beside.open("rb") as file:
            os.fsync(file.fileno())
        beside.rename(target)
        sync_folder(target.parent)
    except (OSError, sqlite3.Error) as error:
        beside.unlink(missing_ok=True)
        raise IdmsError(
            f"{target} cannot be written: {error}", hint="Look at the folder, and the room in it."
        ) from error
    return target.stat().st_size


def vacuum(database: Database) -> tuple[int, int]:
    """Give the room of what is gone back to the disk; the size before and after, in bytes.

    Writers wait meanwhile. Raises `IdmsError` when there is no room for the copy that SQLite makes.
    """
    before = _size(database)
    free = shutil.disk_usage(Path(database.path).parent).free
    if free < before * 2:
        hint = "Make room first, or let it be: the room inside the file is used again."
        raise IdmsError(f"{database.path} has {before:,} bytes, and only {free:,} are free on its disk", hint=hint)
    try:
        Tables(database.connection).vacuum()
        database.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.Error as error:
        raise IdmsError(f"{database.path}: {error}", hint="Try again when no run goes on.") from error
    return before, _size(database)


def rows_of(database: Database) -> dict[str, int]:
    """How many rows each table has."""
    return {table.name: table.count for table in Tables(database.connection).tables}


def sizes_of(state: Path) -> dict[str, int]:
    """Bytes of each file and folder in the state directory, the largest first."""
    found = {entry.name: _tree_size(entry) for entry in os.scandir(state)}
    return dict(sorted(found.items(), key=lambda each: -each[1]))


def _tree_size(entry: os.DirEntry[str]) -> int:
    try:
        if entry.is_dir(follow_symlinks=False):
            return sum(_tree_size(each) for each in os.scandir(entry.path))
        return entry.stat(follow_symlinks=False).st_blocks * 512
    except OSError:  # it went while we looked
        return 0


def _size(database: Database) -> int:
    return sum(path.stat().st_size for path in (Path(database.path), Path(f"{database.path}-wal")) if path.exists())
