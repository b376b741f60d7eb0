"""What a command has to say, as data and as parts of a page; printed with rich on a terminal, plainly elsewhere."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TextIO

from idms_cli.config.foreign import harmless

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


@dataclass(frozen=True)
class Page:
    """A report: `data` for `--json`, `parts` for people."""

    data: Mapping[str, Any]
    parts: Sequence[Line | Table]


def show(page: Page, *, as_json: bool = False, file: TextIO | None = None) -> None:
    """Print a page to stdout (or `file`)."""
    out = file or sys.stdout
    if as_json:
        out.write(json.dumps({"version": JSON_VERSION, **page.data}, indent=2, default=str) + "\n")
    elif out.isatty():
        from idms_cli.reports.terminal import show_parts  # noqa: PLC0415 - rich is for where somebody looks

        show_parts(page.parts, out)
    else:
        out.writelines(map(_plain, page.parts))
    out.flush()


def _plain(part: Line | Table) -> str:
    """Cells padded with spaces, nothing cut: for pipes, mails and logs."""
    if isinstance(part, Line):
        return harmless(part.text) + "\n"
    cells = [[harmless(cell) for cell in row] for row in part.rows]
    if any(part.columns):
        cells.insert(0, [column.upper() for column in part.columns])
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    right = [name in part.numbers for name in part.columns]
    return "".join(
        "  ".join(cell.rjust(width) if to_right else cell.ljust(width) for cell, width, to_right in row).rstrip() + "\n"
        for row in (zip(line, widths, right, strict=True) for line in cells)
    )
