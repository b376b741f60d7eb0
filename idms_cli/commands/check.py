"""`idms check`: what is wrong, or what each job will do."""

from collections.abc import Sequence
from datetime import datetime

import click

from idms_cli.commands import Session, json_option, pass_session
from idms_cli.config.problems import ProblemsFound
from idms_cli.config.settings import Settings
from idms_cli.dispatch.forecasting import habits_of
from idms_cli.dispatch.reading import Checked, asked_online, check_jobs, require_job, told_if_past
from idms_cli.history.database import FILE_NAME
from idms_cli.history.durations import usual_durations
from idms_cli.jobs.meetings import forecast
from idms_cli.notify.checking import template_problems
from idms_cli.reports.jobs import Known, check_page
from idms_cli.reports.page import show
from idms_cli.reports.wording import Clock


@click.command()
@click.argument("jobs", nargs=-1)
@click.option("--online", is_flag=True, help="Ask the sites as well whether they have what the jobs name.")
@json_option
@pass_session
def command(session: Session, jobs: tuple[str, ...], *, online: bool, as_json: bool) -> int:
    """Check idms.yaml and the job files (or only JOBS).

    Shows every problem with file, line and column; for a job without problems, what it will do and when, whether it
    was tested, and which jobs it will have to wait for. Asks no site, unless --online. Exit code 2 when anything is
    wrong; else 4 login refused, 5 a site out of reach.
    """
    settings = session.settings
    if unusable := template_problems(settings):
        raise ProblemsFound(unusable)
    now = session.now()

    def has_run(job: str) -> bool:
        return any(slot.verdict == "run" for slot in session.store.slots.of(job))

    for name in jobs:
        require_job(settings, name)
    everybody = {each.name: each for each in check_jobs(settings, now)}  # a job may meet any other one
    checked = [told_if_past(everybody[name], now, has_run) for name in dict.fromkeys(jobs) or everybody]
    known = _known(session, [*everybody.values()], now, jobs)
    if online:
        checked = _asked(checked, settings)
    show(check_page(checked, Clock(settings.timezone, now), known), as_json=as_json)
    if any(each.problems for each in checked):
        return 2
    return next((each.asked.silent.exit_code for each in checked if each.asked and each.asked.silent), 0)


def _asked(checked: Sequence[Checked], settings: Settings) -> list[Checked]:
    from idms_cli.modules.access import OpenSites  # noqa: PLC0415 - loads httpx, which a check needs only here

    with OpenSites(settings) as sites:
        return [asked_online(each, sites.of) for each in checked]


def _known(session: Session, everybody: Sequence[Checked], now: datetime, jobs: Sequence[str]) -> Known:
    """What the history knows, if there is one: a check makes none."""
    if not (session.settings.state / FILE_NAME).exists():
        return Known(meetings=forecast(habits_of(everybody, {}), now, about=jobs))
    usual_s = usual_durations(session.store.database, [each.name for each in everybody])
    idle = {row.name for row in session.store.catalog.all().values() if row.disabled}
    pauses = session.store.pauses.not_over(int(now.timestamp())).values()
    meetings = forecast(habits_of(everybody, usual_s, idle=idle, pauses=pauses), now, about=jobs)
    return Known(session.store.trials.all(), usual_s, meetings)
