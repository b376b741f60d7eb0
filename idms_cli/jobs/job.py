"""A job: what one file in jobs.d says, checked."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field

from idms_cli.config.checked import Section, check
from idms_cli.config.documents import Document
from idms_cli.config.fields import Duration, ListOf, Name, PositiveDuration, TimeZone
from idms_cli.config.foreign import shortened
from idms_cli.config.problems import BadValue, Problem, ProblemsFound
from idms_cli.config.settings import Retry, Settings
from idms_cli.config.spelling import did_you_mean
from idms_cli.jobs.guard import GuardOptions
from idms_cli.jobs.schedule import Schedule, ScheduleError, cron, one_time

SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")


def _readable(build: Callable[[str, ZoneInfo], Schedule]) -> Callable[[str], str]:
    """A field's check: the text makes a schedule, in whatever zone."""

    def check_text(text: str) -> str:
        try:
            build(text, ZoneInfo("UTC"))
        except ScheduleError as error:
            raise BadValue(str(error), hint=error.hint) from None
        return text

    return check_text


Missed = Literal["skip", "once", "all"]
"""What becomes of slots that nobody was there for."""

CronText = Annotated[str, AfterValidator(_readable(cron))]
OneTimeText = Annotated[str, AfterValidator(_readable(one_time))]


class ScheduleOptions(Section):
    """The `schedule:` of a job."""

    cron: CronText | None = None
    at: OneTimeText | None = None
    timezone: TimeZone | None = None
    missed: Missed = "once"
    grace: Duration | None = None


Overlap = Literal["skip", "wait", "replace"]
"""What becomes of a slot while an earlier run of the same job is not over."""


class JobOptions(Section):
    """The keys of a job file; `with:` belongs to the module."""

    description: str = ""
    module: str
    connection: str | None = None
    schedule: ScheduleOptions | None = None
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
    schedule_text: str
    """What `schedule_from` makes the same schedule of; '' for a job without one."""
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
        unknown = [*_unknown_connection(document, settings), *_unknown_pool(document, settings)]
        raise ProblemsFound([*found.problems, *unknown]) from None
    zone = (options.schedule and options.schedule.timezone) or settings.timezone
    schedule, text = _schedule(options.schedule, zone, document, problems)
    connection = _connection(options, document, settings, problems)
    problems += _unknown_pool(document, settings)
    if problems:
        raise ProblemsFound(problems)
    grace = (options.schedule and options.schedule.grace) or settings.defaults.grace
    return Job(
        name=name,
        path=document.path,
        description=options.description,
        module=options.module,
        connection=connection,
        enabled=options.enabled,
        schedule=schedule,
        schedule_text=text,
        zone=zone,
        missed=options.schedule.missed if options.schedule else "once",
        grace=grace,
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
    """The schedule that `Job.schedule_text` stands for."""
    return _build(json.loads(text), ZoneInfo(timezone))


def _digest(document: Document, connection: str, settings: Settings) -> str:
    """Comments, order, times and limits do not count: a test says nothing about them."""
    site = settings.connections[connection]
    what = {key: document.data.get(key) for key in ("module", "with", "guard")}
    whole = {**what, "connection": connection, "url": site.url, "username": site.username}
    return sha256(json.dumps(whole, sort_keys=True, default=str).encode()).hexdigest()


def _schedule(
    options: ScheduleOptions | None, zone: ZoneInfo, document: Document, problems: list[Problem]
) -> tuple[Schedule | None, str]:
    if options is None:
        return None, ""
    given = {word: value for word, value in (("cron", options.cron), ("at", options.at)) if value is not None}
    if len(given) != 1:
        hint = 'Write `cron: "15 2 * * *"` for a recurring job, `at: 2026-12-01 06:00` for a one-time job.'
        problems.append(document.problem(("schedule",), "a schedule needs exactly one of cron: and at:", hint=hint))
        return None, ""
    try:
        return _build(given, zone), json.dumps(given)
    except ScheduleError as error:
        problems.append(document.problem(("schedule", *given), str(error), hint=error.hint))
        return None, ""


def _build(given: Mapping[str, str], zone: ZoneInfo) -> Schedule:
    return cron(given["cron"], zone) if "cron" in given else one_time(given["at"], zone)


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
