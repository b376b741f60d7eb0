"""`idms show RUN`: one run."""

import click

from idms_cli.commands import Session, json_option, pass_session
from idms_cli.dispatch.settle import settle
from idms_cli.errors import InputError
from idms_cli.reports.page import show
from idms_cli.reports.run import CHANGES_SHOWN, run_page
from idms_cli.reports.wording import Clock


@click.command()
@click.argument("run_id", metavar="RUN", type=int)
@click.option(
    "--changes",
    metavar="N",
    type=click.IntRange(0, 10_000_000),
    default=CHANGES_SHOWN,
    show_default=True,
    help="Of a dry run: the changes of so many records.",
)
@json_option
@pass_session
def command(session: Session, run_id: int, changes: int, *, as_json: bool) -> None:
    """One run: its counts, why rows were rejected, where the rejects are, its log."""
    now = session.now()
    settle(session.store, now.timestamp())
    run = session.store.runs.one(run_id)
    if run is None:
        raise InputError(f"there is no run {run_id}", hint="`idms history` lists the runs.")
    page = run_page(run, session.store.run_directory(run_id), Clock(session.settings.timezone, now), changes=changes)
    show(page, as_json=as_json, paged=True)
