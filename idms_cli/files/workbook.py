"""Reads one sheet of a workbook, in a process of its own: what a hostile file does to it, it does to nobody else.

Run as `python -m idms_cli.files.workbook REQUEST FD`, with the workbook as standard input. Writes the rows below the
header to FD, each a line of JSON: `[row, cells, [column, ...], [[column, fault], ...]]`, where the first columns are
those whose cell is `Plain`; and one JSON object to standard output: a `Summary`, or `{"error": ..., "hint": ...}`. If
it says nothing, its limits on memory and time have ended it.
"""

import json
import os
import resource
import signal
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import IO, Any, NamedTuple
from xml.etree import ElementTree

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from idms_cli.config.foreign import shortened
from idms_cli.config.spelling import did_you_mean
from idms_cli.files.cells import CellValue, cell_text, has_own_form, is_exact
from idms_cli.files.kinds import Refused, kind_of
from idms_cli.files.uncomputed import uncomputed

MEMORY_LIMIT = 2 * 1024**3
"""In bytes. A sheet of a million rows and twelve columns takes half of it."""

CPU_LIMIT_S = 600
_MOST_FAULTS = 100_000
_INEXACT = "holds a number of more than 15 digits, of which only 15 are kept; it has to be written as text"

Faults = dict[int, dict[int, str]]
"""By row, from 1, and column, from 0: what is wrong with a cell."""


class Summary(NamedTuple):
    """What there is to know of a sheet beside its rows."""

    sheet: str
    others: list[str]
    """The other sheets that can be seen."""
    kind: str
    """xlsx, xls or ods: what the file is, whatever its ending says."""
    has_macros: bool
    header: list[str]
    first_text: int
    """The first row that has text, from 1; 0 when there is none."""
    used: list[int]
    """Which columns have text below the header, from 0."""


