"""A web address with `{{ }}` in it: what is put in can never become another path, query or server."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, NamedTuple
from urllib.parse import quote, urlsplit

from jinja2 import Environment
from pydantic import PlainValidator, WithJsonSchema

from idms_cli.config.addresses import is_loopback
from idms_cli.config.problems import BadValue
from idms_cli.delivery.texts import Template, parse_template
from idms_cli.templates.texts import Unrendered

_LEXING = Environment(autoescape=False)  # noqa: S701 - it only cuts, and renders nothing
_EXAMPLE = "write it as in https://partner.example.net/members or .../members/{{ row.ID }}"
_SERVER = re.compile(r"(https?://[^/?#]+)(?=[/?])", re.IGNORECASE)
_AS_IT_IS = "".join(map(chr, range(0x21, 0x7F)))
_SELF_OR_ABOVE = re.compile(r"(?:\.|%2e){1,2}", re.IGNORECASE)


class Place(NamedTuple):
    """Where one request goes."""

    url: str
    shown: str
    """Without what follows the `?`, which may be secret."""


@dataclass(frozen=True)
class WebAddress:
    """An address that was read: the server is written out, what follows it may have templates."""

    source: str
    server: str
    """Scheme, host and port."""
    _parts: tuple[str | Template, ...] = field(repr=False)

    @property
    def templates(self) -> tuple[Template, ...]:
        """All that is worked out."""
        return tuple(part for part in self._parts if isinstance(part, Template))

    @property
    def shown(self) -> str:
        """As people know it."""
        return self.source.partition("?")[0]

    @property
    def fixed(self) -> str:
        """What is the same for each request: server and path up to the first template."""
        first = self._parts[0]
        return f"{self.server}{first}".partition("?")[0] if isinstance(first, str) else self.server

    def place(self, values: Mapping[str, Any]) -> Place:
        """Each value is encoded as a part of a path or of a query. Raises `Unrendered`."""
        rest = "".join(part if isinstance(part, str) else _encoded(part, values) for part in self._parts)
        path = rest.partition("?")[0]
        if any(_SELF_OR_ABOVE.fullmatch(part) for part in path.split("/")):
            raise Unrendered("a part of the address would be . or .., which is another address")
        return Place(f"{self.server}{rest}", f"{self.server}{path}")


def parse_address(text: object) -> WebAddress:
    """Raises `BadValue`; where a password may be in the text, it is not shown."""
    if not isinstance(text, str) or not text:
        raise BadValue("a web address is wanted here", hint=_EXAMPLE)
    parts = _parts(text)
    first = parts[0] if isinstance(parts[0], str) else ""
    if len(parts) == 1 and "/" not in first.partition("://")[2] and "?" not in first:
        first = f"{first}/"
    if "@" in re.split(r"[/?]", first.partition("://")[2])[0]:
        hint = "name where they are kept under `auth:`"
        raise BadValue("user and password do not belong in the address", hint=hint, show_value=False)
    found = _SERVER.match(first)
    if not found:
        raise BadValue("the address has to begin with a server, written out", hint=_EXAMPLE, show_value=False)
    rest = (first[found.end() :], *parts[1:])
    _refuse(found[1], rest)
    rest = tuple(quote(part, safe=_AS_IT_IS) if isinstance(part, str) else part for part in rest)
    return WebAddress(text, found[1].lower(), rest)


def _refuse(server: str, rest: tuple[str | Template, ...]) -> None:
    written = "".join(part if isinstance(part, str) else "x" for part in rest)
    if any(not character.isprintable() or character in " \\" for part in (server, written) for character in part):
        raise BadValue("an address has no blanks", hint="write %20 for a blank", show_value=False)
    if "#" in written:
        raise BadValue("what follows '#' is never sent to a server", hint="leave it out", show_value=False)
    if any(_SELF_OR_ABOVE.fullmatch(part) for part in written.partition("?")[0].split("/")):
        raise BadValue("a part of the address is . or ..", hint="write the address without it", show_value=False)
    try:
        parts = urlsplit(server)
        port = parts.port
    except ValueError:
        port = 0
    if port == 0 or not parts.hostname:
        raise BadValue("this is no name of a server, or no port", hint=_EXAMPLE)
    if parts.scheme.lower() == "http" and not is_loopback(parts.hostname):
        raise BadValue("http:// can be read and changed on its way; it is for this machine only", hint="write https://")


def _parts(text: str) -> list[str | Template]:
    """The text cut into what stands as it is and what is worked out."""
    parse_template(text)  # tells what is no template at all
    parts: list[str | Template] = []
    expression: str | None = None
    for _, kind, value in _LEXING.lex(text):
        if kind == "variable_begin":
            expression = value
        elif expression is not None:
            expression += value
            if kind == "variable_end":
                parts.append(parse_template(expression))
                expression = None
        elif kind == "data":
            parts.append(value)
        else:
            raise BadValue("only {{ }} can stand in an address", hint=_EXAMPLE, show_value=False)
    return parts or [""]


def _encoded(part: Template, values: Mapping[str, Any]) -> str:
    text = part.render(values)
    if not text.strip():
        raise Unrendered(f"{part.source} is blank, and the address would be another one")
    try:
        return quote(text, safe="")
    except UnicodeEncodeError:
        raise Unrendered(f"{part.source} has half a character in it") from None


Address = Annotated[WebAddress, PlainValidator(parse_address), WithJsonSchema({"type": "string", "format": "uri"})]
