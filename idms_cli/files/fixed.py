"""Fixed-width text as a table: streaming, cells by their places on a line, in characters."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from idms_cli.files import BrokenRow, Dialect, Row, Table
from idms_cli.files.layout import FixedColumn, slots
from idms_cli.files.options import FileOptions
from idms_cli.files.packing import open_text
from idms_cli.files.source import Fingerprint, Source, changed, unreadable
from idms_cli.files.text import Text, settle
from idms_cli.files.unread import REJECTS_DIALECT, raw_row, refused_again


@contextmanager
def open_fixed(path: Path, options: FileOptions, *, shown: Path | None = None) -> Iterator[Table]:
    """Open a file whose columns stand where the job says. Spaces around a cell are padding and fall away.

    Raises `InputError` as `Opener` says.
    """
    with open_text(path, "fixed-width text", shown=shown) as source:
        text = settle(source, options.encoding)
        yield _FixedTable(source, text, options)


class _FixedTable:
    """A `Table` over an open file of fixed width."""

    def __init__(self, source: Source, text: Text, options: FileOptions) -> None:
        source.stream.seek(0)
        self._source = source
        self._text = text
        self._stream = io.TextIOWrapper(source.stream, encoding=text.encoding)
        self._slots = slots([column for column in options.columns or () if isinstance(column, FixedColumn)])
        self._skip = options.skip_lines
        self._fill = options.short_lines == "fill"
        self._end = max(slot.end or slot.start for slot in self._slots)
        self._open_end = any(slot.end is None for slot in self._slots)
        self._blank = 0

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(slot.name for slot in self._slots)

    @property
    def dialect(self) -> Dialect:
        return REJECTS_DIALECT

    @property
    def fingerprint(self) -> Fingerprint:
        return self._source.fingerprint

    @property
    def notes(self) -> tuple[str, ...]:
        if not self._blank:
            return self._text.notes
        lines = "1 blank line" if self._blank == 1 else f"{self._blank} blank lines"
        return (*self._text.notes, f"{lines} passed over.")

    @property
    def blank_lines(self) -> int:
        return self._blank

    def rows(self) -> Iterator[Row | BrokenRow]:
        blank = 0
        for number, line in enumerate(self._lines(), start=1):
            if number <= self._skip:
                continue
            if line.strip():
                yield self._row(number, line.removesuffix("\n"))
            else:
                blank += 1
        self._blank = blank

    def reread(self, raw: str, *, width: int, line: int) -> Iterator[Row | BrokenRow]:  # noqa: ARG002  (the protocol's)
        return refused_again(raw, line=line)

    def _row(self, number: int, line: str) -> Row | BrokenRow:
        cells = tuple(line[slot.start : slot.end].strip() for slot in self._slots)
        fault = self._fault(line)
        if fault is None:
            return Row(number, cells)
        return BrokenRow(number, cells, *fault, raw=raw_row(cells, line, width=len(self._slots)))

    def _fault(self, line: str) -> tuple[str, str] | None:
        length = len(line)
        if length < self._end and not self._fill:
            message = f"The line has {length:,} characters, but its columns go on to {self._end:,}"
            return "width", f"{message}; `short_lines: fill` takes what is missing for blanks."
        if length > self._end and not self._open_end and line[self._end :].strip():
            return "width", f"The columns end at character {self._end:,}, but the line goes on with text."
        if self._text.has_nul and "\0" in line:
            return "nul", "The line has a NUL character, which no text may contain."
        return None

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
