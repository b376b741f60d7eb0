"""A job: what one file in jobs.d says, checked."""

import json
import re
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from idms_cli.config.checked import Section, check
from idms_cli.config.documents import Document
from idms_cli.config.fields import Duration, ListOf, Name, PositiveDuration
from idms_cli.config.foreign import shortened
from idms_cli.config.problems import Problem, ProblemsFound
from idms_cli.config.settings import Retry, Settings
from idms_cli.config.spelling import did_you_mean
from idms_cli.jobs.guard import GuardOptions
from idms_cli.jobs.reading import read_timing, unknown_calendars
from idms_cli.jobs.slots import Schedule
from idms_cli.jobs.stored import Stored
from idms_cli.jobs.timing import Entries, Missed, ScheduleOptions, SimpleText

SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")


Overlap = Literal["skip", "wait", "replace"]
"""What becomes of a slot while an earlier run of the same job is not over."""


class JobOptions(Section):
    """The keys of a job file; `with:` belongs to the module."""

    description: str = ""
    module: str
    connection: str | None = None
    schedule: ScheduleOptions | Entries | SimpleText | None = None
    enabled: bool = True
    timeout: Duration | None = None
    require_test: bool | None = None
    overlap: Overlap = "skip"
    wait: PositiveDuration | None = None
    pool: Name | None = None
    priority: int = Field(default=0, ge=-1000, le=1000)
    locks: ListOf[Name] = ()
    retry: Retry | None = None
    disable_after: int | None = Field(default=None, ge=1, le=1000)
    guard: GuardOptions = GuardOptions()
    with_: dict[str, Any] = Field(alias="with")


@dataclass(frozen=True)
class Job:
    """A checked job. Its name is the stem of its file."""

    name: str
    path: str
    description: str
    module: str
    connection: str
    """The name of a connection in idms.yaml."""
    enabled: bool
    schedule: Schedule | None
    """The nominal moments, without calendars and jitter; None for a job that runs by hand."""
    schedule_text: str
    """What `Stored` makes the same schedule and its rules of; '' for a job without one."""
    upstream: str
    """The job that this one comes after; empty for one with times of its own."""
    zone: ZoneInfo
    missed: Missed
    grace: timedelta
    timeout: timedelta
    overlap: Overlap
    wait: timedelta
    """How long a run may wait for its start."""
    pool: str
    """A pool of idms.yaml; empty for none."""
    priority: int
    """Runs of a higher one start first."""
    locks: tuple[str, ...]
    """Names of what no two runs may use at the same time, beside their data."""
    retry: Retry
    disable_after: int | None
    guard: GuardOptions
    require_test: bool
    digest: str
    """Of what it does and where: its module, `with:`, `guard:`, and the site and user of its connection."""
    document: Document


def parse_job(name: str, document: Document, settings: Settings) -> Job:
    """Check everything of a job file but its `with:`. Raises `ProblemsFound` with all problems."""
    problems: list[Problem] = []
    try:
        options = check(JobOptions, document)
    except ProblemsFound as found:
        unknown = [
            *_unknown_connection(document, settings),
            *_unknown_pool(document, settings),
            *unknown_calendars(document, settings),
        ]
        raise ProblemsFound([*found.problems, *unknown]) from None
    timing = read_timing(options.schedule, name, document, settings, problems)
    connection = _connection(options, document, settings, problems)
    problems += _unknown_pool(document, settings)
    if problems:
        raise ProblemsFound(problems)
    return Job(
        name=name,
        path=document.path,
        description=options.description,
        module=options.module,
        connection=connection,
        enabled=options.enabled,
        schedule=timing.schedule,
        schedule_text=timing.stored.to_text() if timing.stored else "",
        upstream=timing.stored.upstream if timing.stored else "",
        zone=timing.zone,
        missed=timing.options.missed,
        grace=timing.options.grace or settings.defaults.grace,
        timeout=options.timeout or settings.defaults.timeout,
        overlap=options.overlap,
        wait=options.wait or settings.defaults.wait,
        pool=options.pool or "",
        priority=options.priority,
        locks=options.locks,
        retry=options.retry or settings.defaults.retry,
        disable_after=options.disable_after or settings.defaults.disable_after,
        guard=options.guard,
        require_test=settings.defaults.require_test if options.require_test is None else options.require_test,
        digest=_digest(document, connection, settings),
        document=document,
    )


