"""`idms status`: how each job stands."""

import click

from idms_cli.commands import Session, json_option, pass_session
from idms_cli.dispatch.refresh import refresh
from idms_cli.dispatch.settle import settle
from idms_cli.reports.connections import away_page
from idms_cli.reports.page import show
from idms_cli.reports.status import status_page
from idms_cli.reports.wording import Clock


@click.command()
@json_option
@pass_session
def command(session: Session, *, as_json: bool) -> None:
    """How each job stands: its state, its last run with counts, and its next run."""
    now = session.now()
    settle(session.store, now.timestamp())
    refreshed = refresh(session.store, session.settings, now)
    clock = Clock(session.settings.timezone, now)
    away = away_page(session.store, session.settings, clock)
    show(status_page(session.store, refreshed, clock, away=away), as_json=as_json)
