"""Formats of the files that a job writes. To add one: one new file here and one line in `WRITERS`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, NamedTuple, Protocol, cast

from idms_cli.config.checked import Section

Cell = str | int | Decimal | bool | None
"""One value of a row on its way out: what JSON tells apart. A date is text, as the site writes it."""

Cells = tuple[Cell, ...]


class Rows(Protocol):
    """Rows under named columns, kept on disk: memory stays flat however many there are."""

    @property
    def columns(self) -> tuple[str, ...]:
        """None blank, none twice. Empty only when there is no row that would tell them."""

    @property
    def count(self) -> int:
        """How many rows there are."""

    def __iter__(self) -> Iterator[Cells]:
        """All rows from the first one, each time; as many cells as columns."""


@dataclass(frozen=True)
class Occasion:
    """What a document may say of the run that it is written in, and how."""

    values: Mapping[str, Any] = field(default_factory=dict)
    """What templates see beside the rows: `slot`, `run`, `now`, `today`, `job`."""
    formulas: str = "harmless"
    """`harmless`: text that a spreadsheet would run is written so that it does not; `allow`: as it is."""
    scratch: Path | None = None
    """Where a writer may keep what does not fit in memory, as long as it writes; the system's folder if unset."""
    directory: Path = Path()
    """Where relative paths in a format's options start."""


class Entry(NamedTuple):
    """Where a format's writer lives, imported on first use."""

    module: str
    summary: str
    suffixes: tuple[str, ...]
    """Endings of file names, in lower case, that tell the format."""
    media_type: str
    library: str = ""
    """What has to be installed beside idms, as the extra of the format's name."""


_HERE = "idms_cli.files.writers"
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_LINES = (".jsonl", ".ndjson")

WRITERS: dict[str, Entry] = {
    "csv": Entry(f"{_HERE}.csvfile", "cells between commas", (".csv", ".txt"), "text/csv"),
    "tsv": Entry(f"{_HERE}.tsvfile", "cells between tabs", (".tsv", ".tab"), "text/tab-separated-values"),
    "fixed": Entry(f"{_HERE}.fixedwidth", "cells at fixed places", (".fwf",), "text/plain"),
    "excel": Entry(f"{_HERE}.workbook", "a workbook with one sheet", (".xlsx",), _XLSX, "xlsxwriter"),
    "json": Entry(f"{_HERE}.jsondocument", "a list of objects", (".json",), "application/json"),
    "jsonl": Entry(f"{_HERE}.jsonlines", "an object a line", _LINES, "application/x-ndjson"),
    "text": Entry(f"{_HERE}.textdocument", "a text of your own", (), "text/plain"),
    "xml": Entry(f"{_HERE}.xmlrecords", "an element for each row", (".xml",), "application/xml"),
}


class Writer(Protocol):
    """What a format's module offers."""

    Options: ClassVar[type[Section]]
    """What a job may say in `format: {NAME: ...}`."""

    def write(self, rows: Rows, stream: BinaryIO, options: Any, occasion: Occasion) -> None:
        """The whole document, without closing the stream. Raises `InputError` for rows that it cannot hold."""


def load_writer(name: str) -> Writer:
    """Raises KeyError for a name that is not in `WRITERS`."""
    return cast("Writer", import_module(WRITERS[name].module))


def examine(name: str, options: Any, directory: Path) -> None:
    """Raises `InputError` for what the options alone do not tell, such as a template in a file that is not there.

    `directory` is where relative paths start.
    """
    look = getattr(load_writer(name), "examine", None)
    if look is not None:
        look(options, directory)


def to_install(name: str) -> str:
    """What to do before files of this format can be written; empty when nothing is missing."""
    library = WRITERS[name].library
    if not library or find_spec(library) is not None:
        return ""
    return f"Install what writes them: pip install 'idms-cli[{name}]'"
