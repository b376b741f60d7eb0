"""One value on the wire: plain, or wrapped with the name of its .NET type; and when two values are the same."""

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, cast

from idms_cli.imis.properties import Value

_INT32 = range(-(2**31), 2**31)
_GUID_PREFIX = re.compile(r"^\{?[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\}?[._:\- ]?(?=.)")
_SCALARS = frozenset({str, int, float, bool})
_NUMBERS = frozenset({"Decimal", "Monetary"})
_TRUE = frozenset({"true", "1", "yes"})
_FALSE = frozenset({"false", "0", "no"})


def plain_name(name: str) -> str:
    """A property's name without the GUID that older sites put before it."""
    return _GUID_PREFIX.sub("", name)


def unwrap(wire: Any) -> Value:
    """The value in `wire`, wrapped or plain: numbers with a point become Decimal, date-times stay text.

    Binary stays wrapped, so that it can be told from text and be written back as it came.
    """
    if isinstance(wire, dict) and "$value" in wire:
        kind = str(wire.get("$type", ""))
        if "Byte[]" in kind:
            return cast("Value", wire)
        inner = wire["$value"]
        if "Decimal" in kind and isinstance(inner, str | int) and not isinstance(inner, bool):
            return _decimal(str(inner))
        return unwrap(inner)
    if isinstance(wire, float):
        return Decimal(repr(wire))
    return cast("Value", wire)


def typed(wire: Any, kind: str) -> Value:
    """The value in `wire` as property type `kind` has it; what does not fit the type stays as the site sent it."""
    if kind == "String" and type(wire) is str:  # most of all values
        return wire
    if type(wire) is dict:
        inner = wire.get("$value")
        if type(inner) is Decimal and kind in _NUMBERS:  # to hash it would take longer than all the rest
            return inner
        if type(inner) in _SCALARS:
            return _typed_scalar(inner, str(wire.get("$type", "")), kind)
    return _typed(wire, kind)


@lru_cache(maxsize=4096, typed=True)
def _typed_scalar(inner: str | float | bool, wrapper: str, kind: str) -> Value:
    """Numbers are slow to read, and a column says the same few thousand again and again."""
    return _typed({"$type": wrapper, "$value": inner}, kind)


def _typed(wire: Any, kind: str) -> Value:
    value = unwrap(wire)
    if value is None or (value == "" and kind not in {"String", "Binary"}):
        return None
    read = _READERS.get(kind)
    return read(value) if read else value


def wrap(value: Value, kind: str) -> Any:
    """`value` as the body of a generic entity carries it, by property type `kind`; None clears (assumption A14)."""
    if value is None:
        return "" if kind == "String" else None
    if isinstance(value, bool):
        return {"$type": "System.Boolean", "$value": value}
    if isinstance(value, int | Decimal) and kind in {"Decimal", "Monetary"}:
        return {"$type": "System.Decimal", "$value": json_number(Decimal(value))}
    if isinstance(value, int) and kind != "String":
        return {"$type": "System.Int32" if value in _INT32 else "System.Int64", "$value": value}
    if isinstance(value, Decimal) and kind != "String":
        return {"$type": "System.Decimal", "$value": json_number(value)}
    return plain(value)


def plain(value: Value) -> Any:
    """`value` as a typed contract carries it, for instance a member of Party: JSON without wrapper."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, date):
        return moment_text(value)
    if isinstance(value, int | Decimal):
        return str(value)
    return value


def moment_text(value: date) -> str:
    """A date or date-time as the site writes it: ISO 8601, to the second where that is exact, no zone (A12)."""
    if not isinstance(value, datetime):
        return f"{value.isoformat()}T00:00:00"
    return value.replace(tzinfo=None).isoformat()


def filter_text(value: Value) -> str:
    """`value` as it stands behind the operator of a filter."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date):
        return moment_text(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    return str(value)


def same(wanted: Value, found: Value, *, loose: bool = False) -> bool:
    """Whether the site already holds `wanted`: empty text equals None, a date equals its midnight, 1 equals 1.0.

    `loose` compares texts without regard to case and to blanks around them, as for e-mail addresses.
    """
    if _blank(wanted) or _blank(found):
        return _blank(wanted) and _blank(found)
    if isinstance(wanted, date) or isinstance(found, date):
        return _as_moment(wanted) == _as_moment(found)
    if isinstance(wanted, bool) or isinstance(found, bool):
        return _boolean(wanted) == _boolean(found)
    if isinstance(wanted, int | Decimal) or isinstance(found, int | Decimal):
        return _decimal(str(wanted)) == _decimal(str(found))
    if loose:
        return str(wanted).strip().casefold() == str(found).strip().casefold()
    return wanted == found


def _blank(value: Value) -> bool:
    return value is None or value == ""


def _text(value: Value) -> Value:
    return str(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else value


def _integer(value: Value) -> Value:
    number = _number(value)
    return int(number) if isinstance(number, Decimal) and number == number.to_integral_value() else value


def _number(value: Value) -> Value:
    return _decimal(str(value)) if isinstance(value, str | int) and not isinstance(value, bool) else value


def _decimal(text: str) -> Value:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return text
    return number if number.is_finite() else text


def _boolean(value: Value) -> Value:
    if isinstance(value, bool):
        return value
    word = str(value).strip().casefold()
    if word in _TRUE:
        return True
    return False if word in _FALSE else value


def _moment(value: Value) -> Value:
    if not isinstance(value, str):
        return value
    try:
        return datetime.fromisoformat(value).replace(tzinfo=None)
    except ValueError:
        return value


_READERS: dict[str, Callable[[Value], Value]] = {
    "String": _text,
    "Integer": _integer,
    "Decimal": _number,
    "Monetary": _number,
    "Boolean": _boolean,
    "Date": _moment,
}


def _as_moment(value: Value) -> Value:
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)
    if isinstance(value, date):
        return datetime.fromisoformat(value.isoformat())
    return _moment(value)


def json_number(value: Decimal) -> float | int | str:
    """As JSON: a number, or text when a number would lose digits."""
    if value == value.to_integral_value() and abs(value) < 2**53:
        return int(value)
    number = float(value)
    return number if Decimal(repr(number)) == value else format(value, "f")
