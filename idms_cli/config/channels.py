"""By which ways this site tells people things, and of what a job tells them."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import time, timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, PlainValidator, WithJsonSchema, model_validator

from idms_cli.config.addresses import parse_site_url
from idms_cli.config.checked import Section
from idms_cli.config.clocktimes import parse_times
from idms_cli.config.documents import Document, Loc
from idms_cli.config.fields import Duration, ListOf, Name, PositiveDuration, RelativePath, ShareOf
from idms_cli.config.foreign import shortened
from idms_cli.config.mail import MailServer, MailSettings, PersonText
from idms_cli.config.problems import BadValue, Problem
from idms_cli.config.secret_sources import SecretSource
from idms_cli.config.spelling import did_you_mean

Event = Literal["failed", "partial", "held", "late", "disabled"]
EVENTS: tuple[Event, ...] = ("failed", "partial", "held", "late", "disabled")

KINDS = ("mail", "webhook", "program", "ping", "apprise")
PER_RUN = ("ping",)
"""Kinds that hear of every run, its start and its end; the others hear of incidents."""


_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


def _header_name(text: str) -> str:
    if not _HEADER.fullmatch(text) or text.casefold() in ("host", "content-length", "transfer-encoding"):
        raise BadValue("this cannot be the name of a header", hint="write it as in X-Request-Id")
    return text


def _url(text: object) -> str:
    """As a site's, as far as that goes; a query may follow. Raises `BadValue`."""
    if not isinstance(text, str):
        raise BadValue("an address is wanted here", hint="write it as in https://hooks.example.org/idms")
    parse_site_url(text.partition("?")[0].replace("{job}", "job"))
    if not text.isascii() or not text.isprintable() or " " in text or "#" in text:
        raise BadValue("this address cannot be used", hint="encode blanks and letters beyond ASCII: %20")
    return text


Url = Annotated[str, PlainValidator(_url), WithJsonSchema({"type": "string", "format": "uri"})]
HeaderName = Annotated[str, AfterValidator(_header_name)]


class MailChannel(Section):
    """A mail to people."""

    to: ListOf[PersonText] = Field(min_length=1)
    from_: PersonText | None = Field(default=None, alias="from")
    server: MailServer | None = None


class WebhookChannel(Section):
    """A POST with JSON."""

    url: Url | SecretSource
    template: str | None = Field(default=None, min_length=1, description="`slack`, `teams`, or JSON with {{ }} in it.")
    headers: dict[HeaderName, str | SecretSource] = Field(default_factory=dict)
    bearer: SecretSource | None = None
    ca_file: RelativePath | None = None


class PingChannel(Section):
    """Start, success and failure of every run, as Healthchecks and its like take them."""

    url: Url | SecretSource
    ca_file: RelativePath | None = None


class ChannelOptions(Section):
    """Exactly one way."""

    mail: ListOf[PersonText] | MailChannel | None = None
    webhook: Url | WebhookChannel | None = None
    program: ListOf[str] | None = Field(default=None, min_length=1)
    ping: Url | PingChannel | None = None
    apprise: SecretSource | None = Field(default=None, description="Addresses of Apprise, one on each line.")
    limit: PositiveDuration = timedelta(seconds=30)
    """For the delivery of one message."""

    @model_validator(mode="after")
    def _need_exactly_one(self) -> Self:
        if sum(getattr(self, kind) is not None for kind in KINDS) != 1:
            raise BadValue("a channel is exactly one way", hint=f"write one of {', '.join(KINDS)}")
        return self

    @property
    def kind(self) -> str:
        return next(kind for kind in KINDS if getattr(self, kind) is not None)


class NotifyOptions(Section):
    """Whom a job tells of what."""

    channels: ListOf[Name]
    on: ListOf[Event] = EVENTS
    by_hand: bool = False
    """Also of runs that somebody started."""
    rejects: ShareOf | None = None
    """A partial run with no more rejects than this is no incident."""
    remind: Duration = timedelta(hours=24)
    """So long after the last message, while it lasts; 0s: never."""
    details: bool = False
    """Messages may hold values of rows."""


Notify = ListOf[Name] | NotifyOptions
"""Short: the names of the channels alone."""


def _clock(text: object) -> time:
    if not isinstance(text, str):
        raise BadValue("a time of day is wanted here", hint='write it in quotes: "07:00"')
    times = parse_times(text)
    if len(times) > 1:
        raise BadValue("one time of day is wanted here", hint='write it in quotes: "07:00"')
    return times[0]


class DigestOptions(Section):
    """A daily summary."""

    at: Annotated[time, PlainValidator(_clock), WithJsonSchema({"type": "string"})]
    """By the site's clock."""
    channels: ListOf[Name] = Field(min_length=1)


def told(notify: Sequence[str] | NotifyOptions | None) -> NotifyOptions:
    """The long form."""
    return notify if isinstance(notify, NotifyOptions) else NotifyOptions(channels=tuple(notify or ()))


def stored_notify(notify: NotifyOptions, channels: Mapping[str, ChannelOptions]) -> dict[str, Any]:
    """For the history: where the channels are split into those that hear of incidents, and those of every run."""
    if not notify.channels:
        return {}
    per_run = [name for name in notify.channels if channels[name].kind in PER_RUN]
    return {
        "channels": [name for name in notify.channels if name not in per_run],
        "pings": per_run,
        "on": list(notify.on),
        "by_hand": notify.by_hand,
        "rejects": None if notify.rejects is None else [notify.rejects.count, notify.rejects.percent],
        "remind_s": notify.remind.total_seconds(),
        "details": notify.details,
    }


def unknown_channels(document: Document, at: Loc, known: Iterable[str], *, file: str = "") -> list[Problem]:
    """Looked for in the data as written, so that it is told together with all other mistakes."""
    names = document.at(at) if document.has(at) else None
    if isinstance(names, dict):
        at = (*at, "channels")
        names = names.get("channels")
    if not isinstance(names, list):
        return []
    where, known = f" in {file}" if file else "", list(known)
    hint = f"known: {', '.join(known)}" if known else f"write it under channels:{where}"
    return [
        document.problem(
            (*at, place), f"there is no channel '{shortened(name)}'{where}", hint=did_you_mean(name, known) or hint
        )
        for place, name in enumerate(names)
        if isinstance(name, str) and name not in known
    ]


def digest_problems(
    document: Document, channels: Mapping[str, ChannelOptions], digest: DigestOptions | None
) -> list[Problem]:
    """A digest is no run: a service that watches runs would take it for a failure."""
    return [
        document.problem(
            ("digest", "channels", place),
            f"{name} only hears how runs begin and end",
            hint="name a mail, webhook, program or apprise channel",
        )
        for place, name in enumerate(digest.channels if digest else ())
        if name in channels and channels[name].kind in PER_RUN
    ]


def channel_problems(
    document: Document, channels: Mapping[str, ChannelOptions], mail: MailSettings | None
) -> list[Problem]:
    """What only the whole file can tell."""
    problems = []
    for name, channel in channels.items():
        if channel.mail is None:
            continue
        own = channel.mail if isinstance(channel.mail, MailChannel) else None
        if not (own and own.server) and mail is None:
            hint = "write `mail: {server: {host: mail.example.org}, from: idms@example.org}` in this file"
            problems.append(document.problem(("channels", name), "no mail server is named", hint=hint, on_key=True))
        elif not (own and own.from_) and not (mail and mail.from_):
            hint = "write `from:` under `mail:` of this file, or of the channel"
            problems.append(
                document.problem(("channels", name), "nobody is named who sends it", hint=hint, on_key=True)
            )
    return problems
