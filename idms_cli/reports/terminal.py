"""The parts of a page on a terminal, in colour, laid out for its width; everything that is loaded with rich."""

import io
import shutil
from collections.abc import Sequence
from textwrap import wrap
from typing import TextIO

from rich.cells import cell_len
from rich.console import Console, JustifyMethod
from rich.padding import Padding
from rich.table import Table as RichTable
from rich.text import Text

from idms_cli.config.foreign import harmless
from idms_cli.reports.page import Line, Table, fitting
from idms_cli.reports.pager import print_paged

COLOURS = {
    "completed": "green",
    "ok": "green",
    "running": "cyan",
    "pending": "cyan",
    "partial": "yellow",
    "held": "yellow",
    "skipped": "yellow",
    "silent": "yellow",
    "disabled": "dim",
    "paused": "dim",
    "untested": "yellow",
    "interrupted": "magenta",
    "cancelled": "magenta",
    "failed": "red",
    "broken": "red",
}
"""Only on a terminal, and never alone: the word is always there."""

GAP = 2
"""Spaces between columns."""
INDENT = 4


def show_parts(parts: Sequence[Line | Table], out: TextIO) -> None:
    """Print lines and tables."""
    _show(parts, Console(file=out, highlight=False, emoji=False, markup=False), out)


def show_paged(parts: Sequence[Line | Table], out: TextIO) -> None:
    """The same, through a pager where they are longer than the terminal."""
    print_paged(lines_of(parts, out, shutil.get_terminal_size().columns), out)


def lines_of(parts: Sequence[Line | Table], out: TextIO, width: int) -> list[str]:
    """The lines that would be printed on a terminal of that width, with their colours."""
    text = io.StringIO()
    console = Console(file=text, width=width, force_terminal=True, highlight=False, emoji=False, markup=False)
    _show(parts, console, out)
    return text.getvalue().split("\n")[:-1]


def _show(parts: Sequence[Line | Table], console: Console, out: TextIO) -> None:
    for part in parts:
        if isinstance(part, Line):
            _show_line(part, console, out)
        else:
            _show_table(part, console, out)


def _show_line(line: Line, console: Console, out: TextIO) -> None:
    """A word that is wider than the terminal (a path) is left whole, so that it can be copied."""
    text = fitting(harmless(line.text), out)
    indent = " " * (len(text) - len(text.lstrip()))
    for row in wrap(text, console.width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False):
        console.print(Text(row, line.style), overflow="ignore", crop=False)
    if not text:
        console.print()


def _show_table(table: Table, console: Console, out: TextIO) -> None:
    """As a grid, if its sentences get half of the line; else each below its row; else each row as a list.

    Extra columns are left out where the others then need no list.
    """
    shown = table
    while True:
        rows = _cells(shown, out)
        widths = _widths(shown, rows)
        others = sum(width + GAP for width in widths[:-1])
        room = console.width - others
        if room >= widths[-1] or room >= console.width / 2:
            return _show_grid(shown, rows, widths, console)
        if others - GAP <= console.width:
            return _show_below(shown, rows, widths, console)
        if not shown.extra:
            return _show_lists(table, _cells(table, out), console)
        shown = shown.without(shown.extra[0])


def _cells(table: Table, out: TextIO) -> list[list[str]]:
    return [[fitting(harmless(cell), out) for cell in row] for row in table.rows]


def _widths(table: Table, rows: list[list[str]]) -> list[int]:
    least = table.least or (0,) * len(table.columns)
    columns = zip(table.columns, *rows, strict=True)
    return [max(width, *map(cell_len, column)) for width, column in zip(least, columns, strict=True)]


def _show_grid(table: Table, rows: list[list[str]], widths: Sequence[int], console: Console) -> None:
    grid = RichTable(
        box=None, pad_edge=False, header_style="bold", padding=(0, GAP, 0, 0), show_header=any(table.columns)
    )
    for number, name in enumerate(table.columns, start=1):
        sentences = number == len(table.columns)
        justify: JustifyMethod = "right" if name in table.numbers else "left"
        width = None if sentences else widths[number - 1]
        grid.add_column(name, justify=justify, overflow="fold", no_wrap=not sentences, min_width=width)
    for row in rows:
        grid.add_row(*map(_coloured, row))
    console.print(grid)


def _show_below(table: Table, rows: list[list[str]], widths: list[int], console: Console) -> None:
    console.print(_joined([Text(name, "bold") for name in table.columns[:-1]], widths, table))
    for *cells, sentence in rows:
        console.print(_joined([_coloured(cell) for cell in cells], widths, table))
        if sentence not in ("", "-"):
            console.print(Padding(_coloured(sentence), (0, 0, 0, INDENT)))


def _show_lists(table: Table, rows: list[list[str]], console: Console) -> None:
    for number, row in enumerate(rows):
        if number:
            console.print()
        grid = RichTable.grid(padding=(0, GAP, 0, 0))
        grid.add_column(no_wrap=True)
        grid.add_column(overflow="fold")
        for name, cell in zip(table.columns, row, strict=True):
            if cell:
                grid.add_row(Text(name, "bold"), _coloured(cell))
        console.print(grid)


def _joined(cells: Sequence[Text], widths: Sequence[int], table: Table) -> Text:
    line = Text()
    for cell, width, name in zip(cells, widths, table.columns, strict=False):
        padding = " " * (width - cell.cell_len)
        line += Text(padding) + cell if name in table.numbers else cell + Text(padding)
        line.append(" " * GAP)
    line.rstrip()
    return line


def _coloured(cell: str) -> Text:
    return Text(cell, COLOURS.get(cell, ""))
