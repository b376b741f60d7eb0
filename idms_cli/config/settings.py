"""idms.yaml, the site's settings: found, checked, and with every path made absolute."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from idms_cli.config.addresses import SiteUrl
from idms_cli.config.calendars import CalendarOptions
from idms_cli.config.channels import (
    ChannelOptions,
    DigestOptions,
    Notify,
    channel_problems,
    digest_problems,
    unknown_channels,
)
from idms_cli.config.checked import Section, check
from idms_cli.config.documents import Document, Loc, read_document
from idms_cli.config.fields import Duration, Name, Pattern, PositiveDuration, Rate, RelativePath, Size, TimeZone
from idms_cli.config.mail import MailSettings
from idms_cli.config.matchoptions import MatchOptions
from idms_cli.config.problems import Problem, ProblemsFound
from idms_cli.config.reports import ReportOptions
from idms_cli.config.secret_sources import SecretSource
from idms_cli.config.spelling import did_you_mean
from idms_cli.config.trust import untrusted_reason
from idms_cli.errors import InputError

FILE_NAME = "idms.yaml"
SYSTEM_FILE = Path("/etc/idms") / FILE_NAME


class Connection(Section):
    """One iMIS site and the account that idms uses there."""

    url: SiteUrl
    username: str = Field(min_length=1)
    password: SecretSource
    rate: Rate = 5.0
    """Calls per second at most."""
    concurrency: int = Field(1, ge=1, le=64)
    """Calls at the same time at most."""
    ca_file: RelativePath | None = None
    """Certificates (PEM) of a private authority, which are trusted beside the public ones."""
    timeout: PositiveDuration = timedelta(seconds=30)
    """For one call."""
    page_size: int = Field(500, ge=1, le=500)
    """Rows of a query per call; iMIS gives at most 500."""
    settle: Duration = timedelta(seconds=10)
    """How long the site may still be at work on a call whose answer was lost, before it is asked what it did."""


class Retry(Section):
    """When to try again what failed for a reason that can pass: the site or a source could not be reached."""

    attempts: int = Field(default=3, ge=1, le=100)
    """In all, the first one included."""
    delay: PositiveDuration = timedelta(minutes=5)
    """Before the second attempt."""
    factor: float = Field(default=2.0, ge=1, le=10)
    """How much longer each further delay is than the one before it."""
    cap: PositiveDuration = timedelta(hours=1)
    """No delay is longer."""

    def delay_s(self, attempts: int) -> float | None:
        """Seconds to wait after so many attempts; None when there is no further one."""
        if attempts >= self.attempts:
            return None
        return float(min(self.delay.total_seconds() * self.factor ** (attempts - 1), self.cap.total_seconds()))


class Defaults(Section):
    """What holds for every job that does not say otherwise."""

    connection: str | None = None
    timeout: PositiveDuration = timedelta(hours=2)
    """For a whole run."""
    grace: Duration = timedelta(hours=6)
    """A slot that was missed for longer than this is not made up for."""
    require_test: bool = False
    """Only jobs that have passed `idms test` as they are now run on their own."""
    wait: PositiveDuration = timedelta(hours=6)
    """A run that waits for longer than this for its start does not run any more."""
    retry: Retry = Retry(attempts=1)
    disable_after: int | None = Field(default=None, ge=1, le=1000)
    """Failures in a row that disable a job."""
    notify: Notify = ()
    """Who is told when a job breaks, and when it is well again."""
    options: MatchOptions = Field(default_factory=MatchOptions)


PoolSize = Annotated[int, Field(ge=1, le=256)]


class Naming(Section):
    """The house rules that job files must follow."""

    pattern: Pattern | None = None
    """Every job's whole name must match it."""
    description: Literal["required", "optional"] = "optional"


class RetentionOptions(Section):
    """How long what is over is kept. What is not over, and the newest runs of each job, always are."""

    runs: PositiveDuration = timedelta(days=400)
    """In the history."""
    journals: PositiveDuration = timedelta(days=90)
    """The directory of a run: its journal, the copy of its source, rejects, log. Without it a run cannot be undone."""
    count: int | None = Field(default=None, ge=1000)
    """The most runs in the history."""
    size: Size | None = Field(default=None, gt=0)
    """The most bytes of all run directories; the oldest go first."""


class SettingsFile(Section):
    """idms.yaml as it is written."""

    timezone: TimeZone = ZoneInfo("UTC")
    jobs: RelativePath = Path("jobs.d")
    state: RelativePath = Path(".idms")
    connections: dict[Name, Connection] = Field(default_factory=dict)
    defaults: Defaults = Defaults()
    max_parallel: int = Field(4, ge=1, le=256)
    pools: dict[Name, PoolSize] = Field(default_factory=dict)
    calendars: dict[Name, CalendarOptions] = Field(default_factory=dict)
    naming: Naming = Naming()
    retention: RetentionOptions = RetentionOptions()
    mail: MailSettings | None = None
    """How mail is sent, where a step says nothing else."""
    channels: dict[Name, ChannelOptions] = Field(default_factory=dict)
    digest: DigestOptions | None = None
    report: ReportOptions | None = None
    """What run-due keeps fresh."""


