"""Delimited text is written: rows in lists of some hundred, looked at column by column, so that Python does little."""

import csv
import io
from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import partial
from operator import itemgetter
from typing import Annotated, Any, BinaryIO, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from idms_cli.config.foreign import shortened
from idms_cli.config.problems import BadValue
from idms_cli.files.dialect import one_mark
from idms_cli.files.formulas import MAY_BEGIN, guarded
from idms_cli.files.writers import Cell, Cells, Occasion, Rows
from idms_cli.files.writers.characters import Encoder, TextOptions
from idms_cli.files.writers.values import ValueOptions, Words, batches, whole_number

_END = "\r\n"
_first = itemgetter(slice(1))


class DelimitedOptions(TextOptions, ValueOptions):
    """How delimited text is written."""

    quote: Annotated[str, AfterValidator(one_mark)] = Field(
        default='"', description="What stands around cells that need it; doubled inside a cell."
    )
    quoting: Literal["minimal", "all"] = Field(default="minimal", description="Which cells have quotes around them.")
    header: bool = Field(default=True, description="Whether the first line names the columns.")

    @property
    def mark(self) -> str:
        """What stands between cells."""
        return "\t"

    @model_validator(mode="after")
    def _told_apart(self) -> Self:
        if self.mark == self.quote:
            raise BadValue(
                f"delimiter and quote are the same character: '{shortened(self.quote)}'", hint="change one of them"
            )
        return self


def write_delimited(rows: Rows, stream: BinaryIO, options: DelimitedOptions, occasion: Occasion) -> None:
    """All rows, below their header. Raises `InputError` for a character that the encoding does not have."""
    encoder = Encoder(stream, options, rows.columns)
    cells = _CellTexts(Words(options), harmless=occasion.formulas == "harmless")
    lines = _Lines(options)
    if options.header and rows.columns:
        encoder.write(lines.of([cells.names(rows.columns)]))
    for batch in batches(rows):
        encoder.write(lines.of(cells.of(batch)), batch)


class _CellTexts:
    """Cells as the csv module can write them. What it writes by itself as is wanted passes untouched."""

    def __init__(self, words: Words, *, harmless: bool) -> None:
        self._words = words
        self._harmless = harmless
        nothing = {type(None)} if words.keeps_nothing else set()
        self._easy: set[type] = {str, int} | nothing
        self._plain: set[type] = {Decimal, int} | nothing if words.has_point else set()

    def names(self, columns: Sequence[str]) -> Sequence[str]:
        return list(map(guarded, columns)) if self._harmless else columns

    def of(self, batch: Sequence[Cells]) -> Sequence[Sequence[Cell]]:
        columns: list[Sequence[Cell]] = list(zip(*batch, strict=True))
        changed = False
        for index, column in enumerate(columns):
            made = self._column(column)
            if made is not column:
                columns[index] = made
                changed = True
        return list(zip(*columns, strict=True)) if changed else batch

    def _column(self, column: Sequence[Cell]) -> Sequence[Cell]:
        kinds = set(map(type, column))
        if kinds <= self._easy:
            if self._harmless and str in kinds and _may_have_formulas(column, kinds):
                return [guarded(cell) if type(cell) is str else cell for cell in column]
            return column
        if kinds <= self._plain:
            numbers = [cell if cell is None else str(cell) for cell in column]
            if "E" not in "".join(filter(None, numbers)):
                return numbers
        text = self._words.text
        return [self._guarded(cell) if type(cell) is str else text(cell) for cell in column]

    def _guarded(self, text: str) -> str:
        return guarded(text) if self._harmless else text


def _may_have_formulas(column: Iterable[Any], kinds: set[type]) -> bool:
    """Whether a text of the column may have to be guarded; `kinds` are the types in it."""
    if int in kinds:
        texts: Iterable[Any] = [cell for cell in column if type(cell) is str]
    else:
        texts = column if len(kinds) == 1 else filter(None, column)
    return not MAY_BEGIN.isdisjoint(map(_first, texts))


class _Lines:
    """Rows as lines of text."""

    def __init__(self, options: DelimitedOptions) -> None:
        self._end = options.end
        self._writer = partial(
            csv.writer,
            delimiter=options.mark,
            quotechar=options.quote,
            quoting=csv.QUOTE_ALL if options.quoting == "all" else csv.QUOTE_MINIMAL,
            # By this end the csv module knows that both characters of it need quotes, whatever ends a line here.
            lineterminator=_END,
        )

    def of(self, rows: Sequence[Sequence[Cell]]) -> str:
        try:
            return self._crlf(rows) if self._end == _END else self._with_other_ends(rows)
        except ValueError:
            for row in rows:
                for cell in row:
                    whole_number(cell)
            raise

    def _crlf(self, rows: Sequence[Sequence[Cell]]) -> str:
        text = io.StringIO(newline="")
        self._writer(text).writerows(rows)
        return text.getvalue()

    def _with_other_ends(self, rows: Sequence[Sequence[Cell]]) -> str:
        lines: list[str] = []
        self._writer(_Keeper(lines)).writerows(rows)
        return "".join([line[: -len(_END)] + self._end for line in lines])


class _Keeper:
    """Keeps each line that is written."""

    def __init__(self, lines: list[str]) -> None:
        self.write = lines.append
