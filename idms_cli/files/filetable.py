"""An open file as the table that every format gives: one way through its rows, its blank records counted."""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from idms_cli.files import BrokenRow, Dialect, Row
from idms_cli.files.source import Fingerprint, Source, changed, unreadable

Records = Callable[[], Iterator[Row | BrokenRow | None]]
"""All records of a file from the first one, each time it is called; None for one without any text."""


@dataclass
class FileTable:
    """A `Table` over an open file. The format says what its records are."""

    source: Source
    columns: tuple[str, ...]
    records: Records
    told: tuple[str, ...] = ()
    """What there is to note before anything is read."""
    blank_is: tuple[str, str] = ("blank line", "blank lines")
    """What a record without any text is called, and several."""
    dialect: Dialect = Dialect()  # noqa: RUF009  (frozen)
    blank_lines: int = field(default=0, init=False)

    @property
    def fingerprint(self) -> Fingerprint:
        return self.source.fingerprint

    @property
    def notes(self) -> tuple[str, ...]:
        if not self.blank_lines:
            return self.told
        one, several = self.blank_is
        return (*self.told, f"{self.blank_lines:,} {one if self.blank_lines == 1 else several} passed over.")

    def rows(self) -> Iterator[Row | BrokenRow]:
        blank = 0
        for row in self.records():
            if row is None:
                blank += 1
            else:
                yield row
        self.source.check_unchanged()
        self.blank_lines = blank


def lines(source: Source, stream: io.TextIOBase) -> Iterator[str]:
    """The lines of a text from the first one, as `stream` ends them. Raises as `Table.rows` does."""
    stream.seek(0)
    try:
        # Not `yield from`, which would close the stream when somebody stops half-way.
        for line in stream:  # noqa: UP028
            yield line
    except UnicodeError as error:  # the whole file was decoded a moment ago
        raise changed(source.path) from error
    except OSError as error:
        raise unreadable(source.path, error) from error
