"""What a template makes of a value: text, a number; bounded, or refused with the reason."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NoReturn

from jinja2 import StrictUndefined, Undefined

from idms_cli.config.foreign import shortened
from idms_cli.config.spelling import did_you_mean

_MOST_DIGITS = 10_000
_MOST_PLACES = 100


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
            raise Unfit(missing(value))
        case Mapping() if "iso" in value:  # a moment
            return str(value["iso"])
        case Mapping():
            raise Unfit("a mapping is no text: name a part of it, or put |json after it")
    raise Unfit("a list is no text: put |join(' ') after it")


def missing(value: Undefined) -> str:
    """What is missing, as the end of a sentence."""
    name, obj = shortened(str(value._undefined_name)), value._undefined_obj
    if isinstance(obj, str) and name.lstrip("-").isdecimal():
        return "it takes a character that the text does not have"
    if isinstance(obj, str | list | tuple):
        return f"there is no '{name}' in {'the text' if isinstance(obj, str) else 'the list'}"
    if isinstance(obj, Mapping):
        near = did_you_mean(name, map(str, obj))
        return f"there is no '{name}' in it{f' ({near})' if near else ''}"
    return f"there is no '{name}' here"


class Missing(StrictUndefined):
    """What is not there: whoever looks at it is told what that is."""

    def _fail_with_undefined_error(self, *args: Any, **kwargs: Any) -> NoReturn:
        del args, kwargs
        raise Unfit(missing(self))

    __iter__ = __str__ = __len__ = __eq__ = __ne__ = __bool__ = __contains__ = _fail_with_undefined_error
    __lt__ = __le__ = __gt__ = __ge__ = __add__ = __radd__ = __hash__ = _fail_with_undefined_error


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


def is_whole(value: Any) -> bool:
    """Whether it is a whole number, and no larger than anything that is counted: 1E+999999999 never becomes digits."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return False
    return isinstance(value, int) or (value.is_finite() and value.adjusted() < _MOST_PLACES and value == int(value))


def whole_of(value: Any, least: int, most: int, what: str) -> int:
    """A whole number within bounds. Raises `Unfit`."""
    if not is_whole(value):
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
