"""A job: what one file in jobs.d says, checked."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field

from idms_cli.config.checked import Section, check
from idms_cli.config.documents import Document
from idms_cli.config.fields import Duration, Percent, ShareOf, TimeZone
from idms_cli.config.foreign import shortened
from idms_cli.config.problems import BadValue, Problem, ProblemsFound
from idms_cli.config.settings import Settings
from idms_cli.config.spelling import did_you_mean
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


class GuardOptions(Section):
    """The `guard:` of a job: a run whose plan trips it is held, nothing written, until somebody approves it."""

    min_rows: int | None = Field(default=None, ge=0, description="The source must have at least so many rows.")
    max_rejects: ShareOf | None = Field(default=None, description="Rejected rows, as a count or percent of all rows.")
    max_changes: ShareOf | None = Field(default=None, description="Records inserted, updated and deleted.")
    max_deletes: ShareOf | None = Field(default=None, description="Records deleted.")
    usual: Percent | None = Field(
        default=None, description="The source must have at least this part of the rows of the last good runs."
    )


class JobOptions(Section):
    """The keys of a job file; `with:` belongs to the module."""

    description: str = ""
    module: str
    connection: str | None = None
    schedule: ScheduleOptions | None = None
    enabled: bool = True
    timeout: Duration | None = None
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
    guard: GuardOptions
    document: Document


def parse_job(name: str, document: Document, settings: Settings) -> Job:
    """Check everything of a job file but its `with:`. Raises `ProblemsFound` with all problems."""
    problems: list[Problem] = []
    try:
        options = check(JobOptions, document)
    except ProblemsFound as found:
        raise ProblemsFound([*found.problems, *_unknown_connection(document, settings)]) from None
    zone = (options.schedule and options.schedule.timezone) or settings.timezone
    schedule, text = _schedule(options.schedule, zone, document, problems)
    connection = _connection(options, document, settings, problems)
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
        guard=options.guard,
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
