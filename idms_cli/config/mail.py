"""The mail server of a site or a step, and addresses of people."""

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, PlainValidator, WithJsonSchema, model_validator

from idms_cli.config.addresses import is_loopback
from idms_cli.config.checked import Section
from idms_cli.config.fields import PositiveDuration, RelativePath
from idms_cli.config.oauth import ClientCredentials
from idms_cli.config.problems import BadValue
from idms_cli.config.secret_sources import SecretSource

PORTS = {"starttls": 587, "implicit": 465, "none": 25}

_EXAMPLE = "write ops@example.org, or Members <members@example.org>"
_NAMED = re.compile(r"\s*(?:\"(?P<quoted>[^\"\\]*)\"|(?P<name>[^<>\"@,;]*?))\s*<(?P<address>[^<>\s]+)>\s*")
_LOCAL = re.compile(r"[^\s\"(),:;<>@\[\]\\.]+(?:\.[^\s\"(),:;<>@\[\]\\.]+)*")
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|[0-9A-Fa-f:]+")


@dataclass(frozen=True)
class Person:
    """Somebody who sends or gets mail."""

    name: str
    """As people write it; empty when none is given."""
    local: str
    """What stands before the `@`; with letters beyond ASCII a server has to speak SMTPUTF8."""
    domain: str
    """In ASCII: `xn--bcher-kva.example` for bücher.example."""

    @property
    def address(self) -> str:
        return f"{self.local}@{self.domain}"

    def __str__(self) -> str:
        return self.address


def parse_person(text: object) -> Person:
    """Raises `BadValue`."""
    if not isinstance(text, str) or not text:
        raise BadValue("an address of mail is wanted here", hint=_EXAMPLE)
    if not text.isprintable():
        raise BadValue("an address cannot have control characters in it", hint="look for \\ in double quotes")
    named = _NAMED.fullmatch(text)
    name, address = (named["quoted"] or named["name"] or "", named["address"]) if named else ("", text.strip())
    local, _, domain = address.rpartition("@")
    if not _LOCAL.fullmatch(local) or len(local.encode()) > 64 or not domain:
        raise BadValue("this is no address of mail", hint=_EXAMPLE)
    return Person(name.strip(), local, _in_ascii(domain))


def _in_ascii(domain: str) -> str:
    if domain.isascii() and _HOST.fullmatch(domain):
        return domain.lower()
    import idna  # noqa: PLC0415 - 10 ms, for few

    try:
        return idna.encode(domain, uts46=True, std3_rules=True).decode("ascii")
    except idna.IDNAError:
        raise BadValue("what stands behind the @ is no name of a domain", hint=_EXAMPLE) from None


def _host(text: str) -> str:
    if not _HOST.fullmatch(text):
        raise BadValue("this is no name of a server", hint="write it as in mail.example.org, with `port:` beside it")
    return text


PersonText = Annotated[Person, PlainValidator(parse_person), WithJsonSchema({"type": "string"})]


class MailServer(Section):
    """Who takes mail from us. Its certificate is always verified."""

    host: Annotated[str, AfterValidator(_host)]
    port: int | None = Field(default=None, ge=1, le=65535, description="587 with starttls, 465 with implicit, else 25.")
    tls: Literal["starttls", "implicit", "none"] = Field(
        default="starttls", description="When the line is encrypted: after a word in the open, at once, or never."
    )
    user: str | None = Field(default=None, min_length=1)
    password: SecretSource | None = None
    oauth2: ClientCredentials | None = Field(default=None, description="A token in place of a password (XOAUTH2).")
    ca_file: RelativePath | None = Field(default=None, description="Certificates of a private authority.")
    silence: PositiveDuration = Field(default=timedelta(seconds=60), description="How long an answer may take.")

    @model_validator(mode="after")
    def _refuse_misfits(self) -> Self:
        if self.tls == "none" and not is_loopback(self.host):
            hint = "write tls: starttls or tls: implicit"
            raise BadValue("mail without TLS can be read on its way; it is for this machine only", hint=hint)
        ways = sum(way is not None for way in (self.password, self.oauth2))
        if ways > 1 or (ways == 1) != (self.user is not None):
            raise BadValue("this is no way to log in", hint="write user and password, or user and oauth2, or neither")
        return self

    @property
    def on_port(self) -> int:
        return self.port or PORTS[self.tls]


class MailSettings(Section):
    """How this site sends mail, where nothing else is said."""

    server: MailServer
    from_: PersonText | None = Field(default=None, alias="from", description="Who sends it.")
