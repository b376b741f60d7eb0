"""Fixed-width text as a table: streaming, cells by their places on a line, in characters."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from idms_cli.codes import ReadCode
from idms_cli.files import BrokenRow, Row, Table
from idms_cli.files.filetable import FileTable, lines
from idms_cli.files.layout import FixedColumn, slots
from idms_cli.files.options import FileOptions
from idms_cli.files.packing import open_text
from idms_cli.files.text import settle


@contextmanager
def open_fixed(path: Path, options: FileOptions, *, shown: Path | None = None) -> Iterator[Table]:
    """Open a file whose columns stand where the job says. Spaces around a cell are padding and fall away.

    Raises `InputError` as `Opener` says.
    """
    with open_text(path, "fixed-width text", shown=shown) as source:
        text = settle(source, options.encoding)
        source.stream.seek(0)
        stream = io.TextIOWrapper(source.stream, encoding=text.encoding)
        cutter = _Cutter(options, check_nul=text.has_nul)

        def records() -> Iterator[Row | BrokenRow | None]:
            for number, line in enumerate(lines(source, stream), start=1):
                if number > options.skip_lines:
                    yield cutter.row(number, line.removesuffix("\n")) if line.strip() else None

        yield FileTable(source, cutter.columns, records, text.notes)


class _Cutter:
    """Cuts a line into the cells that the job names."""

    def __init__(self, options: FileOptions, *, check_nul: bool) -> None:
        self._slots = slots([column for column in options.columns or () if isinstance(column, FixedColumn)])
        self._fill = options.short_lines == "fill"
        self._end = max(slot.end or slot.start for slot in self._slots)
        self._open_end = any(slot.end is None for slot in self._slots)
        self._check_nul = check_nul
        self.columns = tuple(slot.name for slot in self._slots)

    def row(self, number: int, line: str) -> Row | BrokenRow:
        """The row in a line that is not blank."""
        cells = tuple(line[slot.start : slot.end].strip() for slot in self._slots)
        fault = self._fault(line)
        if fault is None:
            return Row(number, cells)
        return BrokenRow(number, cells, *fault, raw=line)

    def _fault(self, line: str) -> tuple[ReadCode, str] | None:
        length = len(line)
        if length < self._end and not self._fill:
            has = "1 character" if length == 1 else f"{length:,} characters"
            message = f"The line has {has}, but its columns go on to {self._end:,}"
            return "width", f"{message}; `short_lines: fill` takes what is missing for blanks."
        if length > self._end and not self._open_end and line[self._end :].strip():
            return "width", f"The columns end at character {self._end:,}, but the line goes on with text."
        if self._check_nul and "\0" in line:
            return "nul", "The line has a NUL character, which no text may contain."
        return None
