"""How people are told. To add a channel: a new file here with `open_channel`, a line in `CHANNELS`, and its options.

A channel sends one message, and says truly what became of it. Its options are in `config/channels.py`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple, Protocol, cast

from idms_cli.config.channels import ChannelOptions
from idms_cli.config.mail import MailSettings
from idms_cli.config.secret_sources import SecretSource, resolve


class Entry(NamedTuple):
    """Where a channel lives; imported on first use."""

    module: str
    summary: str


CHANNELS: dict[str, Entry] = {
    "mail": Entry("idms_cli.notify.mail", "a mail to people"),
    "webhook": Entry("idms_cli.notify.webhook", "a POST with JSON, also for Slack and Teams"),
    "program": Entry("idms_cli.notify.program", "a program of yours, with JSON on its stdin"),
    "ping": Entry("idms_cli.notify.ping", "start, success and failure of every run, for Healthchecks and its like"),
    "apprise": Entry("idms_cli.notify.apprise", "what Apprise knows: 100 services and more"),
}


@dataclass(frozen=True)
class Message:
    """What somebody is told."""

    key: str
    """The same at each attempt, and of no other message, for those who want to know what came twice."""
    kind: str
    """opened, worse, reminder, closed, silent, digest, test, step; of a ping: start, success, failure."""
    job: str
    """Empty for what is about no single one."""
    at: datetime
    subject: str
    text: str
    data: Mapping[str, Any] = field(default_factory=dict)
    """The same for programs: JSON."""
    is_repeated: bool = False
    """An earlier attempt may have sent it."""


@dataclass(frozen=True)
class Site:
    """What channels need of idms.yaml."""

    directory: Path
    """Where relative paths start."""
    mail: MailSettings | None = None
    limit_s: float = 30.0
    """For one delivery; whoever calls a channel keeps it as well."""

    def reveal(self, source: SecretSource) -> str:
        """Raises `InputError`."""
        return resolve(source, self.directory).reveal()

    def text_of(self, value: str | SecretSource) -> str:
        """What stands there, or where that is kept. Raises `InputError`."""
        return value if isinstance(value, str) else self.reveal(value)


class Channel(Protocol):
    """A way to tell people."""

    def send(self, message: Message, handed: Callable[[], None]) -> None:
        """Send it once. `handed` is called right before the moment after which it may have been sent.

        Raises `OutcomeUnknown` where nobody can know, and any other `IdmsError` when it certainly was not sent.
        """
        ...


def open_channel(options: ChannelOptions, site: Site) -> Channel:
    """The channel that these options mean. Raises `InputError` for a library that is not installed."""
    module = import_module(CHANNELS[options.kind].module)
    return cast("Channel", module.open_channel(getattr(options, options.kind), site))
