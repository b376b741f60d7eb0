"""A delivery cut into requests: of one row, of some rows, of a file, or of nothing but an address."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from idms_cli.delivery import Cargo
from idms_cli.delivery.calls.options import WebOptions
from idms_cli.delivery.texts import RowValues, places_of
from idms_cli.files.writers import WRITERS, Cells

UNKNOWN_TYPE = "application/octet-stream"
JSON_TYPE = "application/json"


@dataclass(frozen=True)
class Item:
    """What one request is about."""

    number: int
    """From 1, the same at each attempt."""
    rows: int
    values: Mapping[str, Any] = field(repr=False)
    """What its templates see, beside those of the run."""
    media_type: str
    _content: Callable[[], bytes | Path | None] = field(repr=False)

    def content(self) -> bytes | Path | None:
        """The body, made when it is asked for. Raises `InputError` for rows that the format cannot hold."""
        return self._content()


@dataclass(frozen=True)
class ListedRows:
    """Some rows, in memory; as `Rows`."""

    columns: tuple[str, ...]
    cells: tuple[Cells, ...]

    @property
    def count(self) -> int:
        return len(self.cells)

    def __iter__(self) -> Iterator[Cells]:
        return iter(self.cells)


def count_items(cargo: Cargo, options: WebOptions) -> int:
    """How many requests there will be."""
    if options.each or options.batch:
        return -(-cargo.rows.count // (options.batch or 1))
    return len(cargo.parcels()) if options.wants_files else 1


def items(cargo: Cargo, options: WebOptions) -> Iterator[Item]:
    """All of them, each time in the same order; little of the rows is in memory at a time."""
    if options.each:
        yield from _rows_each(cargo, options)
    elif options.batch:
        yield from _batches(cargo, options, options.batch)
    elif options.wants_files:
        for number, parcel in enumerate(cargo.parcels(), 1):
            values = {"file": parcel.name, "count": parcel.rows}
            yield Item(number, parcel.rows, values, parcel.media_type, _given(parcel.path))
    else:
        yield Item(1, cargo.rows.count, {"count": cargo.rows.count}, UNKNOWN_TYPE, _given(None))


def _rows_each(cargo: Cargo, options: WebOptions) -> Iterator[Item]:
    columns = cargo.rows.columns
    places, media_type, has_body = places_of(columns), media_type_of(options), options.wants_files
    single = format_name(options) == "json"
    for number, cells in enumerate(cargo.rows, 1):
        rows = ListedRows(columns, (cells,))
        content = _document(cargo, rows, single=single) if has_body else _given(None)
        yield Item(number, 1, {"row": RowValues(places, cells), "record": number}, media_type, content)


def _batches(cargo: Cargo, options: WebOptions, size: int) -> Iterator[Item]:
    columns, media_type, found = cargo.rows.columns, media_type_of(options), iter(cargo.rows)
    number = 0
    while cells := tuple(islice(found, size)):
        number += 1
        rows = ListedRows(columns, cells)
        content = _document(cargo, rows, single=False) if options.wants_files else _given(None)
        yield Item(number, len(cells), {"batch": number, "count": len(cells)}, media_type, content)


def _document(cargo: Cargo, rows: ListedRows, *, single: bool) -> Callable[[], bytes]:
    def made() -> bytes:
        document = cargo.document(rows)
        return without_brackets(document) if single else document

    return made


def _given(content: Path | None) -> Callable[[], Path | None]:
    return lambda: content


def without_brackets(document: bytes) -> bytes:
    """The object in a JSON list of one, in its own digits and letters; anything else stays as it is."""
    try:
        found = msgspec.json.decode(document)
    except msgspec.DecodeError:
        return document
    is_one = isinstance(found, list) and len(found) == 1 and isinstance(found[0], dict)
    return document.strip()[1:-1].strip() if is_one else document


def format_name(options: WebOptions) -> str:
    """The step's format, by its name or by the ending of its file; empty when neither tells."""
    if isinstance(options.format, Mapping):
        return str(next(iter(options.format), ""))
    if options.format:
        return options.format
    ending = f".{(options.file or '').rpartition('.')[2]}".casefold()
    return next((name for name, entry in WRITERS.items() if ending in entry.suffixes), "")


def media_type_of(options: WebOptions) -> str:
    """Of the documents in the step's format."""
    name = format_name(options)
    if name in WRITERS:
        return WRITERS[name].media_type
    return JSON_TYPE if name == "json" else UNKNOWN_TYPE
