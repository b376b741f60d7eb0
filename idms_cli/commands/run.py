"""`idms run JOB`: now, and wait for it."""

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace

import click

from idms_cli.commands import Session, json_option, pass_session
from idms_cli.dispatch.claim import new_run
from idms_cli.dispatch.foreground import run_in_foreground
from idms_cli.dispatch.reading import find_job
from idms_cli.dispatch.settle import read_progress
from idms_cli.history.rows import Run
from idms_cli.reports.page import show
from idms_cli.reports.progress import ProgressBar
from idms_cli.reports.run import run_page
from idms_cli.reports.wording import Clock


@click.command()
@click.argument("job")
@click.option("--dry-run", is_flag=True, help="Plan and show what would be written; write nothing.")
@click.option("--limit", type=click.IntRange(1), help="Only the first N rows.")
@json_option
@pass_session
def command(session: Session, job: str, *, dry_run: bool, limit: int | None, as_json: bool) -> int:
    """Run JOB now and wait for its end; its schedule stays as it is.

    Exit code 0 completed, 1 partial or failed, 4 login refused, 5 site or file out of reach, 130 stopped.
    """
    found, work = find_job(session.settings, job)
    new = replace(new_run(session.store, found, work), dry_run=dry_run, row_limit=limit)
    if dry_run:
        new = replace(new, locks=())  # it writes nothing, and waits for nobody
    bar = ProgressBar(job) if sys.stderr.isatty() else None
    watched: AbstractContextManager[object] = bar or nullcontext()
    with watched:
        run = run_in_foreground(
            session.store, session.settings, new, waiting=_say_waiting(bar), watch=_watch(session, bar)
        )
    clock = Clock(session.settings.timezone, session.now())
    page = run_page(run, session.store.run_directory(run.id), clock, log=run.status not in ("completed", "partial"))
    show(page, as_json=as_json)
    return run.exit_code or (0 if run.status == "completed" else 1)


def _say_waiting(bar: ProgressBar | None) -> Callable[[str], None]:
    return bar.say if bar else lambda reason: click.echo(reason, err=True)


def _watch(session: Session, bar: ProgressBar | None) -> Callable[[Run], None]:
    def watch(run: Run) -> None:
        if bar:
            bar.update(read_progress(session.store.run_directory(run.id)))

    return watch
