"""Lines are cut into rows of a table; what does not fit becomes a broken row with all of its text, never silence."""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from idms_cli.codes import ReadCode
from idms_cli.errors import InputError
from idms_cli.files import BrokenRow, Dialect, Row
from idms_cli.files.text import LINE_LIMIT

if TYPE_CHECKING:
    from _csv import Reader


@dataclass(frozen=True)
class Layout:
    """What lines are cut by."""

    path: Path
    """For messages."""
    dialect: Dialect
    width: int
    """The number of columns."""
    check_nul: bool
    """Whether a NUL may occur at all; looking for it in every cell costs time."""


def strict_reader(lines: Iterable[str], dialect: Dialect) -> "Reader":
    """The standard library's reader, told to raise `csv.Error` instead of guessing what a stray quote means."""
    csv.field_size_limit(LINE_LIMIT)  # for the whole process: the default of 131,072 is too short for notes in HTML
    return csv.reader(lines, delimiter=dialect.delimiter, quotechar=dialect.quote, strict=True)


def cut(lines: Iterable[str], layout: Layout, *, first_line: int) -> Iterator[Row | BrokenRow | None]:
    """Every record, in order; None for one without any text.

    A record with a misplaced quote or the wrong number of cells is a `BrokenRow`. Raises `InputError` for a quote
    that is never closed and a cell over `LINE_LIMIT` characters: whatever follows cannot be told apart from it.
    """
    return _Cutter(layout, first_line=first_line).cut(lines)


def cut_again(text: str, dialect: Dialect, *, width: int, line: int) -> list[Row | BrokenRow]:
    """The rows in a text of which somebody may have corrected what was wrong, as if it stood at `line` of a file."""
    layout = Layout(Path(), dialect, width, check_nul=True)
    try:
        return [row for row in cut(io.StringIO(text, newline=""), layout, first_line=line) if row is not None]
    except InputError:
        return [BrokenRow(line, (), "quote", "A quote is opened and never closed.", text)]


class _Cutter:
    """Cuts lines into rows, once."""

    def __init__(self, layout: Layout, *, first_line: int) -> None:
        self._layout = layout
        self._before = first_line - 1
        self._pending: list[str] = []
        self._ended = False

    def cut(self, lines: Iterable[str]) -> Iterator[Row | BrokenRow | None]:
        reader = strict_reader(self._remembered(lines), self._layout.dialect)
        width, check_nul, pending = self._layout.width, self._layout.check_nul, self._pending
        while True:
            line = self._before + reader.line_num + 1
            pending.clear()
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error:
                yield self._misquoted(line)
                continue
            if not cells or (not cells[0].strip() and is_blank(cells)):
                yield None
            elif len(cells) != width:
                yield self._ragged(line, cells)
            elif check_nul and any("\0" in cell for cell in cells):
                yield self._broken(line, cells, ("nul", "A cell has a NUL character, which no text may contain."))
            else:
                yield Row(line, tuple(cells))

    def _remembered(self, lines: Iterable[str]) -> Iterator[str]:
        for line in lines:
            self._pending.append(line)
            yield line
        self._ended = True

    def _misquoted(self, line: int) -> BrokenRow:
        if self._ended or sum(map(len, self._pending)) > LINE_LIMIT:
            raise self._unclosed(line)
        quote = self._layout.dialect.quote
        lenient = csv.reader(self._pending, delimiter=self._layout.dialect.delimiter, quotechar=quote)
        place = "on this line" if len(self._pending) == 1 else f"on the {len(self._pending)} lines from here"
        reason = (
            f"A quoted cell {place} goes on after its closing quote; a quote inside it must be doubled ({quote * 2})."
        )
        return self._broken(line, next(lenient), ("quote", reason))

    def _ragged(self, line: int, cells: list[str]) -> BrokenRow:
        found, width = len(cells), self._layout.width
        reason = (
            f"The row has {found} {'cell' if found == 1 else 'cells'}, "
            f"but the header has {width} {'column' if width == 1 else 'columns'}."
        )
        return self._broken(line, cells, ("ragged", reason))

    def _broken(self, line: int, cells: list[str], fault: tuple[ReadCode, str]) -> BrokenRow:
        raw = "".join(self._pending)
        return BrokenRow(line, tuple(cells), *fault, raw=without_line_end(raw))

    def _unclosed(self, line: int) -> InputError:
        what = "never closed" if self._ended else f"not closed within {LINE_LIMIT:,} characters"
        return InputError(
            f"{self._layout.path}:{line}: a quote opened in the record on this line is {what}.",
            hint=f"Close the quote, or double it where it belongs to the text ({self._layout.dialect.quote * 2}).",
        )


def is_blank(cells: Iterable[str]) -> bool:
    """Whether there is no text in any cell."""
    return not any(map(str.strip, cells))


def without_line_end(text: str) -> str:
    """The text without its last line end, of whichever kind."""
    return text.removesuffix("\n").removesuffix("\r")
