"""`idms jobs`: a line for each job."""

import click

from idms_cli.commands import Session, json_option, pass_session
from idms_cli.dispatch.reading import check_jobs
from idms_cli.history.database import FILE_NAME
from idms_cli.reports.jobs import jobs_page
from idms_cli.reports.page import show
from idms_cli.reports.wording import Clock


@click.command()
@json_option
@pass_session
def command(session: Session, *, as_json: bool) -> None:
    """List the jobs: module, schedule, description."""
    settings = session.settings
    now = session.now()
    there = (settings.state / FILE_NAME).is_file()  # the list needs no history
    disabled = session.store.switches.disabled() if there else ()
    show(jobs_page(check_jobs(settings, now), Clock(settings.timezone, now), disabled), as_json=as_json, paged=True)
