"""Rows in batches by way of INSERT, for databases that have nothing faster; the row that is refused is found."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeAlias

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from idms_cli.delivery.sql.cells import Column, NoValue
from idms_cli.delivery.sql.copytext import CellRefused
from idms_cli.files.writers import Cell, Cells

AT_A_TIME = 500

Values: TypeAlias = Sequence[Any]
Insert: TypeAlias = Callable[[list[Values]], object]
"""Carries out one INSERT with several rows of values."""
Convert: TypeAlias = Callable[[Cell, Column], Any]


class RowRefused(Exception):
    """The database did not take a row."""

    def __init__(self, row: int, error: DBAPIError) -> None:
        super().__init__(f"row {row}")
        self.row = row
        """From 1."""
        self.error = error


def batches(rows: Iterable[Cells], columns: Sequence[Column], convert: Convert) -> Iterator[list[Values]]:
    """The rows with their values as the driver wants them. Raises `CellRefused`."""
    cells, before = iter(rows), 0
    while chunk := list(islice(cells, AT_A_TIME)):
        converted = [
            _converted(column, values, convert, before, index)
            for index, (column, values) in enumerate(zip(columns, zip(*chunk, strict=True), strict=True))
        ]
        yield list(zip(*converted, strict=True))
        before += len(chunk)


def _converted(column: Column, values: Sequence[Cell], convert: Convert, before: int, index: int) -> Sequence[Any]:
    texts = [value for value in values if isinstance(value, str)]
    if column.sort == "text" and len(texts) == len(values) and _is_plain("".join(texts)):
        return texts
    found = []
    for row, value in enumerate(values, before + 1):
        if isinstance(value, str) and not _is_plain(value):
            reason = "it has a NUL character, or half of a surrogate pair, which is no text"
            raise CellRefused(row, index, reason)
        try:
            found.append(convert(value, column))
        except NoValue as error:
            raise CellRefused(row, index, str(error)) from error
    return found


def _is_plain(text: str) -> bool:
    return "\0" not in text and (text.isascii() or text.encode("utf-8", "replace").decode() == text)


def insert_batches(
    connection: Connection, found: Iterable[list[Values]], insert: Insert, moved: Callable[[int], None]
) -> int:
    """Insert all; how many they were. Raises `RowRefused`, and errors of the driver that are about no row."""
    sent = 0
    for values in found:
        try:
            with connection.begin_nested():
                insert(values)
        except DBAPIError as error:
            raise RowRefused(sent + _culprit(values, insert, error), error) from error
        sent += len(values)
        moved(sent)
    return sent


def _culprit(values: list[Values], insert: Insert, error: DBAPIError) -> int:
    """Which row of a batch it is, from 1. Raises the first error where it is none."""
    if error.connection_invalidated:
        raise error
    for index, row in enumerate(values, 1):
        try:
            insert([row])
        except DBAPIError:
            return index
    raise error
