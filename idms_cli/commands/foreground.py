"""What all commands share that start a run and wait for it: progress bar, page at the end, exit code."""

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import click

from idms_cli.commands import Session
from idms_cli.config.foreign import harmless
from idms_cli.dispatch.batch import rest_of_batch
from idms_cli.dispatch.foreground import Hand, carry_on
from idms_cli.dispatch.locks import Lock
from idms_cli.dispatch.settle import read_progress
from idms_cli.history.rows import Run
from idms_cli.reports.page import Page, show
from idms_cli.reports.progress import ProgressBar
from idms_cli.reports.run import Shown, run_page
from idms_cli.reports.wording import Clock


def wait_for(session: Session, run: Run, alive: Lock) -> Run:
    """Wait for a run in this command's hands, with a progress bar on a terminal; returns it as it ended."""
    bar = ProgressBar(run.job) if sys.stderr.isatty() else None
    watched: AbstractContextManager[object] = bar or nullcontext()
    with watched:
        return carry_on(session.store, session.settings, run, alive, _hand(session, bar))


def see_through(
    session: Session, run: Run, alive: Lock, *, as_json: bool, keep: Callable[[Run], str] = lambda _: ""
) -> int:
    """Wait for a run in this command's hands, show how it ended, and return the exit code that says so.

    Where the job's files are a run each, the others are waited for and shown as well. `keep` keeps a plan in a file,
    whose name it tells.
    """
    ended = wait_for(session, run, alive)
    page, code = _page(session, ended, kept=keep(ended)), _code(ended)
    if not as_json:
        show(page)
    others = []
    for other in rest_of_batch(session.store, session.settings, ended):
        others.append(_page(session, other))
        code = code or _code(other)
        if not as_json:
            click.echo()
            show(others[-1])
    if as_json:
        then = {"then": [each.data["run"] for each in others]} if others else {}
        show(Page({**page.data, **then}, []), as_json=True)
    return code


def _page(session: Session, ended: Run, *, kept: str = "") -> Page:
    clock = Clock(session.settings.timezone, session.now())
    log = ended.status not in ("completed", "partial", "skipped")
    shown = Shown(log=log, steps=session.store.steps.of(ended.id), kept=kept)
    return run_page(ended, session.store.run_directory(ended.id), clock, shown)


def _code(ended: Run) -> int:
    return ended.exit_code or (0 if ended.is_good else 1)


def _hand(session: Session, bar: ProgressBar | None) -> Hand:
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
