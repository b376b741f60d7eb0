"""What becomes of a value that is no text where a format has only text: nothing, true and false, numbers."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import islice
from typing import Annotated, Literal, TypeVar

from pydantic import Field

from idms_cli.config.checked import Section
from idms_cli.config.fields import ListOf
from idms_cli.config.foreign import shortened
from idms_cli.errors import InputError
from idms_cli.files.writers import Cell, Cells

AT_A_TIME = 500
"""Rows that are worked on together, so that most of the work is done in C and memory stays flat."""

_MOST_DIGITS = 1000

T = TypeVar("T")


class ValueOptions(Section):
    """How values are written that are no text."""

    nulls: str = Field(default="", max_length=100, description="What is written where there is nothing.")
    booleans: Annotated[ListOf[str], Field(min_length=2, max_length=2)] = Field(
        default=("true", "false"), description="What true and false are written as: [Y, N]."
    )
    decimal: Literal[".", ","] = Field(default=".", description="The decimal mark of numbers.")


def plain_number(value: Decimal) -> str:
    """All digits, with a point and without an exponent; with one only where the number has a thousand digits."""
    text = str(value)
    if "E" not in text:
        return text
    if not value.is_finite() or abs(value.adjusted()) > _MOST_DIGITS:
        return str(value)
    return format(value, "f")


class Words:
    """The text of a cell, whatever it holds."""

    def __init__(self, options: ValueOptions) -> None:
        self._true, self._false = options.booleans
        self._nulls = options.nulls
        self._comma = options.decimal == ","
        self.keeps_nothing = not options.nulls
        """Whether nothing is written as a blank."""
        self.has_point = not self._comma
        """Whether numbers are written with a point."""

    def text(self, cell: Cell) -> str:
        if type(cell) is str:
            return cell
        if cell is None:
            return self._nulls
        if cell is True:
            return self._true
        if cell is False:
            return self._false
        if isinstance(cell, Decimal):
            number = plain_number(cell)
            return number.replace(".", ",") if self._comma else number
        return whole_number(cell)


def whole_number(value: Cell) -> str:
    """The digits of a whole number. Raises `InputError` for one that no program could read back."""
    try:
        return str(value)
    except ValueError:  # past 4,300 digits Python refuses: CVE-2020-10735
        raise InputError(
            "A whole number in a row has more than 4,300 digits.", hint="Leave its column out with `select:`."
        ) from None


def batches(rows: Iterable[T], size: int = AT_A_TIME) -> Iterator[list[T]]:
    """The rows in lists of that many."""
    iterator = iter(rows)
    while batch := list(islice(iterator, size)):
        yield batch


def first_fault(
    columns: Sequence[str], batch: Sequence[Cells], before: int, is_wrong: Callable[[str], bool]
) -> tuple[str, str]:
    """Where the first text is that is wrong, in words for a message, and the text; `before` rows come before these."""
    for number, row in enumerate(batch, start=before + 1):
        for name, cell in zip(columns, row, strict=True):
            if isinstance(cell, str) and is_wrong(cell):
                return f"Row {number:,}, column {shortened(name)}", cell
    return "A name of a column", next(filter(is_wrong, columns), "")
