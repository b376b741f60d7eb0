"""What a cell becomes in a column of a database: the same value, or a reason why it cannot be."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal, TypeAlias

from idms_cli.files.writers import Cell

Sort: TypeAlias = Literal["text", "integer", "number", "boolean", "date", "moment", "other"]
"""Of a column, as far as it matters how a cell is written into it. `moment`: a date with a time."""

LARGEST = 2**63 - 1

_ISO_DAY = re.compile(r"\d{4}-\d\d-\d\d(?:[T ].*)?")
_NUMBER = re.compile(r"\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,4})?\s*", re.ASCII)
_TRUE = frozenset({"1", "t", "true", "y", "yes", "on"})
_FALSE = frozenset({"0", "f", "false", "n", "no", "off"})


class NoValue(ValueError):
    """A cell cannot be held by its column; the message is the end of a sentence that says why."""


@dataclass(frozen=True)
class Column:
    """A column of the table that is written to."""

    name: str
    """As the database spells it."""
    sort: Sort = "text"
    scale: int | None = None
    """Of a number: how many digits it keeps after the point."""
    blank: bool = True
    """Whether it may hold nothing."""
    comparable: bool = True
    """Whether the database can tell whether two of its values are the same."""


def is_blank(text: str) -> bool:
    """Whether nothing is in a text, as far as a number or a date goes."""
    return not text or text.isspace()


def is_iso(text: str) -> bool:
    """Whether a text begins with a day as 2026-12-31: any other way of writing it, two databases read in two ways."""
    return _ISO_DAY.fullmatch(text) is not None


def digits(number: Decimal) -> str:
    """All digits of a number, without an exponent."""
    return format(number, "f")


def whole(number: Decimal) -> str:
    """A number for a column of whole ones: 10.0 is 10; what is not whole stays as it is, and is refused there."""
    return str(int(number)) if number == number.to_integral_value() else digits(number)


def fits(number: Decimal, scale: int) -> bool:
    """Whether nothing but zeros would be lost."""
    exponent = number.normalize().as_tuple().exponent
    return isinstance(exponent, int) and -exponent <= scale


def plain(cell: Cell, column: Column) -> str | int | Decimal | bool | date | None:
    """A cell as the drivers of most databases want it. Raises `NoValue`."""
    if cell is None or (column.sort not in ("text", "other") and isinstance(cell, str) and is_blank(cell)):
        return None
    return _PLAIN[column.sort](cell, column)


def _text(cell: Cell, _: Column) -> str:
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return digits(cell) if isinstance(cell, Decimal) else str(cell)


def _other(cell: Cell, _: Column) -> Cell:
    return cell


def number(cell: Cell) -> Decimal:
    """Raises `NoValue` for what is none."""
    if isinstance(cell, str):
        if not _NUMBER.fullmatch(cell):
            raise NoValue("it is not a number")
        return Decimal(cell.strip())
    return Decimal(cell or 0)


def _integer(cell: Cell, _: Column) -> int:
    found = number(cell)
    if found != found.to_integral_value():
        raise NoValue("it is not a whole number")
    return int(found)


def _number(cell: Cell, column: Column) -> Decimal:
    found = number(cell)
    if column.scale is not None and not fits(found, column.scale):
        raise NoValue(too_precise(column.scale))
    return found


def too_precise(scale: int) -> str:
    """What is said of a number that would lose digits."""
    return f"the column keeps {scale} digits after the point"


def _boolean(cell: Cell, _: Column) -> bool:
    word = str(cell).strip().casefold()
    if word not in _TRUE | _FALSE:
        raise NoValue("it is neither true nor false")
    return word in _TRUE


def _date(cell: Cell, _: Column) -> date:
    found = _moment(cell, _)
    return found.date()


def _moment(cell: Cell, _: Column) -> datetime:
    try:
        if not is_iso(str(cell)):
            raise NoValue(NOT_ISO)
        return datetime.fromisoformat(str(cell))
    except ValueError as error:
        raise NoValue(NOT_ISO) from error


NOT_ISO = "it is not a date written as 2026-12-31"

_PLAIN: dict[Sort, Callable[[Cell, Column], str | int | Decimal | bool | date | None]] = {
    "text": _text,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "date": _date,
    "moment": _moment,
    "other": _other,
}
