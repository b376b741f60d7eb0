"""What all commands share that start a run and wait for it: progress bar, page at the end, exit code."""

import sys
from contextlib import AbstractContextManager, nullcontext

import click

from idms_cli.commands import Session
from idms_cli.config.foreign import harmless
from idms_cli.dispatch.foreground import Hand, carry_on
from idms_cli.dispatch.locks import Lock
from idms_cli.dispatch.settle import read_progress
from idms_cli.history.rows import Run
from idms_cli.reports.page import show
from idms_cli.reports.progress import ProgressBar
from idms_cli.reports.run import run_page
from idms_cli.reports.wording import Clock


def see_through(session: Session, run: Run, alive: Lock, *, as_json: bool) -> int:
    """Wait for a run in this command's hands, show how it ended, and return the exit code that says so."""
    bar = ProgressBar(run.job) if sys.stderr.isatty() else None
    watched: AbstractContextManager[object] = bar or nullcontext()
    with watched:
        ended = carry_on(session.store, session.settings, run, alive, hand(session, bar))
    clock = Clock(session.settings.timezone, session.now())
    log = ended.status not in ("completed", "partial")
    show(run_page(ended, session.store.run_directory(ended.id), clock, log=log), as_json=as_json)
    return ended.exit_code or (0 if ended.status == "completed" else 1)


def hand(session: Session, bar: ProgressBar | None) -> Hand:
    """Shows on a bar, or on stderr where there is none, what a run waits for and how far it is."""

    def watch(run: Run) -> None:
        if bar:
            bar.update(read_progress(session.store.run_directory(run.id)))

    def waiting(reason: str) -> None:
        if bar:
            bar.say(reason)
        else:
            click.echo(harmless(reason), err=True)

    return Hand(waiting, watch)
