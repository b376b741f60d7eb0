"""The file of rejected rows: the columns they came with and why they were rejected; it can be fed back as it is."""

import csv
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from idms_cli.config.foreign import harmless
from idms_cli.config.replacing import sync_folder
from idms_cli.errors import IdmsError
from idms_cli.files import BrokenRow, Dialect, Row
from idms_cli.files.formulas import guarded
from idms_cli.files.places import briefly
from idms_cli.records.faults import Fault

REASON_COLUMNS = ("_line", "_stage", "_field", "_code", "_message")
"""What every file of rejects has beside the original columns."""

RAW_COLUMN = "_raw"
"""The row as it stood in the file, if it could not be read as one cell for each column."""

TEXT_COUNTS: frozenset[str] = frozenset({"ragged", "quote", "several-rows"})
"""The codes of rows whose text was cut the wrong way: corrected, it is cut again. Of all others the cells count."""

_CELLS = "To mend it: correct the cells and empty _raw"


class RejectsFile:
    """Writes rejected rows beside the final file; it appears, complete and on disk, when the block ends well.

    UTF-8 with a byte order mark, so that Excel shows accents; mode 0600. With no reject there is no file.
    """

    def __init__(
        self, path: Path, columns: Sequence[str], *, dialect: Dialect | None = None, files: Sequence[str] = ()
    ) -> None:
        """`columns` and `dialect` are those of the table, after `fed_back`: the same job must be able to read it.

        `files` are the names of the files that were read, where they were several.
        """
        self.path = path
        self.count = 0
        self._part = path.with_name(path.name + ".part")
        self._columns = tuple(columns)
        self._dialect = dialect or Dialect()
        self._files = files
        self._stream: TextIO | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with _said_clearly(self.path):
            if kind is None:
                self._commit()
            else:
                self._discard()

    def add(self, row: Row | BrokenRow, faults: Sequence[Fault]) -> None:
        """Write one row with all that is wrong with it. Raises `IdmsError` when the disk does not take it."""
        raw = row.raw if isinstance(row, BrokenRow) else ""
        cells = fitted(row.cells, len(self._columns))
        with _said_clearly(self.path):
            place = briefly(row.line, self._files)
            self._write([*cells, place, *_reasons(faults, mendable=bool(raw)), raw])
        self.count += 1

    def _write(self, cells: Sequence[str]) -> None:
        if self._stream is None:
            self._stream = _created(self._part)
            self._writer = csv.writer(
                self._stream, delimiter=self._dialect.delimiter, quotechar=self._dialect.quote, lineterminator="\r\n"
            )
            self._write([*self._columns, *REASON_COLUMNS, RAW_COLUMN])
        self._writer.writerow(map(guarded, cells))

    def _commit(self) -> None:
        if self._stream is None:
            self.path.unlink(missing_ok=True)
            return
        with self._stream as stream:
            stream.flush()
            os.fsync(stream.fileno())
        self._part.replace(self.path)
        sync_folder(self.path.parent)

    def _discard(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._part.unlink(missing_ok=True)


def how_to_mend(code: str) -> str:
    """What to do with a row that has a `_raw`."""
    return f"{_CELLS}, or correct _raw." if code in TEXT_COUNTS else f"{_CELLS}."


def _reasons(faults: Sequence[Fault], *, mendable: bool) -> tuple[str, ...]:
    messages = [fault.message for fault in faults] + ([how_to_mend(faults[0].code)] if mendable else [])
    stages = dict.fromkeys(fault.stage for fault in faults)
    fields = dict.fromkeys(fault.field for fault in faults if fault.field)
    codes = dict.fromkeys(fault.code for fault in faults)
    return "; ".join(stages), "; ".join(fields), "; ".join(codes), harmless(" ".join(messages))


def fitted(cells: Sequence[str], width: int) -> list[str]:
    """As many cells as columns; what is cut off here stands in `_raw`."""
    return [*cells[:width], *[""] * (width - len(cells))]


@contextmanager
def _said_clearly(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise IdmsError(
            f"{path}: the file of rejects cannot be written: {error.strerror or error}.",
            hint="Look at the free space and the permissions of its folder.",
        ) from error


def _created(path: Path) -> TextIO:
    """A new file of our own; a rest of an earlier, killed run makes room, and a link is never followed."""
    path.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    return os.fdopen(os.open(path, flags, 0o600), "w", encoding="utf-8-sig", newline="")
