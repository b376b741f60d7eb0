"""The address of a site: https, or http to this machine only, and nothing secret in it."""

from ipaddress import ip_address
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from pydantic import PlainValidator, WithJsonSchema

from idms_cli.config.problems import BadValue

_EXAMPLE = "write it as in https://members.example.org"


def parse_site_url(text: object) -> str:
    """The address without a slash at its end. Raises `BadValue`; where a password may be in it, it is not shown."""
    if not isinstance(text, str) or not text:
        raise BadValue("the address of the site is wanted here", hint=_EXAMPLE)
    reason, hint = _objection(text)
    if reason:
        raise BadValue(reason, hint=hint or _EXAMPLE, show_value=not set(text) & set("@?#"))
    return text.rstrip("/")


def is_loopback(host: str) -> bool:
    """Does the host name this machine: localhost, 127.0.0.0/8 or ::1?"""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def split_server(text: str) -> tuple[str, int | None] | None:
    """Host and port of `host`, `host:22` or `[::1]:22`; None when it is no such thing. The host may be empty."""
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return None
    return None if port == 0 or any(character.isspace() for character in host) else (host, port)


def _objection(text: str) -> tuple[str, str]:
    """What is wrong with an address, and a hint; empty when nothing is."""
    parts = _split(text)
    if parts is None:
        return "this is not an address", ""
    if "@" in parts.netloc:
        return "user name and password do not belong in the address", "use the keys username and password"
    if "?" in text or "#" in text:
        return "an address with '?' or '#' is not the address of a site", ""
    if parts.scheme not in ("https", "http") or not parts.hostname:
        return "an address that starts with https:// is wanted here", ""
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        return "http:// sends passwords in the open; it is for this machine only", "write https://"
    return "", ""


def _split(text: str) -> SplitResult | None:
    """The parts; None with blanks, control characters or a port that is none, which `urlsplit` lets pass."""
    if any(character.isspace() or not character.isprintable() or character == "\\" for character in text):
        return None
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return None
    return None if port == 0 else parts


SiteUrl = Annotated[str, PlainValidator(parse_site_url), WithJsonSchema({"type": "string", "format": "uri"})]
