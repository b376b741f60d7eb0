"""A sheet of a workbook as a table. Another process reads the workbook; the rows wait in a temporary file."""

import json
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import repeat
from pathlib import Path
from typing import IO, Any

from idms_cli.config.foreign import shortened
from idms_cli.errors import IdmsError, InputError, Interrupted
from idms_cli.files import PACKED, BrokenRow, Plain, Row, Table
from idms_cli.files.filetable import FileTable
from idms_cli.files.options import FileOptions
from idms_cli.files.packing import open_content
from idms_cli.files.sheetheader import Header, column_letters, no_header
from idms_cli.files.source import Source, unreadable


@contextmanager
def open_excel(path: Path, options: FileOptions, *, shown: Path | None = None) -> Iterator[Table]:
    """Open a sheet of an .xlsx, .xlsm, .xls or .ods file. Macros are never run; a cell has the value last computed.

    Memory stays flat here; the process that reads the workbook holds one sheet. Raises `InputError` as `Opener` says.
    """
    with (
        open_content(path, shown=shown) as source,
        tempfile.TemporaryFile() as rows,
        _as_file(source, is_packed=path.suffix.lower() in PACKED) as workbook,
    ):
        summary = _read(source.path, workbook, rows, options)
        source.check_unchanged()
        yield _table(source, summary, rows, options)


@contextmanager
def _as_file(source: Source, *, is_packed: bool) -> Iterator[IO[bytes]]:
    """The workbook as a file that can be handed to another process."""
    if not is_packed:
        yield source.stream
        return
    with tempfile.TemporaryFile() as unpacked:
        shutil.copyfileobj(source.stream, unpacked, 1 << 20)
        yield unpacked


def _read(path: Path, workbook: IO[bytes], rows: IO[bytes], options: FileOptions) -> dict[str, Any]:
    workbook.seek(0)
    request = json.dumps({"sheet": options.sheet, "header_row": options.header_row})
    reader = subprocess.run(
        [sys.executable, "-P", "-m", "idms_cli.files.workbook", request, str(rows.fileno())],
        stdin=workbook,
        capture_output=True,
        pass_fds=[rows.fileno()],
        check=False,
    )
    if reader.returncode:
        raise _ended(path, reader.returncode, reader.stderr.decode(errors="replace"))
    summary: dict[str, Any] = json.loads(reader.stdout)
    if "error" in summary:
        raise InputError(f"{path}: {summary['error']}.", hint=summary["hint"])
    return summary


def _ended(path: Path, code: int, last_words: str) -> IdmsError:
    """The error for a reader that ended without a word."""
    if -code in (signal.SIGTERM, signal.SIGINT):
        return Interrupted("the reading of the workbook was stopped")
    if -code in (signal.SIGABRT, signal.SIGKILL):
        what = "the sheet takes more memory than it may"
        hint = "A cell far below or beside the data makes a sheet that large: delete what is there, or save it as CSV."
    elif -code == signal.SIGXCPU:
        what, hint = "the workbook takes too long to read", "Save the sheet as CSV."
    else:
        reason = (last_words.strip().splitlines() or [f"it ended with {code}"])[-1]
        what = f"what reads workbooks failed: {shortened(reason, 200)}"
        hint = "Open it in a spreadsheet program, and save it as .xlsx again."
    return InputError(f"{path}: {what}.", hint=hint)


_KINDS = {".xlsx": "xlsx", ".xlsm": "xlsx", ".xls": "xls", ".ods": "ods"}


def _header(summary: dict[str, Any], path: Path, options: FileOptions) -> Header:
    place = f"{path}: row {options.header_row} of '{shortened(summary['sheet'])}'"
    if not summary["header"]:
        raise no_header(place, first_text=summary["first_text"])
    header = Header(summary["header"], used=summary["used"], place=place)
    if options.columns:
        header.choose([column.strip() for column in options.columns if isinstance(column, str)])
    return header


def _notes(summary: dict[str, Any], path: Path, *, chosen: bool) -> Iterator[str]:
    name, others = shortened(summary["sheet"]), summary["others"]
    if others and not chosen:
        yield f"Read the sheet '{name}', the first of {len(others) + 1}. `sheet:` settles it."
    if summary["has_macros"]:
        yield "The workbook has macros; they were not run."
    ending = (path.with_suffix("") if path.suffix.lower() in PACKED else path).suffix.lower()
    if _KINDS.get(ending) != summary["kind"]:
        yield f"The file is named {ending or 'without an ending'}, but it is .{summary['kind']}; it was read as that."


def _table(source: Source, summary: dict[str, Any], rows: IO[bytes], options: FileOptions) -> FileTable:
    header = _header(summary, source.path, options)
    told = tuple(_notes(summary, source.path, chosen=options.sheet is not None))
    cutter = _Cutter(header, others_matter=not options.columns)

    def records() -> Iterator[Row | BrokenRow | None]:
        before = options.header_row
        rows.seek(0)
        try:
            for line in rows:
                number, cells, plain, wrong = json.loads(line)
                yield from repeat(None, number - before - 1)  # only rows with text were written
                for index in plain:
                    cells[index] = Plain(cells[index])
                yield cutter.row(number, cells, wrong)
                before = number
        except OSError as error:
            raise unreadable(source.path, error) from error

    return FileTable(source, header.names, records, told, ("blank row", "blank rows"))


class _Cutter:
    """Takes from the cells of a row those that have a name and are wanted."""

    def __init__(self, header: Header, *, others_matter: bool) -> None:
        self._kept = header.kept
        self._others_matter = others_matter

    def row(self, number: int, cells: Sequence[str], wrong: Sequence[tuple[int, str]]) -> Row | BrokenRow:
        """The row with this number; `wrong` are columns, from 0, whose cell cannot be read, and why."""
        there = len(cells)
        kept = tuple([cells[index] if index < there else "" for index in self._kept])
        for index, what in wrong:
            if self._others_matter or index in self._kept:
                message = f"{column_letters(index)}{number} {what}."
                return BrokenRow(number, kept, "cell", message, raw=message)
        if self._others_matter and there > self._kept[-1] + 1:
            beyond = [cell for cell in cells[self._kept[-1] + 1 :] if cell.strip()]
            message = f"{column_letters(there - 1)}{number} has text, but its column has no name."
            return BrokenRow(number, kept, "cell", message, raw="\t".join(beyond))
        return Row(number, kept)
