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
from idms_cli.files.cutting import Layout, cut, strict_reader
from idms_cli.files.dialect import CsvOptions, found_delimiter, said_delimiter
from idms_cli.files.filetable import FileTable, lines
from idms_cli.files.header import column_names
from idms_cli.files.packing import open_text
from idms_cli.files.source import Source
from idms_cli.files.text import settle


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
        source.stream.seek(0)
        stream = io.TextIOWrapper(source.stream, encoding=text.encoding, newline="")
        said = said_delimiter(next(lines(source, stream), ""))
        above = int(said is not None)
        delimiter = options.delimiter or said or _found_delimiter(source, stream, options.quote)
        dialect = Dialect(delimiter, options.quote)
        columns, header_lines = _header(source, stream, dialect, above=above)
        layout = Layout(source.path, dialect, len(columns), check_nul=text.has_nul)

        def records() -> Iterator[Row | BrokenRow | None]:
            return cut(islice(lines(source, stream), header_lines, None), layout, first_line=header_lines + 1)

        yield FileTable(source, columns, records, text.notes, dialect=dialect)


def _found_delimiter(source: Source, stream: io.TextIOBase, quote: str) -> str:
    first_line = next(lines(source, stream), "")
    delimiter = found_delimiter(first_line, quote)
    if delimiter is None:
        raise InputError(
            f"{source.path}:1: the header could be cut in several ways: '{shortened(first_line.strip())}'.",
            hint='Say in the job which one stands between cells, for example `delimiter: ";"`.',
        )
    return delimiter


def _header(source: Source, stream: io.TextIOBase, dialect: Dialect, *, above: int) -> tuple[tuple[str, ...], int]:
    """The names of the columns, and after how many lines the rows begin; `above` of them are before the header."""
    reader, first_line = strict_reader(islice(lines(source, stream), above, None), dialect), above + 1
    try:
        cells: list[str] = next(reader, [])
    except csv.Error as error:
        raise InputError(
            f"{source.path}:{first_line}: the header cannot be read: {error}.",
            hint="Look for a quote in this line that is not closed, or not doubled inside a name.",
        ) from error
    return column_names(cells, place=f"{source.path}:{first_line}"), above + reader.line_num
