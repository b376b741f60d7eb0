"""Fixed-width text is written: cells at fixed places on a line, in characters; what does not fit is refused or cut."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from itertools import count
from typing import Annotated, BinaryIO, Literal, NamedTuple

from pydantic import AfterValidator, Field

from idms_cli.config.fields import ListOf
from idms_cli.config.foreign import shortened
from idms_cli.config.problems import BadValue
from idms_cli.config.spelling import did_you_mean
from idms_cli.errors import InputError
from idms_cli.files.layout import FixedColumn, Slot, slots
from idms_cli.files.writers import Cell, Occasion, Rows
from idms_cli.files.writers.characters import Encoder, TextOptions
from idms_cli.files.writers.values import ValueOptions, Words, batches

_LONGEST_LINE = 100_000
_BREAKS = frozenset("\r\n\v\f\x1c\x1d\x1e\x85\u2028\u2029")


class WrittenColumn(FixedColumn):
    """A column with its place, and how a cell fills it."""

    align: Literal["left", "right"] = Field(default="left", description="On which side of its place a cell stands.")
    pad: str = Field(default=" ", min_length=1, max_length=1, description="What fills the rest of the place.")
    overflow: Literal["refuse", "cut"] = Field(
        default="refuse", description="What becomes of a cell that is too long: the step fails, or its end is lost."
    )


def _placed(columns: tuple[WrittenColumn, ...]) -> tuple[WrittenColumn, ...]:
    if not columns:
        raise BadValue("no column is named", hint="write {name: ID, width: 8} for each")
    if any(slot.end is None for slot in slots(columns)):
        raise BadValue("a column without an end cannot be written", hint="say its `width:`, or `to:`")
    if max(slot.end or 0 for slot in slots(columns)) > _LONGEST_LINE:
        raise BadValue(f"a line is longer than {_LONGEST_LINE:,} characters")
    return columns


class Options(TextOptions, ValueOptions):
    """The keys of `format: {fixed: {...}}`."""

    columns: Annotated[ListOf[WrittenColumn], AfterValidator(_placed)] = Field(
        description="Each column with its place: {name: ID, width: 8, align: right, pad: '0'}."
    )
    header: bool = Field(default=False, description="Whether the first line names the columns.")
    line_breaks: Literal["refuse", "space"] = Field(
        default="refuse", description="What becomes of a line break inside a cell: the step fails, or a space."
    )


def write(rows: Rows, stream: BinaryIO, options: Options, occasion: Occasion) -> None:  # noqa: ARG001
    """Raises `InputError` for a column that is not there, and a cell that does not fit."""
    line_of = _Lines(rows.columns, options)
    encoder = Encoder(stream, options, rows.columns)
    if options.header and rows.columns:
        encoder.write(line_of.header())
    numbers = count(1)
    for batch in batches(rows):
        encoder.write("".join([line_of.row(next(numbers), row) for row in batch]), batch)


class _Field(NamedTuple):
    """One column on a line."""

    place: int
    """Of its cell in a row."""
    column: WrittenColumn
    gap: str
    """What stands before it."""
    width: int


class _Lines:
    """Makes a line of a row."""

    def __init__(self, columns: Sequence[str], options: Options) -> None:
        self._words = Words(options)
        self._end = options.end
        self._spaces = options.line_breaks == "space"
        self._fields = _fields(columns, options.columns) if columns else []

    def header(self) -> str:
        return self._line(lambda field: self._fitted("The header", field, field.column.name.strip()))

    def row(self, number: int, cells: Sequence[Cell]) -> str:
        return self._line(lambda field: self._cell(number, field, cells[field.place]))

    def _line(self, text: Callable[[_Field], str]) -> str:
        return "".join([field.gap + text(field) for field in self._fields]) + self._end

    def _cell(self, number: int, field: _Field, cell: Cell) -> str:
        text = self._words.text(cell)
        if not _BREAKS.isdisjoint(text):
            if not self._spaces:
                raise InputError(
                    f"{_place(number, field)}: '{shortened(text)}' has a line break, which would end the line.",
                    hint="Say `line_breaks: space`, or take it out with a template in `add:`.",
                )
            text = " ".join(text.splitlines())
        if field.column.pad == "0" and field.column.align == "right" and _is_number(cell):
            text = text.zfill(field.width)  # the sign stays in front
        return self._fitted(_place(number, field), field, text)

    def _fitted(self, place: str, field: _Field, text: str) -> str:
        if len(text) > field.width:
            if field.column.overflow == "refuse":
                raise InputError(
                    f"{place}: '{shortened(text)}' has {len(text):,} characters; its place has {field.width:,}.",
                    hint="Make the column wider, or say `overflow: cut` for it.",
                )
            return text[: field.width]
        fill = text.rjust if field.column.align == "right" else text.ljust
        return fill(field.width, field.column.pad)


def _place(number: int, field: _Field) -> str:
    return f"Row {number:,}, column {shortened(field.column.name)}"


def _is_number(cell: Cell) -> bool:
    return isinstance(cell, int | Decimal) and not isinstance(cell, bool)


def _fields(columns: Sequence[str], wanted: Sequence[WrittenColumn]) -> list[_Field]:
    indexes = {name: index for index, name in enumerate(columns)}
    by_name: Mapping[str, WrittenColumn] = {column.name.strip(): column for column in wanted}
    fields: list[_Field] = []
    at = 0
    for slot in sorted(slots(wanted), key=lambda slot: slot.start):
        if slot.name not in indexes:
            raise _absent(slot, columns)
        end = slot.end or slot.start
        fields.append(_Field(indexes[slot.name], by_name[slot.name], " " * (slot.start - at), end - slot.start))
        at = end
    return fields


def _absent(slot: Slot, columns: Sequence[str]) -> InputError:
    near = did_you_mean(slot.name, columns)
    return InputError(
        f"The rows have no column '{shortened(slot.name)}', which `format: {{fixed: ...}}` wants.",
        hint=near[:1].upper() + near[1:] or f"They have {shortened(', '.join(columns), 200)}.",
    )
