"""`idms log RUN`: what a run wrote into its log, while it runs if wanted."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import click

from idms_cli.commands import Session, json_option, pass_session
from idms_cli.commands.deciding import find_run
from idms_cli.config.foreign import harmless
from idms_cli.errors import InputError
from idms_cli.reports.page import Page, show
from idms_cli.reports.pager import print_paged
from idms_cli.reports.run import LOG, summary

LOOK_EVERY_S = 0.3


@click.command()
@click.argument("run_id", metavar="RUN", type=int)
@click.option("-f", "--follow", is_flag=True, help="Stay, and print what comes until the run is over.")
@json_option
@pass_session
def command(session: Session, run_id: int, *, follow: bool, as_json: bool) -> None:
    """The whole log of a run."""
    if follow and as_json:
        raise InputError("--json is the whole of a log, and --follow has no end", hint="Leave one of them out.")
    run = find_run(session, run_id)
    path = session.store.run_directory(run_id) / LOG
    if as_json:
        show(Page({"run": run_id, "log": [*_lines(path)]}, []), as_json=True)
        return
    if follow:
        for line in _followed(session, run_id, path):
            click.echo(harmless(line))
        click.echo(harmless(summary(find_run(session, run_id))), err=True)
        return
    print_paged(map(harmless, _lines(path)), sys.stdout)
    if not path.exists():
        click.echo(
            f"run {run_id} has no log: {run.status}{': ' + harmless(run.reason) if run.reason else ''}", err=True
        )


def _followed(session: Session, run_id: int, path: Path) -> Iterator[str]:
    """The lines there are and those that come, until the run is over and its last line was given."""
    position, rest = 0, b""
    while True:
        is_over = not find_run(session, run_id).is_open
        text, position = _read_from(path, position)
        *whole, rest = (rest + text).split(b"\n")
        for line in whole:
            yield line.decode(errors="replace")
        if is_over:
            if rest:
                yield rest.decode(errors="replace")
            return
        time.sleep(LOOK_EVERY_S)


def _lines(path: Path) -> Iterator[str]:
    try:
        with path.open(encoding="utf-8", errors="replace") as log:
            for line in log:
                yield line.rstrip("\n")
    except FileNotFoundError:
        return


def _read_from(path: Path, position: int) -> tuple[bytes, int]:
    try:
        with path.open("rb") as log:
            log.seek(position)
            text = log.read()
            return text, log.tell()
    except FileNotFoundError:
        return b"", position
