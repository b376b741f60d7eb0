"""Records with named values (JSON, XML) as a table: which columns there are, and one cell of each for every record."""

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

from idms_cli.codes import ReadCode
from idms_cli.config.foreign import shortened
from idms_cli.config.spelling import did_you_mean
from idms_cli.errors import InputError
from idms_cli.files import BrokenRow, Row, Table
from idms_cli.files.filetable import FileTable
from idms_cli.files.header import column_names
from idms_cli.files.options import FileOptions
from idms_cli.files.source import Source

LOOKED_AT = 100
"""So many records tell the columns where the job does not."""


class Record(NamedTuple):
    """One record as its format has it."""

    line: int
    values: Mapping[str, str]
    """By name; the name of a value inside another one is `outer.inner`."""
    faults: Mapping[str, str]
    """Names whose value cannot be one cell, and why: a fault where they are columns.

    A name that ends in a dot means all that is inside it.
    """
    text: Callable[[], str]
    """The record as it stands in the file."""


class Unreadable(NamedTuple):
    """A record of which no values could be made out."""

    line: int
    code: ReadCode
    message: str
    text: str


Records = Callable[[], Iterator[Record | Unreadable]]
"""All records of a file from the first one, each time it is called."""


class Flat:
    """The values of one record, each under the whole of its name."""

    def __init__(self, join: str) -> None:
        self.values: dict[str, str] = {}
        self.faults: dict[str, str] = {}
        self._join = join

    def put(self, name: str, text: str) -> None:
        """Add a value; that a name is there twice is a fault."""
        if name in self.values:
            self.faults[name] = "it is there twice"
        self.values[name] = text

    def put_list(self, name: str, items: list[str]) -> None:
        """Add a list as one value; a fault, where nobody could tell the items apart again."""
        torn = next((item for item in items if self._join in item), None)
        if torn is not None and len(items) > 1:
            self.faults[name] = (
                f"it is a list, and '{shortened(torn)}' in it has the '{self._join}' that stands between "
                "values (`join:` names another mark)"
            )
        self.put(name, self._join.join(items))


def record_table(source: Source, records: Records, options: FileOptions, *, hint: str = "") -> Table:
    """A table of records with named values.

    The columns are those that the job names, and then other values are left alone; or all that are in the first
    `LOOKED_AT` records, and then a record with a value under another name is broken: nothing is lost in silence.
    `hint` is what to do when none of the first records can be read. Raises `InputError`.
    """
    found = _found(source, records, hint)
    names = tuple(str(name) for name in options.columns or found)
    if not names:
        raise InputError(
            f"{source.path}: there are no records, so nobody can tell its columns.",
            hint="If a file may be empty, name the columns in the job: `columns: [ID, Name]`.",
        )
    columns = column_names(names, place=str(source.path))
    shape = _Shape(columns, declared=bool(options.columns))
    notes = tuple(_missing(columns, found)) if found else ()
    blank_is = ("record without any value", "records without any value")
    return FileTable(source, columns, lambda: map(shape.row, records()), notes, blank_is)


def _found(source: Source, records: Records, hint: str) -> tuple[str, ...]:
    names: dict[str, None] = {}
    unreadable: Unreadable | None = None
    for record in islice(records(), LOOKED_AT):
        if isinstance(record, Record):
            names.update(dict.fromkeys(record.values))
        else:
            unreadable = unreadable or record
    if unreadable and not names:
        message = f"{source.path}:{unreadable.line}: no record can be read. {unreadable.message}"
        raise InputError(message, hint=hint)
    return tuple(names)


class _Shape:
    """Makes of a record one cell for each column."""

    def __init__(self, columns: tuple[str, ...], *, declared: bool) -> None:
        self._columns = columns
        self._known = frozenset(columns)
        self._declared = declared

    def row(self, record: Record | Unreadable) -> Row | BrokenRow | None:
        """The row of a record; None when there is no text in it."""
        if isinstance(record, Unreadable):
            return self._broken(record.line, (), (record.code, record.message), record.text)
        if not any(map(str.strip, record.values.values())):
            return None
        values = record.values
        cells = tuple([values.get(name, "") for name in self._columns])
        fault = self._fault(record) or fault_of_text("".join(cells))
        if fault:
            shown = () if fault[0] == "no-character" else cells
            return self._broken(record.line, shown, fault, record.text())
        return Row(record.line, cells)

    def _fault(self, record: Record) -> tuple[ReadCode, str] | None:
        if record.faults:
            for name, why in record.faults.items():
                column = next((column for column in self._columns if column == name or _is_below(column, name)), None)
                if column is not None:
                    return "nested", f"'{shortened(column)}' cannot be one cell: {why}."
        if not record.values.keys() <= self._known:
            for name, value in record.values.items():
                if name not in self._known and value.strip() and (fault := self._fault_of_name(name)):
                    return fault
        return None

    def _fault_of_name(self, name: str) -> tuple[ReadCode, str] | None:
        if not self._declared:
            message = f"There is a value named '{shortened(name)}', which none of the first {LOOKED_AT} records has"
            return "unknown-column", f"{message}; `columns:` in the job settles which there are."
        column = _torn_column(name, self._columns)
        if column is None:
            return None
        return "nested", f"There is no one value '{shortened(column)}', since the record has '{shortened(name)}'."

    def _broken(self, line: int, cells: tuple[str, ...], fault: tuple[ReadCode, str], text: str) -> BrokenRow:
        return BrokenRow(line, cells, *fault, raw=text)


@lru_cache(maxsize=4096)
def _torn_column(name: str, columns: tuple[str, ...]) -> str | None:
    """The column that a value of another name shows to be no single value: it is inside that one, or around it.

    The attributes of an XML element do not tear it.
    """
    for column in columns:
        if _is_inside(name, column) or _is_inside(column, name):
            return column
    return None


def _is_below(column: str, name: str) -> bool:
    return name.endswith(".") and column.startswith(name)


def _is_inside(inner: str, outer: str) -> bool:
    return inner.startswith(outer + ".") and not inner.startswith(outer + ".@")


def fault_of_text(text: str) -> tuple[ReadCode, str] | None:
    """What is wrong with the text of a value, or of all values of a record together: code and message."""
    if "\0" in text:
        return "nul", "A value has a NUL character, which no text may contain."
    if text.isascii():
        return None
    try:
        text.encode()
    except UnicodeEncodeError:  # JSON can write it: "\ud800"
        return "no-character", "A value has one half of a surrogate pair, which is no character."
    return None


def _missing(columns: tuple[str, ...], found: tuple[str, ...]) -> Iterator[str]:
    for name in columns:
        if name not in found:
            near = did_you_mean(name, found)
            what = f"None of the first {LOOKED_AT} records has a value named '{shortened(name)}'"
            yield f"{what}; {near}" if near else f"{what}."
