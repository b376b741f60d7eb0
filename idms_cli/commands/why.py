"""`idms why JOB`: why it did or did not run, and when it will."""

from zoneinfo import ZoneInfo

import click

from idms_cli.commands import Session, json_option, pass_session
from idms_cli.commands.moments import exact_moment
from idms_cli.dispatch.facts import facts_at, facts_now
from idms_cli.dispatch.reading import require_job
from idms_cli.dispatch.refresh import refresh
from idms_cli.dispatch.settle import settle
from idms_cli.reports.page import show
from idms_cli.reports.why import why_page
from idms_cli.reports.wording import Clock


@click.command()
@click.argument("job")
@click.option("--at", metavar="TIME", help="A minute, 2026-12-01 02:15, by the job's clock. Default: the last slot.")
@json_option
@pass_session
def command(session: Session, job: str, at: str | None, *, as_json: bool) -> None:
    """Say in a sentence why JOB did or did not run at a time, or last, and when it will."""
    store, settings, now = session.store, session.settings, session.now()
    settle(store, now.timestamp())
    row = refresh(store, settings, now).jobs.get(job)
    if row is None and not store.slots.of(job, 1):
        require_job(settings, job)
    clock = Clock(ZoneInfo(row.timezone) if row and row.schedule else settings.timezone, now)
    if at is None:
        facts = facts_now(store, job, row, now)
    else:
        facts = facts_at(store, job, row, exact_moment(at, clock.zone, "--at").replace(second=0, microsecond=0), now)
    show(why_page(facts, clock), as_json=as_json)
