"""`idms show RUN`: one run."""

import click

from idms_cli.commands import Session, json_option, pass_session
from idms_cli.dispatch.settle import settle
from idms_cli.errors import InputError
from idms_cli.reports.page import show
from idms_cli.reports.run import CHANGES_SHOWN, Shown, run_page
from idms_cli.reports.stepdata import step_data
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
@click.option("--steps", "every_step", is_flag=True, help="Of a workflow: a line for each step, however many.")
@click.option("--data", "step", metavar="STEP", help="Of a workflow: the data after this step, as JSON.")
@json_option
@pass_session
def command(session: Session, run_id: int, changes: int, step: str | None, *, every_step: bool, as_json: bool) -> None:
    """One run: its counts, why rows were rejected, where the rejects are, its log; of a workflow its steps."""
    now = session.now()
    settle(session.store, now.timestamp())
    run = session.store.runs.one(run_id)
    if run is None:
        raise InputError(f"there is no run {run_id}", hint="`idms history` lists the runs.")
    directory, steps = session.store.run_directory(run_id), session.store.steps.of(run_id)
    if step is not None:
        show(step_data(run, steps, directory, step), as_json=as_json, paged=True)
        return
    shown = Shown(changes, steps=steps, every_step=every_step)
    page = run_page(run, directory, Clock(session.settings.timezone, now), shown)
    show(page, as_json=as_json, paged=True)
