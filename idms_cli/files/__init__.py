"""Formats of the files that a job reads. To add one: one new file here and one line in `FORMATS`."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol, cast

from idms_cli.errors import InputError
from idms_cli.files.source import Fingerprint

if TYPE_CHECKING:
    from idms_cli.files.dialect import CsvOptions


class Entry(NamedTuple):
    """Where a format's opener lives; imported on first use."""

    module: str
    opener: str
    summary: str
    suffixes: tuple[str, ...]
    """Endings of file names, in lower case, by which the format is known."""


FORMATS: dict[str, Entry] = {
    "csv": Entry("idms_cli.files.delimited", "open_csv", "cells between , ; | or tabs", (".csv", ".txt")),
    "tsv": Entry("idms_cli.files.delimited", "open_tsv", "cells between tabs", (".tsv", ".tab")),
}


@dataclass(frozen=True)
class Dialect:
    """How cells are written on a line."""

    delimiter: str = ","
    quote: str = '"'


# Named tuples, because a million of them are made: a frozen dataclass costs three times as much to build.
class Row(NamedTuple):
    """One record of a table, with as many cells as the table has columns."""

    line: int
    """Physical line of the file on which the record starts, from 1."""
    cells: tuple[str, ...]


class BrokenRow(NamedTuple):
    """A record that could not be read as one cell for each column: to be rejected."""

    line: int
    cells: tuple[str, ...]
    """What could be made out; any number of cells."""
    code: str
    """`ragged`, `quote` or `nul`: see `idms_cli.records.faults`."""
    message: str
    raw: str
    """The record as it stands in the file, without its last line end."""


class Table(Protocol):
    """An open file as rows under named columns. Memory stays flat however long the file is."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The names in the header, without surrounding space, none blank and none twice."""

    @property
    def dialect(self) -> Dialect:
        """How a file of rejects has to be written so that the same job can read it."""

    @property
    def fingerprint(self) -> Fingerprint:
        """Of the whole file, as it was when it was opened."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What the operator should know about how the file was read; complete after the last row."""

    @property
    def blank_lines(self) -> int:
        """Records without any text, which are not rows; complete after the last row."""

    def rows(self) -> Iterator[Row | BrokenRow]:
        """All rows from the first one, each time it is called, but only one iteration at a time.

        Raises `InputError` where the file cannot be read on: a quote that is never closed, a cell over the limit, a
        file that changes meanwhile; `Unreachable` when the disk fails.
        """

    def reread(self, raw: str, *, width: int, line: int) -> Iterator[Row | BrokenRow]:
        """The rows in the text of a `BrokenRow`, as if it stood at `line` of a table with `width` columns."""


class Opener(Protocol):
    """What a format's module offers: opens a file, or raises `InputError` for a file or header that is wrong."""

    def __call__(
        self, path: Path, options: "CsvOptions", *, shown: Path | None = None
    ) -> AbstractContextManager[Table]: ...


def format_of(path: Path) -> str:
    """The name of the format that the ending of a file's name tells. Raises `InputError` for an unknown one."""
    suffix = path.suffix.lower()
    for name, entry in FORMATS.items():
        if suffix in entry.suffixes:
            return name
    known = ", ".join(suffix for entry in FORMATS.values() for suffix in entry.suffixes)
    raise InputError(
        f"{path}: the ending {suffix or '(none)'} tells no format.",
        hint=f"Known endings are {known}. Rename the file, or say `format:`, one of {', '.join(FORMATS)}.",
    )


def open_table(
    path: Path, options: "CsvOptions", *, file_format: str | None = None, shown: Path | None = None
) -> AbstractContextManager[Table]:
    """Open a local file as a table: in the format named, else the one that its ending tells.

    Messages name the file as `shown`, where what is read is a copy of what the operator knows.
    Raises `InputError` when there is no such file, its text cannot be decoded, or its header breaks a rule.
    """
    entry = FORMATS[file_format or format_of(path)]
    opener = cast("Opener", getattr(import_module(entry.module), entry.opener))
    return opener(path, options, shown=shown)
