"""`idms test JOB`: a dry run of some rows, whose verdict is kept with the job's definition."""

from dataclasses import replace
from pathlib import Path

import click

from idms_cli.commands import Session, json_option, pass_session
from idms_cli.commands.foreground import wait_for
from idms_cli.commands.options import accepted, parameter_options
from idms_cli.config.spelling import did_you_mean
from idms_cli.dispatch.claim import new_run
from idms_cli.dispatch.definition import read_job
from idms_cli.dispatch.foreground import create_in_foreground
from idms_cli.dispatch.reading import find_job
from idms_cli.dispatch.steptrial import Wish, trial_of
from idms_cli.dispatch.trial import judge
from idms_cli.errors import InputError
from idms_cli.jobs.job import Job
from idms_cli.modules import Work
from idms_cli.reports.page import show
from idms_cli.reports.run import Shown, run_page
from idms_cli.reports.steptrial import step_trial_page
from idms_cli.reports.trial import CHANGES_SHOWN, trial_page
from idms_cli.reports.wording import Clock

ROWS = 20


@click.command()
@click.argument("job")
@click.option("--connection", metavar="NAME", help="Against this connection instead of the job's own.")
@click.option(
    "--rows", metavar="N", type=click.IntRange(1, 1_000_000_000), default=ROWS, help=f"How many rows. Default: {ROWS}."
)
@click.option("--step", metavar="NAME", help="Of a workflow: try this step alone, on the data of a past run.")
@click.option("--run", "of_run", metavar="N", type=int, help="With --step: the run whose data is taken; else the last.")
@click.option(
    "--input",
    "given",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="With --step: JSON with `input` and what steps before it gave, instead of what the run has.",
)
@parameter_options
@json_option
@pass_session
def command(
    session: Session,
    job: str,
    *,
    parameters: tuple[str, ...],
    connection: str | None,
    rows: int,
    step: str | None,
    of_run: int | None,
    given: Path | None,
    as_json: bool,
) -> int:
    """Try JOB on its first rows and write nothing: the plan, and a verdict.

    With --step one step of a workflow is worked out on the data of a past run; nothing is sent, nobody is asked and
    nothing is recorded.

    A job that has passed as it is now is tested; what it does, and where, must not change after that. With
    `require_test: true` only a tested job runs on its own. Exit code 0 passed, else as of `idms run`.
    """
    settings = session.settings
    if connection is not None and connection not in settings.connections:
        known = f"Connections: {', '.join(settings.connections) or 'none'}."
        hint = did_you_mean(connection, settings.connections) or known
        raise InputError(f"there is no connection '{connection}'", hint=hint)
    found, work = find_job(settings, job)
    if step is not None:
        return _step(session, found, work, Wish(step, of_run, given), as_json=as_json)
    if of_run is not None or given is not None:
        raise InputError("--run and --input are for one step", hint="Say which: --step NAME.")
    if connection:
        _, work = read_job(job, found.document, settings, connection=connection)
    new = replace(
        new_run(session.store, found, work),
        dry_run=True,
        intent="test",
        row_limit=rows,
        connection=connection or "",
        locks=(),
        parameters=accepted(work, job, parameters),
    )
    ended = wait_for(session, *create_in_foreground(session.store, new))
    verdict = judge(ended, found.guard)
    now = session.now()
    if not verdict.says_nothing:
        session.store.trials.record(found.name, found.digest, ended.id, now.timestamp(), passed=verdict.passed)
    where = connection or found.connection
    log = ended.status not in ("completed", "partial")
    shown = Shown(CHANGES_SHOWN, log=log, steps=session.store.steps.of(ended.id))
    page = run_page(ended, session.store.run_directory(ended.id), Clock(settings.timezone, now), shown)
    show(trial_page(ended, page, verdict, where), as_json=as_json)
    return 0 if verdict.passed else ended.exit_code or 1


def _step(session: Session, job: Job, work: Work, wish: Wish, *, as_json: bool) -> int:
    with trial_of(session.store, job, work, wish, session.now()) as (tried, directory, run):
        show(step_trial_page(job.name, tried, directory, run=run), as_json=as_json)
    failed = tried.row.status == "failed"
    return (tried.note.exit_code if tried.note else 0) or 1 if failed else 0
