"""`idms delta`: what a job remembers of what it has delivered, and how it is made to forget."""

import sys

import click

from idms_cli.commands import Session, json_option, pass_session
from idms_cli.dispatch.reading import require_job
from idms_cli.errors import InputError
from idms_cli.reports.delta import dropped_page, key_page, memory_page, reset_page
from idms_cli.reports.page import show
from idms_cli.reports.wording import Clock
from idms_cli.rows.memory import memory_path, open_memory


@click.group()
def command() -> None:
    """What a transfer with `delta:` or `since:` remembers of what it has delivered."""


@command.command("show")
@click.argument("job")
@click.argument("key", required=False)
@json_option
@pass_session
def show_memory(session: Session, job: str, key: str | None, *, as_json: bool) -> None:
    """How many rows JOB remembers, or whether and since when it remembers the row KEY."""
    clock = Clock(session.settings.timezone, session.now())
    _require_memory(session, job)
    with open_memory(session.settings.state, job) as memory:
        page = memory_page(job, memory, clock) if key is None else key_page(job, key, memory.find(key), clock)
    show(page, as_json=as_json)


@command.command("drop")
@click.argument("job")
@click.argument("keys", metavar="KEY...", nargs=-1, required=True)
@json_option
@pass_session
def drop(session: Session, job: str, keys: tuple[str, ...], *, as_json: bool) -> None:
    """Forget the rows KEY...: the next run of JOB delivers them again."""
    _require_memory(session, job)
    with open_memory(session.settings.state, job) as memory:
        missing = [key for key in keys if memory.find(key) is None]
        known = memory.drop(keys)
    show(dropped_page(job, known, missing), as_json=as_json)


@command.command("reset")
@click.argument("job")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@pass_session
def reset(session: Session, job: str, *, yes: bool, as_json: bool) -> None:
    """Forget everything: the next run of JOB delivers all rows."""
    _require_memory(session, job)
    with open_memory(session.settings.state, job) as memory:
        if not yes:
            _ask(job, memory.count, as_json=as_json)
        known = memory.reset()
    show(reset_page(job, known), as_json=as_json)


def _ask(job: str, count: int, *, as_json: bool) -> None:
    if as_json or not sys.stdin.isatty():
        raise InputError("nobody is here to be asked", hint="Say --yes to let the job forget all.")
    if not click.confirm(f"{job} remembers {count:,} rows. Forget them, so that all are sent again?"):
        raise InputError("nothing was forgotten")


def _require_memory(session: Session, job: str) -> None:
    """A job that is gone may still have one."""
    if memory_path(session.settings.state, job).exists():
        return
    require_job(session.settings, job)
    raise InputError(f"{job} remembers nothing", hint="A transfer with `delta:` does, once it has delivered.")
