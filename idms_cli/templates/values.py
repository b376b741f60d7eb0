"""What a template makes of a value: text, a number; bounded, or refused with the reason."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from jinja2 import Undefined

from idms_cli.config.foreign import shortened

_MOST_DIGITS = 10_000


class Unfit(ValueError):
    """An expression cannot be worked out for these values; the message is the end of a sentence that says why."""


class Hole:
    """Where something is put once the text around it is made: as it is, without a filter."""

    def __init__(self, mark: str) -> None:
        self.mark = mark


def written(value: Any) -> str:
    """A value as text: numbers with a point and no exponent. Raises `Unfit` for a list and a part that is missing."""
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case None:
            return ""
        case int() | float() | Decimal():
            return plain(number_of(value))
        case Hole():
            return value.mark
        case Undefined():
            raise Unfit("it takes a character that the text does not have")
        case Mapping() if "iso" in value:  # a moment
            return str(value["iso"])
        case Mapping():
            raise Unfit("a mapping is no text: name a part of it, or put |json after it")
    raise Unfit("a list is no text: put |join(' ') after it")


def plain(number: Decimal) -> str:
    """Its digits without an exponent. Raises `Unfit` for more of them than a number has."""
    if abs(number.adjusted()) > _MOST_DIGITS or len(number.as_tuple().digits) > _MOST_DIGITS:
        raise Unfit("a number in it is beyond all bounds")
    return format(number, "f")


def number_of(value: Any) -> Decimal:
    """A number as a decimal. Raises `Unfit` for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise Unfit(f"{shown(value)} is no number here: put |number after it")
    number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if not number.is_finite():
        raise Unfit("a number in it is beyond all bounds")
    return number


def whole_of(value: Any, least: int, most: int, what: str) -> int:
    """A whole number within bounds. Raises `Unfit`."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or value != int(value):
        raise Unfit(f"{what} takes a whole number, not {shown(value)}")
    if not least <= value <= most:
        raise Unfit(f"{what} takes {least:,} to {most:,}")
    return int(value)


def listed(value: Any) -> list[Any] | tuple[Any, ...]:
    """A list. Raises `Unfit` for anything else."""
    if not isinstance(value, list | tuple):
        raise Unfit(f"a list is wanted, such as [FirstName, LastName], not {shown(value)}")
    return value


def shown(value: Any) -> str:
    """A value in a message."""
    if isinstance(value, str):
        return f"'{shortened(value)}'"
    if value is None or isinstance(value, Undefined):
        return "nothing"
    if isinstance(value, Mapping):
        return "a mapping"
    return f"a {type(value).__name__.lower()}"
