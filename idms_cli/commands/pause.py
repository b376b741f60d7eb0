"""`idms pause JOB`: it does not run on its own until a moment, or until `idms resume JOB`."""

import click

from idms_cli.commands import Session, json_option, pass_session
from idms_cli.commands.deciding import who
from idms_cli.commands.moments import moment_ahead
from idms_cli.dispatch.owed import settle_owed
from idms_cli.dispatch.reading import require_job
from idms_cli.dispatch.refresh import refresh
from idms_cli.reports.page import show
from idms_cli.reports.pauses import paused_page
from idms_cli.reports.wording import Clock


@click.command()
@click.argument("job")
@click.option(
    "--until", metavar="TIME", help="End by itself then: 2026-12-01 06:00, 06:00, or in so long: 2d. Default: never."
)
@click.option("--why", metavar="TEXT", default="", help="Told wherever a slot was skipped for it.")
@json_option
@pass_session
def command(session: Session, job: str, until: str | None, why: str, *, as_json: bool) -> None:
    """Pause JOB: its slots are told as skipped, with the reason; nobody makes up for them by itself.

    What it owes already is skipped as well. A run that was started goes on.
    """
    store, now = session.store, session.now()
    clock = Clock(session.settings.timezone, now)
    end = moment_ahead(until, clock, "--until") if until else None
    require_job(session.settings, job)
    row = refresh(store, session.settings, now).jobs[job]
    moment = int(now.timestamp())
    store.pauses.begin(job, moment, until=int(end.timestamp()) if end else None, why=why.strip(), who=who())
    pause = store.pauses.not_over(moment)[job]
    settled = settle_owed(store, row, moment, reason=pause.reason)
    show(paused_page(pause, settled, store.runs.open_of(job), clock), as_json=as_json)
