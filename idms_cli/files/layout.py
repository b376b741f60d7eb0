"""Where the columns of a fixed-width file stand on a line."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple, Self

from pydantic import Field, model_validator

from idms_cli.config.checked import Section
from idms_cli.config.foreign import shortened
from idms_cli.config.problems import BadValue

_BOTH_WAYS = "write {name: ID, width: 8}, or {name: ID, from: 1, to: 8}"


class FixedColumn(Section):
    """A column of a fixed-width file: so many characters after the one before it, or from one place to another."""

    name: str = Field(min_length=1, description="The name of the column; the file has none.")
    width: int | None = Field(default=None, ge=1, description="Characters, right after the column before it.")
    from_: int | None = Field(default=None, ge=1, alias="from", description="Its first character; a line begins at 1.")
    to: int | None = Field(
        default=None, ge=1, description="Its last character. The last column may go on to the end of the line."
    )

    @model_validator(mode="after")
    def _one_way_to_say_it(self) -> Self:
        if (self.width is None) == (self.from_ is None) or (self.to is not None and self.from_ is None):
            raise BadValue("a column has a width, or the place from which it goes", hint=_BOTH_WAYS)
        if self.from_ is not None and self.to is not None and self.to < self.from_:
            raise BadValue(f"the column ends ({self.to}) before it begins ({self.from_})", hint=_BOTH_WAYS)
        return self


class Slot(NamedTuple):
    """Where a column's characters stand on a line, as a slice."""

    name: str
    start: int
    end: int | None
    """None: the end of the line."""


def slots(columns: Sequence[FixedColumn]) -> tuple[Slot, ...]:
    """The places of all columns, in the order of the job.

    Raises `BadValue` for columns that overlap, have the same name, or go on to the end of the line before others.
    """
    placed = _placed(columns)
    names = [slot.name for slot in placed]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BadValue(f"two columns are named '{shortened(twice[0])}'", hint="give each a name of its own")
    for before, after in pairwise(sorted(placed, key=lambda slot: slot.start)):
        if before.end is None or before.end > after.start:
            message = f"'{shortened(before.name)}' and '{shortened(after.name)}' overlap"
            raise BadValue(message, hint="`from` and `to` are the first and the last character of a column, from 1")
    return tuple(placed)


def _placed(columns: Sequence[FixedColumn]) -> list[Slot]:
    placed: list[Slot] = []
    for column in columns:
        name = column.name.strip()
        if column.from_ is not None:
            placed.append(Slot(name, column.from_ - 1, column.to))
            continue
        start = placed[-1].end if placed else 0
        if start is None:
            raise BadValue(f"'{shortened(placed[-1].name)}' goes on to the end of the line, but is not the last column")
        placed.append(Slot(name, start, start + (column.width or 0)))
    return placed