@dataclass(frozen=True)
class Settings:
    """The site's settings; all paths are absolute."""

    path: Path
    directory: Path
    """Where relative paths in idms.yaml and in jobs start."""
    timezone: ZoneInfo
    jobs: Path
    state: Path
    connections: Mapping[str, Connection]
    defaults: Defaults
    """`defaults.connection` names the only connection, where there is one and none is named."""
    max_parallel: int
    pools: Mapping[str, int]
    """How many runs of the jobs in a pool run at the same time."""
    calendars: Mapping[str, CalendarOptions]
    naming: Naming
    retention: RetentionOptions
    given: MatchOptions = field(default_factory=MatchOptions)
    """Options of the command line, which go before those of a job."""
    mail: MailSettings | None = None
    """Relative paths in it start from `directory`."""
    channels: Mapping[str, ChannelOptions] = field(default_factory=dict)
    """As above."""
    digest: DigestOptions | None = None
    report: ReportOptions | None = None
    """Paths in it start from `directory`."""
    frozen_jobs: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Of a run of a workflow: path and text of the jobs that it runs, as they were when it began."""


def find_settings(
    explicit: str | None, environ: Mapping[str, str], cwd: Path, *, system_file: Path = SYSTEM_FILE
) -> Path:
    """Where idms.yaml is: `--config`, `$IDMS_CONFIG`, `./idms.yaml`, `/etc/idms/idms.yaml`; the first one counts.

    A path that was named is taken as it is, without a look whether it is there. Raises `InputError` when none is named
    and none is found.
    """
    named = explicit or environ.get("IDMS_CONFIG")
    if named:
        return cwd / named
    for place in (cwd / FILE_NAME, system_file):
        if place.exists():
            return place
    raise InputError(
        f"there is no {FILE_NAME}",
        hint=f"looked for --config FILE, $IDMS_CONFIG, {cwd / FILE_NAME} and {system_file}",
    )


def read_settings(path: Path) -> Settings:
    """The settings in the file at `path`. Raises `ProblemsFound` with every mistake in it."""
    document = read_document(path)
    problems = [
        *_trust_problems(path, document),
        *_default_connection_problems(document),
        *_channel_name_problems(document),
    ]
    try:
        written = check(SettingsFile, document)
    except ProblemsFound as found:
        raise ProblemsFound([*found.problems, *problems]) from None
    settings = _settings(written, path.absolute())
    problems += _ca_file_problems(settings, document)
    problems += channel_problems(document, settings.channels, settings.mail)
    problems += digest_problems(document, settings.channels, settings.digest)
    if problems:
        raise ProblemsFound(problems)
    return settings


def _settings(written: SettingsFile, path: Path) -> Settings:
    directory = path.parent
    connections = {
        name: connection.model_copy(update={"ca_file": directory / connection.ca_file})
        if connection.ca_file
        else connection
        for name, connection in written.connections.items()
    }
    only = next(iter(connections)) if len(connections) == 1 else None
    return Settings(
        path=path,
        directory=directory,
        timezone=written.timezone,
        jobs=directory / written.jobs,
        state=directory / written.state,
        connections=connections,
        defaults=written.defaults.model_copy(update={"connection": written.defaults.connection or only}),
        max_parallel=written.max_parallel,
        pools=written.pools,
        calendars=written.calendars,
        naming=written.naming,
        mail=written.mail,
        retention=written.retention,
        channels=written.channels,
        digest=written.digest,
        report=written.report,
    )


def _trust_problems(path: Path, document: Document) -> list[Problem]:
    reason = untrusted_reason(path)
    if reason is None:
        return []
    hint = "idms.yaml and jobs run with your rights: give them to root or to your account, and chmod go-w"
    return [document.problem((), f"the file {reason}", hint=hint)]


def _default_connection_problems(document: Document) -> list[Problem]:
    """Looked for in the data as written, so that it is told together with all other mistakes."""
    name, connections = document.at(("defaults", "connection")), document.at(("connections",))
    known = list(connections) if isinstance(connections, dict) else []
    if not isinstance(name, str) or name in known:
        return []
    hint = did_you_mean(name, known) or (f"known: {', '.join(known)}" if known else "write it under connections:")
    return [document.problem(("defaults", "connection"), f"there is no connection '{name}'", hint=hint)]


def _channel_name_problems(document: Document) -> list[Problem]:
    channels = document.at(("channels",)) if document.has(("channels",)) else {}
    known = list(map(str, channels)) if isinstance(channels, dict) else []
    return [
        *unknown_channels(document, ("defaults", "notify"), known),
        *unknown_channels(document, ("digest", "channels"), known),
    ]


def _ca_file_problems(settings: Settings, document: Document) -> list[Problem]:
    named: dict[Loc, Path | None] = {
        ("connections", name, "ca_file"): connection.ca_file for name, connection in settings.connections.items()
    }
    if settings.mail and settings.mail.server.ca_file:
        named["mail", "server", "ca_file"] = settings.directory / settings.mail.server.ca_file
    return [
        document.problem(place, f"there is no file {path}", hint="check the path")
        for place, path in named.items()
        if path and not path.is_file()
    ]
