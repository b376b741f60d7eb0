"""Typed values as JSON text and back, so that a journal keeps a date a date and a decimal exact."""

import json
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from idms_cli.imis.properties import Value


def encode(data: object) -> str:
    """JSON of dicts, lists and `Value`s; dates and decimals are tagged. ASCII: a site may send half a character."""
    return _ENCODER.encode(data)


def decode(text: str) -> Any:
    """What `encode` was given (tuples as lists)."""
    return _DECODER.decode(text)


def _tag(value: object) -> dict[str, str]:
    match value:
        case Decimal():
            return {"$decimal": str(value)}
        case datetime():
            return {"$datetime": value.isoformat()}
        case date():
            return {"$date": value.isoformat()}
    raise TypeError(f"{type(value).__name__} cannot be kept in a journal")


def _untag(found: dict[str, Any]) -> dict[str, Any] | Value:
    if len(found) != 1:
        return found
    ((tag, text),) = found.items()
    match tag:
        case "$decimal":
            return Decimal(text)
        case "$datetime":
            return datetime.fromisoformat(text)
        case "$date":
            return date.fromisoformat(text)
    return found


# Made once: json.dumps and json.loads with arguments make a new one for each of a million calls.
_ENCODER = json.JSONEncoder(default=_tag, separators=(",", ":"))
_DECODER = json.JSONDecoder(object_hook=_untag)


# Made once: a dump with options of its own builds an encoder for each call, and there are several for each row.
_ENCODER = json.JSONEncoder(default=_tag, separators=(",", ":"))
_DECODER = json.JSONDecoder(object_hook=_untag)
