"""`idms history`: what ran, and what did not and why."""

from contextlib import suppress
from datetime import date, timedelta

import click

from idms_cli.commands import Session, json_option, pass_session
from idms_cli.commands.moments import moment_ago
from idms_cli.config.spelling import did_you_mean
from idms_cli.dispatch.reading import require_job
from idms_cli.dispatch.settle import settle
from idms_cli.errors import InputError
from idms_cli.history.rows import Wanted
from idms_cli.history.store import Store
from idms_cli.modules import MODULES
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
@click.option("--module", type=click.Choice(tuple(MODULES)), metavar="MODULE", help=f"Only {', '.join(MODULES)}.")
@click.option("--connection", metavar="NAME", help="Only what uses this connection.")
@click.option("--by-hand", "hand", flag_value="by hand", help="Only what somebody asked for.")
@click.option("--scheduled", "hand", flag_value="scheduled", help="Only what ran, or was to run, on its own.")
@click.option("--since", metavar="WHEN", help="A duration back from now (2d, 6h) or a date (2026-11-01).")
@click.option("--until", metavar="WHEN", help="The same: nothing later. A date is that whole day.")
@click.option(
    "--limit", type=click.IntRange(1, 100_000), default=20, show_default=True, metavar="N", help="How many at most."
)
@json_option
@pass_session
def command(
    session: Session, job: str | None, *, status: str | None, module: str | None, connection: str | None,
    hand: str | None, since: str | None, until: str | None, limit: int, as_json: bool,
) -> None:  # fmt: skip
    """All executions, newest first, with the slots that were skipped; or the Task History of one JOB.

    That has the trend of its durations and rows, and marks what is unusual by its own past.
    """
    now = session.now()
    clock = Clock(session.settings.timezone, now)
    start = moment_ago(since, clock, "--since").timestamp() if since else None
    end = _end_of(until, clock) if until else None
    settle(session.store, now.timestamp())
    if job is not None and not _has_history(session.store, job):
        require_job(session.settings, job)
    wanted = Wanted(
        job,
        status,
        start,
        limit,
        until=end,
        module=module,
        connection=_known(session, connection) if connection else None,
        by_hand={"by hand": True, "scheduled": False}.get(hand or ""),
    )
    show(history_page(session.store, clock, wanted), as_json=as_json, paged=True)


def _has_history(store: Store, job: str) -> bool:
    return store.runs.has_any(job) or bool(store.slots.of(job, 1))


def _end_of(text: str, clock: Clock) -> float:
    """Of a moment itself; of a date its last second."""
    moment = moment_ago(text, clock, "--until")
    with suppress(ValueError):
        date.fromisoformat(text)
        moment += timedelta(days=1, seconds=-1)
    return moment.timestamp()


def _known(session: Session, connection: str) -> str:
    """The name, also of a connection that idms.yaml no longer has. Raises `InputError` for one that never was."""
    known = {*session.settings.connections, *session.store.runs.connections()}
    if connection not in known:
        hint = did_you_mean(connection, sorted(known)) or f"Connections: {', '.join(sorted(known)) or 'none'}."
        raise InputError(f"there is no connection '{connection}'", hint=hint)
    return connection