def main() -> None:
    """Do what the arguments say."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started this process decides
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_AS, MEMORY_LIMIT)
    _limit(resource.RLIMIT_CPU, CPU_LIMIT_S)
    request = json.loads(sys.argv[1])
    try:
        with os.fdopen(int(sys.argv[2]), "w", encoding="utf-8") as rows:
            said: dict[str, Any] = _read(request["sheet"], request["header_row"], rows)._asdict()
    except Refused as refused:
        said = {"error": str(refused), "hint": refused.hint}
    except MemoryError:
        os.abort()  # as the library does when the limit meets it first
    except OSError as error:
        said = {
            "error": f"its rows cannot be kept: {error.strerror}",
            "hint": "Look at the free space for temporary files.",
        }
    json.dump(said, sys.stdout)


def _limit(resource_number: int, amount: int) -> None:
    _, most = resource.getrlimit(resource_number)
    limit = amount if most == resource.RLIM_INFINITY else min(amount, most)
    resource.setrlimit(resource_number, (limit, limit))


def _read(wanted: str | int | None, header_row: int, rows: IO[str]) -> Summary:
    with os.fdopen(0, "rb", closefd=False) as file:
        kind = kind_of(file)
        with _workbook(kind.name) as book:
            name, others = _chosen(book, wanted)
            faults = _faults(file, name) if kind.name == "xlsx" else {}
            return _written(_sheet(book, name), header_row, rows, faults)._replace(
                sheet=name, others=others, kind=kind.name, has_macros=kind.has_macros
            )


def _workbook(kind: str) -> CalamineWorkbook:
    # By its name, since only then the library says why it cannot read a file.
    with tempfile.TemporaryDirectory(prefix="idms-") as folder:
        link = Path(folder, f"workbook.{kind}")
        link.symlink_to("/proc/self/fd/0")
        try:
            return CalamineWorkbook.from_path(link)
        except PasswordError as error:
            raise Refused.encrypted() from error
        except CalamineError as error:
            raise Refused.damaged(error) from error


def _chosen(book: CalamineWorkbook, wanted: str | int | None) -> tuple[str, list[str]]:
    """The name of the sheet that is meant, and the other sheets that can be seen."""
    tables = [sheet for sheet in book.sheets_metadata if sheet.typ == SheetTypeEnum.WorkSheet]
    seen = [sheet.name for sheet in tables if sheet.visible == SheetVisibleEnum.Visible]
    if isinstance(wanted, str):
        name = _named(wanted, [sheet.name for sheet in tables])
    elif 0 < (wanted or 1) <= len(seen):
        name = seen[(wanted or 1) - 1]
    else:
        found = f"only {len(seen)} sheets" if len(seen) > 1 else "only 1 sheet" if seen else "no sheet"
        raise Refused(f"there is {found} to be seen in this workbook", f'A name goes into quotes: sheet: "{wanted}".')
    return name, [other for other in seen if other != name]


def _named(wanted: str, names: list[str]) -> str:
    folded = wanted.strip().casefold()
    for name in names:
        if wanted == name or folded == name.strip().casefold():
            return name
    near = did_you_mean(wanted, names)
    listed = f"Sheets: {', '.join(map(shortened, names))}."
    raise Refused(f"there is no sheet '{shortened(wanted)}'", near or listed)


def _sheet(book: CalamineWorkbook, name: str) -> CalamineSheet:
    try:
        return book.get_sheet_by_name(name)
    except CalamineError as error:
        raise Refused.damaged(error) from error


def _faults(file: IO[bytes], sheet: str) -> Faults:
    found: Faults = {}
    try:
        with zipfile.ZipFile(file) as archive:
            for cell in uncomputed(archive, sheet):
                found.setdefault(cell.row, {})[cell.column] = cell.what
                if len(found) > _MOST_FAULTS:
                    break
    except (KeyError, ElementTree.ParseError, zipfile.BadZipFile) as error:
        raise Refused.damaged(error) from error
    return found


def _written(sheet: CalamineSheet, header_row: int, rows: IO[str], faults: Faults) -> Summary:
    header: list[str] = []
    first_text = 0
    used: set[int] = set()
    below: Iterator[tuple[int, list[CellValue]]] = (
        (number, []) for number in sorted(faults) if number > _last_row(sheet)
    )  # nothing but faults there
    for number, values in chain(_rows(sheet), below):
        cells = _without_end([cell_text(value) for value in values])
        wrong = {**faults.get(number, {}), **_inexact(values)}
        if not (cells or wrong):
            continue
        first_text = first_text or number
        if number == header_row:
            header = cells
        elif number > header_row:
            used.update(index for index, cell in enumerate(cells) if index not in used and cell.strip())
            plain = [index for index, value in enumerate(values) if has_own_form(value)]
            rows.write(json.dumps([number, cells, plain, sorted(wrong.items())]) + "\n")
    return Summary("", [], "", False, header, first_text, sorted(used))


def _rows(sheet: CalamineSheet) -> Iterator[tuple[int, list[CellValue]]]:
    """Every row with its number.

    Counted from the end, since the library leaves out some of what is blank above and to the left of the first text.
    """
    if sheet.end is None:
        return
    last_row, last_column = sheet.end
    first = last_row + 2 - sum(1 for _ in sheet.iter_rows())
    for number, values in enumerate(sheet.iter_rows(), start=first):
        blanks: list[CellValue] = [""] * (last_column + 1 - len(values))
        yield number, [*blanks, *values]


def _last_row(sheet: CalamineSheet) -> int:
    return 0 if sheet.end is None else sheet.end[0] + 1


def _inexact(values: list[CellValue]) -> dict[int, str]:
    return {index: _INEXACT for index, value in enumerate(values) if not is_exact(value)}


def _without_end(cells: list[str]) -> list[str]:
    while cells and not cells[-1].strip():
        cells.pop()
    return cells


if __name__ == "__main__":
    main()
