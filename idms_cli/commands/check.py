"""`idms check`: what is wrong, or what each job will do."""

import click

from idms_cli.commands import Session, json_option, pass_session
from idms_cli.dispatch.reading import check_jobs, told_if_past
from idms_cli.reports.jobs import check_page
from idms_cli.reports.page import show
from idms_cli.reports.wording import Clock


@click.command()
@click.argument("jobs", nargs=-1)
@json_option
@pass_session
def command(session: Session, jobs: tuple[str, ...], *, as_json: bool) -> int:
    """Check idms.yaml and the job files (or only JOBS).

    Shows every problem with file, line and column; for a job without problems, what it will do and when. Exit code 2
    when anything is wrong.
    """
    settings = session.settings
    now = session.now()

    def has_run(job: str) -> bool:
        return any(slot.verdict == "run" for slot in session.store.slots.of(job))

    checked = [told_if_past(each, now, has_run) for each in check_jobs(settings, jobs)]
    show(check_page(checked, Clock(settings.timezone, now)), as_json=as_json)
    return 2 if any(each.problems for each in checked) else 0
