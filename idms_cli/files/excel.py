"""A sheet of a workbook as a table. Another process reads the workbook; the rows wait in a temporary file."""

import json
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from idms_cli.config.foreign import shortened
from idms_cli.errors import IdmsError, InputError, Interrupted
from idms_cli.files import PACKED, BrokenRow, Dialect, Row, Table
from idms_cli.files.options import FileOptions
from idms_cli.files.packing import open_content
from idms_cli.files.sheetheader import Header, column_letters, no_header
from idms_cli.files.source import Fingerprint, Source, unreadable
from idms_cli.files.unread import REJECTS_DIALECT, raw_row, refused_again


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
        yield _SheetTable(source, summary, rows, options)


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
    name, others, blank = shortened(summary["sheet"]), summary["others"], summary["blank_rows"]
    if others and not chosen:
        yield f"Read the sheet '{name}', the first of {len(others) + 1}. `sheet:` settles it."
    if summary["has_macros"]:
        yield "The workbook has macros; they were not run."
    ending = (path.with_suffix("") if path.suffix.lower() in PACKED else path).suffix.lower()
    if _KINDS.get(ending) != summary["kind"]:
        yield f"The file is named {ending or 'without an ending'}, but it is .{summary['kind']}; it was read as that."
    if blank:
        yield "1 blank row passed over." if blank == 1 else f"{blank:,} blank rows passed over."


class _SheetTable:
    """A `Table` over the rows that were read from a sheet."""

    def __init__(self, source: Source, summary: dict[str, Any], rows: IO[bytes], options: FileOptions) -> None:
        self._source = source
        self._summary = summary
        self._rows = rows
        self._notes = tuple(_notes(summary, source.path, chosen=options.sheet is not None))
        header = _header(summary, source.path, options)
        self._columns = header.names
        self._kept = header.kept
        self._others_matter = not options.columns

    @property
    def columns(self) -> tuple[str, ...]:
        return self._columns

    @property
    def dialect(self) -> Dialect:
        return REJECTS_DIALECT

    @property
    def fingerprint(self) -> Fingerprint:
        return self._source.fingerprint

    @property
    def notes(self) -> tuple[str, ...]:
        return self._notes

    @property
    def blank_lines(self) -> int:
        return int(self._summary["blank_rows"])

    def rows(self) -> Iterator[Row | BrokenRow]:
        self._rows.seek(0)
        try:
            for line in self._rows:
                number, cells, wrong = json.loads(line)
                yield self._row(number, cells, wrong)
        except OSError as error:
            raise unreadable(self._source.path, error) from error
        self._source.check_unchanged()

    def reread(self, raw: str, *, width: int, line: int) -> Iterator[Row | BrokenRow]:  # noqa: ARG002  (the protocol's)
        return refused_again(raw, line=line)

    def _row(self, number: int, cells: Sequence[str], wrong: Sequence[tuple[int, str]]) -> Row | BrokenRow:
        there = len(cells)
        kept = tuple([cells[index] if index < there else "" for index in self._kept])
        for index, what in wrong:
            if self._others_matter or index in self._kept:
                message = f"{column_letters(index)}{number} {what}."
                return BrokenRow(number, kept, "cell", message, raw_row(kept, message, width=len(kept)))
        if self._others_matter and there > self._kept[-1] + 1:
            beyond = [cell for cell in cells[self._kept[-1] + 1 :] if cell.strip()]
            message = f"{column_letters(there - 1)}{number} has text, but its column has no name."
            raw = raw_row([*kept, *beyond[:-1]], beyond[-1], width=len(kept))
            return BrokenRow(number, kept, "ragged", message, raw)
        return Row(number, kept)
