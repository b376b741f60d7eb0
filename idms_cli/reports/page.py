"""What a command has to say, as data and as parts of a page; printed with rich on a terminal, plainly elsewhere."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TextIO

from idms_cli.config.foreign import harmless
from idms_cli.reports.sparkline import ASCII

JSON_VERSION = 1


@dataclass(frozen=True)
class Line:
    """A sentence; `style` is one of rich's, for a terminal."""

    text: str
    style: str = ""


@dataclass(frozen=True)
class Table:
    """Rows under column names. Text from outside needs no care: it is made harmless when it is printed.

    The last column may hold sentences: it wraps where a terminal is narrow, the others never do.
    """

    columns: tuple[str, ...]
    """All empty: no line of names."""
    rows: Sequence[Sequence[str]]
    numbers: frozenset[str] = frozenset()
    """Columns that are aligned to the right."""
    extra: tuple[str, ...] = ()
    """Columns that a terminal which is too narrow goes without, the first of them first."""
    least: tuple[int, ...] = ()
    """At least so wide is each column: tables that stand below each other are aligned with each other."""

    def without(self, column: str) -> "Table":
        """The same table, one column less."""
        gone = self.columns.index(column)
        least = tuple(width for place, width in enumerate(self.least) if place != gone)
        rows = [[cell for place, cell in enumerate(row) if place != gone] for row in self.rows]
        columns = tuple(name for name in self.columns if name != column)
        return replace(self, columns=columns, rows=rows, extra=self.extra[1:], least=least)


def aligned(tables: Sequence[Table]) -> list[Table]:
    """Tables with the same columns, each column as wide in all of them."""
    rows = [row for table in tables for row in (table.columns, *table.rows)]
    least = tuple(max(len(harmless(cell)) for cell in column) for column in zip(*rows, strict=True))
    return [replace(table, least=least) for table in tables]


@dataclass(frozen=True)
class Page:
    """A report: `data` for `--json`, `parts` for people."""

    data: Mapping[str, Any]
    parts: Sequence[Line | Table]


def show(page: Page, *, as_json: bool = False, file: TextIO | None = None, paged: bool = False) -> None:
    """Print a page to stdout (or `file`); `paged`: through a pager where it is longer than the terminal."""
    out = file or sys.stdout
    if as_json:
        out.write(json.dumps({"version": JSON_VERSION, **page.data}, indent=2, default=str) + "\n")
    elif out.isatty():
        from idms_cli.reports.terminal import show_paged, show_parts  # noqa: PLC0415 - rich is for where somebody looks

        (show_paged if paged else show_parts)(page.parts, out)
    else:
        out.writelines(fitting(_plain(part), out) for part in page.parts)
    out.flush()


def fitting(text: str, out: TextIO) -> str:
    """The text with bars that the output can take."""
    try:
        "█".encode(out.encoding or "ascii")
    except UnicodeEncodeError:
        return text.translate(ASCII)
    return text


def _plain(part: Line | Table) -> str:
    """Cells padded with spaces, nothing cut: for pipes, mails and logs."""
    if isinstance(part, Line):
        return harmless(part.text) + "\n"
    cells = [[harmless(cell) for cell in row] for row in part.rows]
    if any(part.columns):
        cells.insert(0, [column.upper() for column in part.columns])
    least = part.least or (0,) * len(part.columns)
    widths = [max(width, *map(len, column)) for width, column in zip(least, zip(*cells, strict=True), strict=True)]
    right = [name in part.numbers for name in part.columns]
    return "".join(
        "  ".join(cell.rjust(width) if to_right else cell.ljust(width) for cell, width, to_right in row).rstrip() + "\n"
        for row in (zip(line, widths, right, strict=True) for line in cells)
    )
