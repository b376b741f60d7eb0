"""Delimited text (CSV, TSV) as a table: streaming, and strict about everything that could lose a cell."""

import csv
import io
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import islice
from pathlib import Path

from idms_cli.config.foreign import shortened
from idms_cli.errors import InputError
from idms_cli.files import BrokenRow, Dialect, Row, Table
from idms_cli.files.cutting import Cutter, Layout, strict_reader
from idms_cli.files.dialect import CsvOptions, found_delimiter
from idms_cli.files.header import column_names
from idms_cli.files.packing import open_text
from idms_cli.files.source import Fingerprint, Source, changed, unreadable
from idms_cli.files.text import Text, settle


def open_csv(path: Path, options: CsvOptions, *, shown: Path | None = None) -> AbstractContextManager[Table]:
    """Open a CSV file; the delimiter is the job's, else found in the header. Raises `InputError` as `Opener` says."""
    return _opened(path, options, shown)


def open_tsv(path: Path, options: CsvOptions, *, shown: Path | None = None) -> AbstractContextManager[Table]:
    """Open a file of cells between tabs, unless the job names another delimiter. Raises as `open_csv` does."""
    return _opened(path, options.model_copy(update={"delimiter": options.delimiter or "\t"}), shown)


@contextmanager
def _opened(path: Path, options: CsvOptions, shown: Path | None) -> Iterator[Table]:
    with open_text(path, "delimited text", shown=shown) as source:
        text = settle(source, options.encoding)
        yield _DelimitedTable(source, text, options)


class _DelimitedTable:
    """A `Table` over an open delimited file."""

    def __init__(self, source: Source, text: Text, options: CsvOptions) -> None:
        source.stream.seek(0)
        self._source = source
        self._text = text
        self._stream = io.TextIOWrapper(source.stream, encoding=text.encoding, newline="")
        self._dialect = Dialect(options.delimiter or self._found_delimiter(options.quote), options.quote)
        self._columns, self._header_lines = self._read_header()
        self._blank_lines = 0

    @property
    def columns(self) -> tuple[str, ...]:
        return self._columns

    @property
    def dialect(self) -> Dialect:
        return self._dialect

    @property
    def fingerprint(self) -> Fingerprint:
        return self._source.fingerprint

    @property
    def notes(self) -> tuple[str, ...]:
        if not self._blank_lines:
            return self._text.notes
        lines = "1 blank line" if self._blank_lines == 1 else f"{self._blank_lines} blank lines"
        return (*self._text.notes, f"{lines} passed over.")

    @property
    def blank_lines(self) -> int:
        return self._blank_lines

    def rows(self) -> Iterator[Row | BrokenRow]:
        cutter = Cutter(
            self._layout(len(self._columns), check_nul=self._text.has_nul), first_line=self._header_lines + 1
        )
        yield from cutter.cut(islice(self._lines(), self._header_lines, None))
        self._blank_lines = cutter.blank

    def reread(self, raw: str, *, width: int, line: int) -> Iterator[Row | BrokenRow]:
        cutter = Cutter(self._layout(width, check_nul=True), first_line=line)
        return cutter.cut(io.StringIO(raw, newline=""))

    def _layout(self, width: int, *, check_nul: bool) -> Layout:
        return Layout(self._source.path, self._dialect, width, check_nul)

    def _lines(self) -> Iterator[str]:
        self._stream.seek(0)
        try:
            # Not `yield from`, which would close the stream when somebody stops half-way.
            for line in self._stream:  # noqa: UP028
                yield line
        except UnicodeError as error:  # the whole file was decoded a moment ago
            raise changed(self._source.path) from error
        except OSError as error:
            raise unreadable(self._source.path, error) from error
        self._source.check_unchanged()

    def _found_delimiter(self, quote: str) -> str:
        first_line = next(self._lines(), "")
        delimiter = found_delimiter(first_line, quote)
        if delimiter is None:
            raise InputError(
                f"{self._source.path}:1: the header could be cut in several ways: '{shortened(first_line.strip())}'.",
                hint='Say in the job which one stands between cells, for example `delimiter: ";"`.',
            )
        return delimiter

    def _read_header(self) -> tuple[tuple[str, ...], int]:
        reader = strict_reader(self._lines(), self._dialect)
        try:
            cells: list[str] = next(reader, [])
        except csv.Error as error:
            raise InputError(
                f"{self._source.path}:1: the header cannot be read: {error}.",
                hint="Look for a quote in the first line that is not closed, or not doubled inside a name.",
            ) from error
        return column_names(cells, place=f"{self._source.path}:1"), reader.line_num
