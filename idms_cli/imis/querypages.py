"""Pages of a query's rows, in the forms of `/api/query` and `/api/iqa`: exact to the last digit, and quickly read."""

import json
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import Any

import msgspec

from idms_cli.imis.entitypages import EntityPage
from idms_cli.imis.pages import Page, parse
from idms_cli.imis.values import plain_name, unwrap

QueryValue = str | int | bool | Decimal | None
"""What JSON tells apart, no number rounded; binary as its base64 text, dates as the site writes them."""

QueryRow = dict[str, QueryValue]
"""The columns of a row by name."""

_ROW_NUMBER = "ResultRow"
_NESTED = frozenset({dict, list})


class FlatRows(msgspec.Struct, gc=False):
    """The rows of a page."""

    values: list[dict[str, Any]] = msgspec.field(name="$values")


class FlatPage(msgspec.Struct, gc=False):
    """A page of `/api/query` as sites send it; any other form is read by `pages.parse`."""

    items: FlatRows = msgspec.field(name="Items")
    total: int = msgspec.field(name="TotalCount")
    has_next: bool = msgspec.field(name="HasNext")
    next_offset: int | None = msgspec.field(name="NextOffset", default=None)


_FLAT = msgspec.json.Decoder(FlatPage, float_hook=Decimal)
_GENERIC = msgspec.json.Decoder(EntityPage, float_hook=Decimal)
_ANY = msgspec.json.Decoder(float_hook=Decimal)


def decode_flat(body: bytes) -> Any:
    """What is in the body of an answer of `/api/query`; no number is rounded. None when it is no JSON."""
    return _decoded(_FLAT, body)


def decode_generic(body: bytes) -> Any:
    """The same of `/api/iqa`."""
    return _decoded(_GENERIC, body)


def read_page(content: Any, offset: int, what: str) -> Page[QueryRow]:
    """The page in what one of the decoders gave. Raises `SiteError` when it is no page."""
    if isinstance(content, FlatPage):
        rows = [_flat(row) for row in content.items.values]
    elif isinstance(content, EntityPage):
        rows = [_named([(pair.name, pair.value) for pair in row.properties.values]) for row in content.items.values]
    else:
        page = parse(content, offset, what)
        return Page([columns(row) for row in page.rows], offset, page.total, page.has_next, page.next_offset)
    return Page(rows, offset, content.total, content.has_next, content.next_offset or offset + len(rows))


def columns(row: dict[str, Any]) -> QueryRow:
    """The columns of a row of either form as it comes."""
    properties = row.get("Properties")
    if not isinstance(properties, dict):
        return _flat(row)
    return _named([(str(item.get("Name", "")), item.get("Value")) for item in properties.get("$values") or []])


def _decoded(decoder: "msgspec.json.Decoder[Any]", body: bytes) -> Any:
    for decode in (decoder.decode, _ANY.decode, _by_the_letter):
        try:
            return decode(body)
        except (ValueError, RecursionError):
            continue
    return None


def _by_the_letter(body: bytes) -> Any:
    """With a byte order mark, half a character or NaN in it; half a character becomes U+FFFD, as in .NET."""
    keep: Callable[[str], str] = str
    return _whole(json.loads(body.decode("utf-8-sig"), parse_float=Decimal, parse_constant=keep))


def _whole(value: Any) -> Any:
    match value:
        case str():
            return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        case list():
            return [_whole(item) for item in value]
        case dict():
            return {_whole(name): _whole(item) for name, item in value.items()}
        case _:
            return value


def _flat(row: dict[str, Any]) -> QueryRow:
    row.pop("$type", None)
    if "" not in row and _NESTED.isdisjoint(map(type, row.values())):
        return row
    named = enumerate(row.items(), start=1)
    return {name or f"Column{number}": _plain(value) for number, (name, value) in named}


def _named(pairs: list[tuple[str, Any]]) -> QueryRow:
    """From a list of names and values. A name that comes again gets the number of its column, as `/api/query` does."""
    row: QueryRow = {}
    for number, (written, value) in enumerate(pairs):
        name = _plain_name(written)
        if name != _ROW_NUMBER:
            row[name if name not in row else f"{name}{number}"] = _plain(value) if type(value) in _NESTED else value
    return row


_plain_name = lru_cache(maxsize=1024)(plain_name)


def _plain(value: Any) -> QueryValue:
    """Without its .NET wrapper; what is no single value as its JSON."""
    if type(value) is dict and "Byte[]" in str(value.get("$type", "")):
        value = value.get("$value")
    found: Any = unwrap(value)
    return found if type(found) not in _NESTED else _ENCODER.encode(found).decode()


_ENCODER = msgspec.json.Encoder(decimal_format="number")
