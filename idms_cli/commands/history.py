"""`idms history`: what ran, and what did not and why."""

from datetime import datetime, timedelta

import click

from idms_cli.commands import Session, json_option, pass_session
from idms_cli.config.durations import parse_duration
from idms_cli.config.problems import BadValue
from idms_cli.dispatch.settle import settle
from idms_cli.history.rows import Wanted
from idms_cli.reports.history import history_page
from idms_cli.reports.page import show
from idms_cli.reports.wording import Clock

STATUSES = ("pending", "running", "completed", "partial", "failed", "cancelled", "skipped", "interrupted")


@click.command()
@click.argument("job", required=False)
@click.option("--status", type=click.Choice(STATUSES), help="Only these.")
@click.option("--since", metavar="WHEN", help="A duration back from now (2d, 6h) or a date (2026-11-01).")
@click.option("--limit", type=click.IntRange(1, 100_000), default=20, show_default=True, help="How many at most.")
@json_option
@pass_session
def command(
    session: Session, job: str | None, status: str | None, since: str | None, limit: int, *, as_json: bool
) -> None:
    """All executions, newest first, with the slots that were skipped; or those of one JOB."""
    now = session.now()
    settle(session.store, now.timestamp())
    clock = Clock(session.settings.timezone, now)
    start = _moment(since, clock).timestamp() if since else None
    show(history_page(session.store, clock, Wanted(job, status, start, limit)), as_json=as_json)


def _moment(text: str, clock: Clock) -> datetime:
    try:
        back: timedelta = parse_duration(text)
    except BadValue:
        back = timedelta()
    if back:
        return clock.now - back
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"'{text}' is neither a duration (2d) nor a date (2026-11-01)") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=clock.zone)
