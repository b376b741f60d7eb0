"""`idms history`: what ran, and what did not and why."""

import click

from idms_cli.commands import Session, json_option, pass_session
from idms_cli.commands.moments import moment_ago
from idms_cli.dispatch.reading import require_job
from idms_cli.dispatch.settle import settle
from idms_cli.history.rows import Wanted
from idms_cli.history.store import Store
from idms_cli.reports.history import history_page
from idms_cli.reports.page import show
from idms_cli.reports.wording import Clock

STATUSES = (
    *("pending", "running", "completed", "partial", "failed", "held", "cancelled", "interrupted"),
    *("skipped", "silent"),
)


@click.command()
@click.argument("job", required=False)
@click.option(
    "--status", metavar="STATUS", type=click.Choice(STATUSES), help=f"Only with this status: {', '.join(STATUSES)}."
)
@click.option("--since", metavar="WHEN", help="A duration back from now (2d, 6h) or a date (2026-11-01).")
@click.option(
    "--limit", type=click.IntRange(1, 100_000), default=20, show_default=True, metavar="N", help="How many at most."
)
@json_option
@pass_session
def command(
    session: Session, job: str | None, status: str | None, since: str | None, limit: int, *, as_json: bool
) -> None:
    """All executions, newest first, with the slots that were skipped; or those of one JOB."""
    now = session.now()
    clock = Clock(session.settings.timezone, now)
    start = moment_ago(since, clock, "--since").timestamp() if since else None
    settle(session.store, now.timestamp())
    if job is not None and not _has_history(session.store, job):
        require_job(session.settings, job)
    show(history_page(session.store, clock, Wanted(job, status, start, limit)), as_json=as_json)


def _has_history(store: Store, job: str) -> bool:
    return bool(store.runs.history(Wanted(job, limit=1)) or store.slots.of(job, 1))
