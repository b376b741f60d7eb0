"""Formats of the files that a job reads. To add one: one new file here and one line in `FORMATS`."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, Protocol, cast

from idms_cli.codes import ReadCode
from idms_cli.errors import InputError
from idms_cli.files.source import Fingerprint

if TYPE_CHECKING:
    from idms_cli.files.options import FileOptions

PACKED = (".gz", ".zip")
"""Endings, in lower case, that say how a file is packed; the ending before them tells its format."""


class Entry(NamedTuple):
    """Where a format's opener lives, imported on first use, and what a job may say about it."""

    module: str
    opener: str
    summary: str
    suffixes: tuple[str, ...]
    """Endings of file names, in lower case, by which the format is known."""
    options: tuple[str, ...]
    """The keys of `FileOptions` that mean something for it."""
    needed: Mapping[str, str] = MappingProxyType({})
    """Those of them without which it cannot be read, with how they are written."""
    library: str = ""
    """What has to be installed beside idms, as the extra of the format's name."""
    tells_numbers: bool = False
    """Whether its cells may be `Plain`."""


_CSV = ("delimiter", "quote", "encoding")
_FIXED = ("columns", "skip_lines", "short_lines", "encoding")
_EXCELS = (".xlsx", ".xlsm", ".xls", ".ods")
_EXCEL = ("sheet", "header_row", "columns")
_PLACES = {"columns": "Say where each one is: columns: [{name: ID, width: 8}, {name: Name, from: 9, to: 40}]"}
_RECORD = {"record": "Say which elements are records: record: members/member"}
_CALAMINE = "python_calamine"
_JSON = ("columns", "join", "encoding")
_DOCUMENT = ("records", *_JSON)
_LINES = (".jsonl", ".ndjson")

FORMATS: dict[str, Entry] = {
    "csv": Entry("idms_cli.files.delimited", "open_csv", "cells between , ; | or tabs", (".csv", ".txt"), _CSV),
    "tsv": Entry("idms_cli.files.delimited", "open_tsv", "cells between tabs", (".tsv", ".tab"), _CSV),
    "fixed": Entry("idms_cli.files.fixed", "open_fixed", "cells at fixed places", (".fwf",), _FIXED, _PLACES),
    "excel": Entry("idms_cli.files.excel", "open_excel", "a sheet of a workbook", _EXCELS, _EXCEL, {}, _CALAMINE, True),
    "json": Entry("idms_cli.files.jsondocument", "open_json", "a list of objects", (".json",), _DOCUMENT, {}, "", True),
    "jsonl": Entry("idms_cli.files.jsonlines", "open_jsonl", "an object a line", _LINES, _JSON, {}, "", True),
    "xml": Entry("idms_cli.files.xmlrecords", "open_xml", "elements", (".xml",), ("record", *_JSON), _RECORD),
}


@dataclass(frozen=True)
class Dialect:
    """How cells are written on a line."""

    delimiter: str = ","
    quote: str = '"'


class Plain(str):
    """A cell that is a number or a date in its file, not text: in plain digits with a point, or as ISO 8601.

    Whatever way of writing numbers and dates a job names, it is not for this cell.
    """

    __slots__ = ()


# Named tuples, because a million of them are made: a frozen dataclass costs three times as much to build.
class Row(NamedTuple):
    """One record of a table, with as many cells as the table has columns."""

    line: int
    """Where the record starts, from 1: the line of a text file, the row of a sheet, the number of an object or element.

    No two rows have the same, and it grows from row to row.
    """
    cells: tuple[str, ...]
    """Text; or `Plain`, in formats that tell numbers from text, where it makes a difference."""


class BrokenRow(NamedTuple):
    """A record that could not be read as one cell for each column: to be rejected."""

    line: int
    cells: tuple[str, ...]
    """What could be made out; any number of cells."""
    code: ReadCode
    message: str
    raw: str
    """The record as it stands in the file, without its last line end; of a sheet, what there is to see. Never blank."""


class Table(Protocol):
    """An open file as rows under named columns. Memory stays flat however long the file is."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The names in the header, without surrounding space, none blank and none twice."""

    @property
    def dialect(self) -> Dialect:
        """How lines are cut into its rows, and how a file of rejects is written so that the same job can read it."""

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


class Opener(Protocol):
    """What a format's module offers: opens a file, or raises `InputError` for a file or header that is wrong."""

    def __call__(
        self, path: Path, options: "FileOptions", *, shown: Path | None = None
    ) -> AbstractContextManager[Table]: ...


def format_of(path: Path) -> str:
    """The name of the format that the ending of a file's name tells. Raises `InputError` for an unknown one.

    Of a packed file, the ending before `.gz` or `.zip` counts: `members.csv.gz` is CSV.
    """
    packing = path.suffix.lower() if path.suffix.lower() in PACKED else ""
    suffix = (path.with_suffix("") if packing else path).suffix.lower()
    for name, entry in FORMATS.items():
        if suffix in entry.suffixes:
            return name
    if packing and not suffix:
        raise InputError(
            f"{path}: the ending {packing} tells how the file is packed, but not what is in it.",
            hint=f"Name it as in members.csv{packing}, or say `format:`, one of {', '.join(FORMATS)}.",
        )
    known = ", ".join(suffix for entry in FORMATS.values() for suffix in entry.suffixes)
    raise InputError(
        f"{path}: the ending {suffix or '(none)'} tells no format.",
        hint=f"Known endings are {known}. Rename the file, or say `format:`, one of {', '.join(FORMATS)}.",
    )


def to_install(file_format: str) -> str:
    """What to do before files of this format can be read; empty when nothing is missing."""
    library = FORMATS[file_format].library
    if not library or find_spec(library) is not None:
        return ""
    return f"Install what reads them: pip install 'idms-cli[{file_format}]'"


def open_table(
    path: Path, options: "FileOptions", *, file_format: str | None = None, shown: Path | None = None
) -> AbstractContextManager[Table]:
    """Open a local file as a table: in the format named, else the one that its ending tells.

    A name that ends in `.gz` or `.zip` is that of a packed file. Messages name the file as `shown`, where what is
    read is a copy of what the operator knows. Raises `InputError` when there is no such file, its content is not what
    was said, or its header breaks a rule.
    """
    name = file_format or format_of(path)
    if hint := to_install(name):
        raise InputError(f"{shown or path}: files of the format {name} cannot be read here.", hint=hint)
    entry = FORMATS[name]
    for key, hint in entry.needed.items():
        if getattr(options, key) is None:
            raise InputError(f"{shown or path}: a file of the format {name} needs `{key}:`.", hint=hint)
    opener = cast("Opener", getattr(import_module(entry.module), entry.opener))
    return opener(path, options, shown=shown)
