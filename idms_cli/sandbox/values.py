"""Values on the wire: wrapped in .NET types or plain, and what each kind of property takes."""

import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from idms_cli.sandbox.definitions import Property

Scalar = str | int | float | bool | None
Row = dict[str, Scalar]

OLDEST_SQL_DATE = datetime(1753, 1, 1)  # noqa: DTZ001  the site's date-times have no zone
WRAPPERS = {
    "Integer": "System.Int32",
    "Boolean": "System.Boolean",
    "Decimal": "System.Decimal",
    "Monetary": "System.Decimal",
}
BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


class BadValueError(Exception):
    """A value that the property cannot hold; the site answers 500."""


def unwrapped(value: Any) -> Any:
    """`{"$type": ..., "$value": 5}` -> 5; anything else as it is."""
    return value["$value"] if isinstance(value, dict) and "$value" in value else value


def wrapped(kind: Property, value: Scalar) -> Any:
    """Strings and dates stay plain, numbers and booleans are wrapped (https://developer.imis.com/docs)."""
    name = WRAPPERS.get(kind.type)
    return value if name is None else {"$type": name, "$value": value}


def typed(kind: Property, value: Any) -> Scalar:
    """`value`, wrapped or plain, text or JSON, as the property stores it.

    Dates come out as `2021-11-25T00:00:00`, without a zone; a zone that is sent is turned into UTC (assumption A12).
    Raises `BadValueError`.
    """
    plain = unwrapped(value)
    if plain is None:
        return None
    if isinstance(plain, dict | list):
        raise BadValueError(kind.name)
    if kind.type == "String":
        return _text(kind, plain)
    if isinstance(plain, str) and not plain.strip():
        return None
    try:
        return _READERS[kind.type](kind, plain)
    except (ValueError, OverflowError, KeyError) as error:
        raise BadValueError(kind.name) from error


def _text(kind: Property, value: Any) -> str:
    text = ("true" if value else "false") if isinstance(value, bool) else str(value)
    if "\0" in text:
        raise BadValueError(kind.name)
    return text


def _integer(_kind: Property, value: Any) -> int:
    number = float(value) if isinstance(value, float) else int(value)
    if number != int(number) or not -(2**31) <= number < 2**31:
        raise ValueError(value)
    return int(number)


def _boolean(_kind: Property, value: Any) -> bool:
    return BOOLEANS[str(value).strip().lower()]


def _decimal(kind: Property, value: Any) -> float:
    number = float(value)
    if isinstance(value, bool) or not math.isfinite(number) or abs(number) >= 10.0 ** (kind.precision - kind.scale):
        raise ValueError(value)
    return round(number, kind.scale)


def _date(_kind: Property, value: Any) -> str:
    moment = datetime.fromisoformat(str(value).strip())
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    if moment < OLDEST_SQL_DATE:
        raise ValueError(value)
    return moment.isoformat()


_READERS: dict[str, Callable[[Property, Any], Scalar]] = {
    "Integer": _integer,
    "Boolean": _boolean,
    "Decimal": _decimal,
    "Monetary": _decimal,
    "Date": _date,
}
