"""`idms resume JOB` or `RUN`: a pause ends; a run that was interrupted or put off goes on now rather than later."""

import click

from idms_cli.commands import Session, json_option, pass_session
from idms_cli.commands.deciding import find_run, who
from idms_cli.commands.foreground import see_through
from idms_cli.dispatch.foreground import take_in_hand
from idms_cli.dispatch.owed import settle_owed
from idms_cli.dispatch.reading import require_job
from idms_cli.dispatch.refresh import refresh
from idms_cli.errors import InputError
from idms_cli.history.rows import moment
from idms_cli.reports.page import show
from idms_cli.reports.pauses import resumed_page
from idms_cli.reports.wording import Clock


@click.command()
@click.argument("job_or_run", metavar="JOB|RUN")
@json_option
@pass_session
def command(session: Session, job_or_run: str, *, as_json: bool) -> int:
    """End the pause of a JOB; or go on now with a RUN (a number) that was interrupted or is to be tried again later.

    A RUN goes on at the record in question, and is waited for. What a JOB left out while it was paused is not made up
    for by itself: `idms backfill` does that.
    """
    if job_or_run.isdecimal():
        return _go_on(session, int(job_or_run), as_json=as_json)
    _end_pause(session, job_or_run, as_json=as_json)
    return 0


def _go_on(session: Session, run_id: int, *, as_json: bool) -> int:
    run = find_run(session, run_id)
    if run.status != "interrupted" and run.not_before is None:
        hint = "What a failed or partial run did not write can be tried again with `idms retry RUN --rejected`."
        raise InputError(f"run {run_id} is not interrupted: it is {run.status}", hint=hint)
    taken = take_in_hand(session.store, run, lambda connection: session.store.runs.take_over(connection, run_id))
    return see_through(session, *taken, as_json=as_json)


def _end_pause(session: Session, job: str, *, as_json: bool) -> None:
    store, now = session.store, session.now()
    at = int(now.timestamp())
    pause = store.pauses.not_over(at).get(job)
    if pause is None:
        require_job(session.settings, job)
        raise InputError(f"{job} is not paused", hint="`idms status` shows how each job stands.")
    row = refresh(store, session.settings, now).jobs.get(job)
    if row:
        settle_owed(store, row, at, reason=pause.reason)
    store.pauses.end(job, at, who=who())
    since = int(store.pauses.began(pause).timestamp())
    skipped = [slot for slot in store.slots.skipped_in(job, since, at) if slot.code == "paused"]
    row = store.catalog.all().get(job)
    clock = Clock(session.settings.timezone, now)
    show(resumed_page(pause, skipped, moment(row.next_due) if row else None, clock), as_json=as_json)
