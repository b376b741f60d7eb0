"""A file of rejects, mended or not and however it was saved, becomes the rows again from which it was made."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import get_args

from idms_cli.codes import ReadCode
from idms_cli.errors import InputError
from idms_cli.files import FORMATS, BrokenRow, Dialect, Plain, Row, Table, format_of, open_table
from idms_cli.files.cutting import cut_again
from idms_cli.files.dialect import CsvOptions
from idms_cli.files.filetable import FileTable
from idms_cli.files.formulas import unguarded
from idms_cli.files.options import FileOptions
from idms_cli.files.packing import open_content
from idms_cli.files.source import Fingerprint
from idms_cli.records.forms import Mended
from idms_cli.records.rejects import RAW_COLUMN, REASON_COLUMNS, TEXT_COUNTS, fitted, how_to_mend

_BETWEEN = re.compile(rb"""_line["']?(?P<mark>[^\w"'])["']?_stage""")
_CODES: tuple[ReadCode, ...] = get_args(ReadCode)


def given_format(path: Path) -> str:
    """The format of a file of rejects, mended or not. Raises `InputError` for one that a job would have to describe."""
    file_format = format_of(path)
    if FORMATS[file_format].needed:
        saved_as = ", ".join(suffix for entry in FORMATS.values() if not entry.needed for suffix in entry.suffixes)
        message = f"{path}: rows to retry cannot be read from a file of the format {file_format}."
        raise InputError(message, hint=f"Save it as one of {saved_as}.")
    return file_format


@contextmanager
def open_given(
    path: Path, options: CsvOptions, *, delimiter: str | None = None, shown: Path | None = None
) -> Iterator[Table]:
    """Open a file of rejects, mended or not, in the format in which somebody saved it; `options` are the job's.

    `delimiter` stood between the cells of the rows that were rejected; `shown` is as in `open_table`. Raises as
    `given_format` and `open_table` do.
    """
    file_format, written = given_format(path), FileOptions()
    if file_format in ("csv", "tsv"):
        written = FileOptions(delimiter=delimiter_of(path) or options.delimiter, quote=options.quote)
    delimiter = delimiter or options.delimiter
    with open_table(path, written, file_format=file_format, shown=shown) as table:
        if delimiter and isinstance(table, FileTable):
            table.dialect = Dialect(delimiter, options.quote)
        yield table


def delimiter_of(path: Path) -> str | None:
    """What stands between two columns of reasons: a spreadsheet may have saved the file with another one than ours."""
    with open_content(path) as source:
        start = source.stream.read(64 * 1024).replace(b"\0", b"")  # of UTF-16 as well
    found = _BETWEEN.search(start)
    return found["mark"].decode("latin-1") if found else None


def fed_back(table: Table, *, told_numbers: bool = False) -> Table:
    """The table as it was before its rows were rejected, when it is a file of rejects; else the table itself.

    `told_numbers` says whether the cells that were rejected knew if they were numbers, as those of a workbook do.
    Raises `InputError` when some of `REASON_COLUMNS` are there and others not: it cannot be told what the file is.
    """
    there = [name for name in REASON_COLUMNS if name in table.columns]
    if not there:
        return table
    missing = [name for name in REASON_COLUMNS if name not in table.columns]
    if missing:
        raise InputError(
            f"The file has {', '.join(there)} as a file of rejects has, but not {', '.join(missing)}.",
            hint=f"Leave all of {', '.join(REASON_COLUMNS)} in a file of rejects; in any other file, rename them.",
        )
    return _FedBack(table, told_numbers=told_numbers)


class _FedBack:
    """A file of rejects as the `Table` it was made from."""

    def __init__(self, table: Table, *, told_numbers: bool) -> None:
        added = (*REASON_COLUMNS, RAW_COLUMN)
        self._table = table
        self._told_numbers = told_numbers
        self._original = tuple(index for index, name in enumerate(table.columns) if name not in added)
        self._code, self._message = table.columns.index("_code"), table.columns.index("_message")
        self._raw = table.columns.index(RAW_COLUMN) if RAW_COLUMN in table.columns else None
        self.columns = tuple(unguarded(table.columns[index]) for index in self._original)

    @property
    def dialect(self) -> Dialect:
        return self._table.dialect

    @property
    def fingerprint(self) -> Fingerprint:
        return self._table.fingerprint

    @property
    def notes(self) -> tuple[str, ...]:
        return (*self._table.notes, "This is a file of rejected rows: its columns of reasons were left out.")

    @property
    def blank_lines(self) -> int:
        return self._table.blank_lines

    def rows(self) -> Iterator[Row | BrokenRow]:
        for row in self._table.rows():
            if isinstance(row, BrokenRow):
                yield self._broken_again(row)
            elif self._raw is not None and row.cells[self._raw].strip():
                yield self._unmended(row, unguarded(row.cells[self._raw]))
            else:
                yield Row(row.line, self._cells(row))

    def _cells(self, row: Row | BrokenRow) -> tuple[str, ...]:
        return tuple([self._cell(row.cells[index]) for index in self._original])

    def _cell(self, cell: str) -> str:
        if isinstance(cell, Plain):  # a number now: as it was before, or made of text by a spreadsheet
            return cell if self._told_numbers else Mended(cell)
        text = unguarded(cell)
        return Mended(text) if self._told_numbers else text

    def _broken_again(self, row: BrokenRow) -> BrokenRow:
        """A row of this file that is broken by itself. One with a NUL has all its cells, the original ones too."""
        if row.code != "nul" or len(row.cells) != len(self._table.columns):
            return row
        raw = row.cells[self._raw] if self._raw is not None else ""
        return row._replace(cells=self._cells(row), raw=unguarded(raw) if raw.strip() else row.raw)

    def _unmended(self, row: Row, raw: str) -> Row | BrokenRow:
        """A row whose text is still there. Always one row, since rows are known by their lines."""
        code, message = row.cells[self._code], row.cells[self._message]
        if code in TEXT_COUNTS:
            return self._from_text(row, raw)
        told = unguarded(message).removesuffix(how_to_mend(code)).strip()
        if code in _CODES and told:
            return BrokenRow(row.line, self._cells(row), code, told, raw)
        told = f"{RAW_COLUMN} is not empty, so this row is taken for one that nobody has mended."
        return BrokenRow(row.line, self._cells(row), "raw", told, raw)

    def _from_text(self, row: Row, raw: str) -> Row | BrokenRow:
        cells, width = self._cells(row), len(self.columns)
        found = cut_again(raw, self.dialect, width=width, line=row.line)
        if len(found) != 1:
            message = f"The text in {RAW_COLUMN} is {len(found)} rows; put each on a line of the file, in the columns."
            return BrokenRow(row.line, cells, "several-rows", message, raw)
        (again,) = found
        if isinstance(again, Row) or fitted(again.cells, width) == list(cells):
            return again
        message = f"{again.message} The cells say something else, but {RAW_COLUMN} counts while it is not empty."
        return again._replace(cells=cells, message=message)
