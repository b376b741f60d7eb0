"""`idms status`: how each job stands."""

import click

from idms_cli.commands import Session, json_option, pass_session
from idms_cli.dispatch.connections import shut_connections
from idms_cli.dispatch.reading import require_job
from idms_cli.dispatch.refresh import refresh
from idms_cli.dispatch.settle import settle
from idms_cli.errors import IdmsError, InputError
from idms_cli.reports.connections import away_page
from idms_cli.reports.monitoring import UNKNOWN, Verdict, unknown, verdict
from idms_cli.reports.page import Page, show
from idms_cli.reports.standing import standings
from idms_cli.reports.status import status_page
from idms_cli.reports.wording import Clock

WATCH_EVERY_S = 2.0


@click.command()
@click.argument("job", required=False)
@click.option(
    "--check", is_flag=True, help="For monitoring: one line, exit code 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN."
)
@click.option("--watch", "is_watched", is_flag=True, help="Stay, and draw it anew every 2 seconds; q ends.")
@json_option
@pass_session
def command(session: Session, job: str | None, *, check: bool, is_watched: bool, as_json: bool) -> int:
    """How each job stands, those that need you first: its state, its next run, its last runs.

    With --check one line about all jobs, or about JOB, in the form of a monitoring plugin.
    """
    if is_watched and (check or as_json):
        raise InputError("--watch is for people, --check and --json are for programs", hint="Say one of them.")
    if check:
        return _check(session, job, as_json=as_json)
    if job is not None:
        raise InputError("a single job is for --check", hint=f"`idms history {job}` and `idms why {job}` tell of one.")
    if is_watched:
        from idms_cli.reports.watching import require_terminal, watch  # noqa: PLC0415 - it loads rich

        require_terminal("--watch")
        watch(lambda: _page(session), every_s=WATCH_EVERY_S)
    else:
        show(_page(session), as_json=as_json, paged=True)
    return 0


def _page(session: Session) -> Page:
    now = session.now()
    settle(session.store, now.timestamp())
    refreshed = refresh(session.store, session.settings, now)
    clock = Clock(session.settings.timezone, now)
    away = away_page(session.store, session.settings, clock)
    return status_page(session.store, refreshed, clock, away=away)


def _check(session: Session, job: str | None, *, as_json: bool) -> int:
    try:
        level, page = _verdict(session, job)
    except IdmsError as error:
        level, page = UNKNOWN, unknown(f"{error} {error.hint}".strip())
    show(page, as_json=as_json)
    return level


def _verdict(session: Session, job: str | None) -> Verdict:
    store, settings, now = session.store, session.settings, session.now()
    settle(store, now.timestamp())
    clock, jobs = Clock(settings.timezone, now), refresh(store, settings, now).jobs
    if job is not None and job not in jobs:
        require_job(settings, job)
    wanted = jobs if job is None else {job: jobs[job]}
    last = store.ticks.last()
    tick_s = None if last is None else max(now.timestamp() - last, 0.0)
    return verdict(
        standings(store, wanted, clock), shut_connections(store, settings), tick_s=tick_s, clock=clock, job=job
    )
