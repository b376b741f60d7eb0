"""Typed values as JSON text and back, so that a journal keeps a date a date and a decimal exact."""

import json
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from idms_cli.imis.properties import Value


def encode(data: object) -> str:
    """JSON of dicts, lists and `Value`s; dates and decimals are tagged."""
    return json.dumps(data, default=_tag, ensure_ascii=False, separators=(",", ":"))


def decode(text: str) -> Any:
    """What `encode` was given (tuples as lists)."""
    return json.loads(text, object_hook=_untag)


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