def check_name(name: str, paths: tuple[str, ...]) -> list[Problem]:
    """What is wrong with a job's name, before its file is read."""
    problems = []
    if len(paths) > 1:
        hint = f"Remove one of them: {', '.join(paths)}."
        problems = [Problem(path, 1, 1, f"two files make the job {name}", hint, name) for path in paths]
    if not SAFE_NAME.fullmatch(name):
        hint = "Use letters, digits, - and _ (at most 100), beginning with a letter or digit."
        problems.append(Problem(paths[0], 1, 1, "this file name is no safe job name", hint, name))
    return problems


def check_naming(job: Job, settings: Settings) -> list[Problem]:
    """Where a job breaks the house rules under `naming:` in idms.yaml."""
    problems = []
    naming = settings.naming
    if naming.pattern and not re.fullmatch(naming.pattern, job.name):
        hint = f"Rename the file: `naming.pattern` in {settings.path.name} is {naming.pattern.pattern}"
        problems.append(Problem(job.path, 1, 1, "the job's name breaks the naming rule", hint, job.name))
    if naming.description == "required" and not job.description.strip():
        hint = f"Add `description:`; `naming.description` in {settings.path.name} asks for one."
        problems.append(Problem(job.path, 1, 1, "the job has no description", hint))
    return problems


def schedule_from(text: str, timezone: str) -> Schedule:
    """The nominal schedule that `Job.schedule_text` stands for."""
    return Stored.from_text(text).schedule(ZoneInfo(timezone))


def _digest(document: Document, connection: str, settings: Settings) -> str:
    """Comments, order, times and limits do not count: a test says nothing about them."""
    site = settings.connections[connection]
    what = {key: document.data.get(key) for key in ("module", "with", "guard")}
    whole = {**what, "connection": connection, "url": site.url, "username": site.username}
    other = document.at(("with", "source", "connection"))
    if isinstance(other, str) and other in settings.connections:
        whole["read from"] = (settings.connections[other].url, settings.connections[other].username)
    return sha256(json.dumps(whole, sort_keys=True, default=str).encode()).hexdigest()


def _connection(options: JobOptions, document: Document, settings: Settings, problems: list[Problem]) -> str:
    name = options.connection or settings.defaults.connection
    if name is None and len(settings.connections) == 1:
        name = next(iter(settings.connections))
    if name is not None and name in settings.connections:
        return name
    problems += _unknown_connection(document, settings)
    if not options.connection:
        known = ", ".join(settings.connections) or "none"
        hint = f"Write `connection:` here, or `defaults: {{connection: ...}}` in {settings.path.name}. Known: {known}."
        problems.append(document.problem((), "the job names no connection, and there is no default one", hint=hint))
    return ""


def _unknown_connection(document: Document, settings: Settings) -> list[Problem]:
    """Looked for in the data as written, so that it is told together with all other mistakes."""
    name = document.at(("connection",))
    if not isinstance(name, str) or not name or name in settings.connections:
        return []
    hint = did_you_mean(name, settings.connections) or f"known: {', '.join(settings.connections) or 'none'}"
    message = f"there is no connection '{shortened(name)}' in {settings.path.name}"
    return [document.problem(("connection",), message, hint=hint)]


def _unknown_pool(document: Document, settings: Settings) -> list[Problem]:
    """Looked for in the data as written, so that it is told together with all other mistakes."""
    name = document.at(("pool",))
    if not isinstance(name, str) or not name or name in settings.pools:
        return []
    known = f"Known: {', '.join(settings.pools)}." if settings.pools else f"Write `pools: {{{shortened(name)}: 2}}`"
    hint = did_you_mean(name, settings.pools) or (known if settings.pools else f"{known} in {settings.path.name}.")
    return [document.problem(("pool",), f"there is no pool '{shortened(name)}' in {settings.path.name}", hint=hint)]
