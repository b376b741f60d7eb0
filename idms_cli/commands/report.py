"""`idms report --html FILE`: how all jobs stand, as one web page."""

from pathlib import Path

import click

from idms_cli.commands import Session, pass_session
from idms_cli.config.replacing import replace_file
from idms_cli.dispatch.refresh import refresh
from idms_cli.dispatch.settle import settle
from idms_cli.reports.connections import away_told
from idms_cli.reports.incidents import silence
from idms_cli.reports.web.gather import gather
from idms_cli.reports.web.render import render
from idms_cli.reports.wording import Clock


@click.command()
@click.option("--html", "target", metavar="FILE", required=True, help="The page to write; - is the output.")
@click.option("--examples", is_flag=True, help="Show cells of rejected rows: they may be personal data.")
@pass_session
def command(session: Session, target: str, *, examples: bool) -> None:
    """One page that needs nothing else: no script, no network. For a web server, a mail or a printer."""
    now = session.now()
    clock = Clock(session.settings.timezone, now)
    settle(session.store, now.timestamp())
    jobs = refresh(session.store, session.settings, now).jobs
    notices = [*filter(None, [silence(session.store, clock)]), *away_told(session.store, session.settings, clock)]
    page = render(gather(session.store, jobs, notices, clock), examples=examples)
    if target == "-":
        click.echo(page, nl=False)
    else:
        replace_file(Path(target), page.encode(), mode=0o644)
