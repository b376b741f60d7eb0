"""What a command has to say, as data and as parts of a page; printed with rich on a terminal, plainly elsewhere."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TextIO

from idms_cli.config.foreign import harmless

JSON_VERSION = 1
COLOURS = {
    "completed": "green",
    "ok": "green",
    "running": "cyan",
    "pending": "cyan",
    "partial": "yellow",
    "skipped": "yellow",
    "disabled": "dim",
    "interrupted": "magenta",
    "cancelled": "magenta",
    "failed": "red",
    "broken": "red",
}
"""Only on a terminal, and never alone: the word is always there."""


@dataclass(frozen=True)
class Line:
    """A sentence; `style` is one of rich's, for a terminal."""

    text: str
    style: str = ""


@dataclass(frozen=True)
class Table:
    """Rows under column names. Text from outside needs no care: it is made harmless when it is printed."""

    columns: tuple[str, ...]
    rows: Sequence[Sequence[str]]
    numbers: frozenset[str] = frozenset()
    """Columns that are aligned to the right."""


@dataclass(frozen=True)
class Page:
    """A report: `data` for `--json`, `parts` for people."""

    data: Mapping[str, Any]
    parts: Sequence[Line | Table]


def show(page: Page, *, as_json: bool = False, file: TextIO | None = None) -> None:
    """Print a page to stdout (or `file`)."""
    out = file or sys.stdout
    if as_json:
        out.write(json.dumps({"version": JSON_VERSION, **page.data}, indent=2, ensure_ascii=False, default=str) + "\n")
    elif out.isatty():
        _show_rich(page, out)
    else:
        for part in page.parts:
            out.write(_plain(part))


def _plain(part: Line | Table) -> str:
    """Cells padded with spaces, nothing cut: for pipes, mails and logs."""
    if isinstance(part, Line):
        return harmless(part.text) + "\n"
    cells = [[column.upper() for column in part.columns], *([harmless(cell) for cell in row] for row in part.rows)]
    widths = [max(len(row[index]) for row in cells) for index in range(len(part.columns))]
    right = [name in part.numbers for name in part.columns]
    return "".join(
        "  ".join(cell.rjust(width) if to_right else cell.ljust(width) for cell, width, to_right in row).rstrip() + "\n"
        for row in (zip(line, widths, right, strict=True) for line in cells)
    )


def _show_rich(page: Page, out: TextIO) -> None:
    from rich.console import Console  # noqa: PLC0415 - loaded only where somebody looks
    from rich.table import Table as RichTable  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    console = Console(file=out, highlight=False, emoji=False, markup=False)
    for part in page.parts:
        if isinstance(part, Line):
            console.print(Text(harmless(part.text), style=part.style), soft_wrap=False)
            continue
        table = RichTable(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
        for column in part.columns:
            right = column in part.numbers
            table.add_column(column, justify="right" if right else "left", overflow="fold", no_wrap=right)
        for row in part.rows:
            table.add_row(*(Text(harmless(cell), style=COLOURS.get(cell, "")) for cell in row))
        console.print(table)
