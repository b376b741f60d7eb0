"""`idms db`: the history as a file: check, backup, vacuum, stats."""

from pathlib import Path

import click

from idms_cli.commands import Session, json_option, pass_session
from idms_cli.errors import RunFailed
from idms_cli.history.database import SCHEMA_VERSION
from idms_cli.history.maintenance import back_up, faults_of, rows_of, sizes_of, vacuum
from idms_cli.history.rows import moment
from idms_cli.reports.page import Line, Page, show
from idms_cli.reports.upkeep import Dates, checked_page, megabytes, stats_page
from idms_cli.reports.wording import Clock


@click.group()
def command() -> None:
    """The history as a file: is it sound, a copy of it, its size."""


@command.command("check")
@json_option
@pass_session
def check(session: Session, *, as_json: bool) -> None:
    """Read the whole history, and tell what is wrong with it. Exit code 1 if anything is."""
    database = session.store.database
    faults = list(faults_of(database))
    show(checked_page(Path(database.path), faults), as_json=as_json)
    if faults:
        raise RunFailed("the history is damaged", hint="Stop the ticks, and put a backup in its place.")


@command.command("backup")
@click.argument("file", type=click.Path(path_type=Path))
@json_option
@pass_session
def backup(session: Session, file: Path, *, as_json: bool) -> None:
    """Copy the history to FILE, as of one moment, also while runs go on.

    Run directories (journals, for `idms undo`) and what transfers remember are files beside it, and not in the copy.
    """
    size = back_up(session.store.database, file.absolute())
    show(Page({"file": str(file), "bytes": size}, [Line(f"{file}: {megabytes(size)}")]), as_json=as_json)


@command.command("vacuum")
@json_option
@pass_session
def shrink(session: Session, *, as_json: bool) -> None:
    """Give the room of what is gone back to the disk. Runs that want to write wait meanwhile."""
    before, after = vacuum(session.store.database)
    line = Line(f"{session.store.database.path}: {megabytes(before)} before, {megabytes(after)} now")
    show(Page({"before": before, "after": after}, [line]), as_json=as_json)


@command.command("stats")
@json_option
@pass_session
def stats(session: Session, *, as_json: bool) -> None:
    """How many rows and bytes there are, how far the history goes back, and when old runs are next let go."""
    store = session.store
    clock = Clock(session.settings.timezone, session.now())
    horizon, following = store.retention.horizon, store.retention.next_at
    dates = Dates(
        SCHEMA_VERSION,
        None if horizon is None else moment(horizon),
        None if following is None else moment(following),
    )
    show(stats_page(rows_of(store.database), sizes_of(store.state), dates, clock), as_json=as_json)
