"""Rows as PostgreSQL's COPY reads them: a line each, tabs between, \\N for nothing.

A column at a time, since the types of 500 cells are found out as fast as those of one.
https://www.postgresql.org/docs/current/sql-copy.html, "Text Format"
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import islice
from typing import Any, TypeAlias

from idms_cli.delivery.sql.cells import (
    NOT_ISO,
    Column,
    NoValue,
    digits,
    fits,
    is_blank,
    is_iso,
    plain,
    too_precise,
    whole,
)
from idms_cli.files.writers import Cell, Cells

AT_A_TIME = 500

_NOTHING = r"\N"
_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})
_SPECIAL = ("\\", "\t", "\n", "\r")

_Form: TypeAlias = Callable[[Any], str]
_Encoder: TypeAlias = Callable[[Sequence[Cell]], Sequence[str]]


class CellRefused(ValueError):
    """A cell that is not sent. The message is the end of a sentence that says why."""

    def __init__(self, row: int, column: int, reason: str) -> None:
        super().__init__(reason)
        self.row = row
        """From 1."""
        self.column = column
        """From 0."""


def blocks(rows: Iterable[Cells], columns: Sequence[Column]) -> Iterator[tuple[int, bytes]]:
    """So many rows, and their lines. Raises `CellRefused`."""
    encoders = [_encoder(column) for column in columns]
    cells, before = iter(rows), 0
    while chunk := list(islice(cells, AT_A_TIME)):
        try:
            encoded = [encode(column) for encode, column in zip(encoders, zip(*chunk, strict=True), strict=True)]
            lines = "\n".join(map("\t".join, zip(*encoded, strict=True))).encode()
        except (NoValue, UnicodeEncodeError) as error:
            raise _refused(chunk, columns, before) from error
        if b"\0" in lines:
            raise _refused(chunk, columns, before)
        yield len(chunk), lines + b"\n"
        before += len(chunk)


def _refused(chunk: Sequence[Cells], columns: Sequence[Column], before: int) -> CellRefused:
    """Which cell it is."""
    encoders = [_encoder(column) for column in columns]
    for row, cells in enumerate(chunk, before + 1):
        for index, (cell, encode) in enumerate(zip(cells, encoders, strict=True)):
            if reason := _reason(cell, encode):
                return CellRefused(row, index, reason)
    raise AssertionError("a chunk was refused, but no cell of it")


def _reason(cell: Cell, encode: _Encoder) -> str:
    try:
        encode([cell])
        str(cell).encode()
    except NoValue as error:
        return str(error)
    except UnicodeEncodeError:
        return "half of a surrogate pair is in it, which is no character"
    return "it has a NUL character, which no text of PostgreSQL may contain" if "\0" in str(cell) else ""


def _encoder(column: Column) -> _Encoder:
    forms = _forms(column)
    if column.sort == "text":
        return lambda cells: _texts(cells, forms)
    return lambda cells: [forms[type(cell)](cell) for cell in cells]


def _texts(cells: Sequence[Cell], forms: Mapping[type, _Form]) -> Sequence[str]:
    """The same as for other columns, but most cells stay as they are."""
    texts = [cell for cell in cells if isinstance(cell, str)]
    joined = "".join(texts)
    if any(mark in joined for mark in _SPECIAL):
        return [forms[type(cell)](cell) for cell in cells]
    if len(texts) == len(cells):
        return texts
    return [cell if isinstance(cell, str) else forms[type(cell)](cell) for cell in cells]


def _forms(column: Column) -> Mapping[type, _Form]:
    """How each type of cell is written into a column."""
    forms: dict[type, _Form] = {
        type(None): lambda _: _NOTHING,
        str: lambda text: _NOTHING if is_blank(text) else _escaped(text),
        bool: lambda value: "1" if value else "0",
        int: str,
        Decimal: digits,
    }
    if column.sort == "text":
        forms |= {str: _escaped, bool: lambda value: "true" if value else "false"}
    elif column.sort == "integer":
        forms[Decimal] = whole
    elif column.sort == "number" and column.scale is not None:
        forms |= _exact(column, column.scale)
    elif column.sort in ("date", "moment"):
        forms[str] = _day
    elif column.sort == "other":
        forms[bool] = lambda value: "true" if value else "false"
    return forms


def _exact(column: Column, scale: int) -> Mapping[type, _Form]:
    """PostgreSQL would round what has more digits, and say nothing."""

    def exact(value: Decimal) -> str:
        written = digits(value)
        point = written.rfind(".")
        if point >= 0 and len(written) - point - 1 > scale and not fits(value, scale):
            raise NoValue(too_precise(scale))
        return written

    def text(value: str) -> str:
        if is_blank(value):
            return _NOTHING
        if "." in value or "e" in value or "E" in value:
            plain(value, column)
        return _escaped(value)

    return {Decimal: exact, str: text}


def _day(text: str) -> str:
    if is_blank(text):
        return _NOTHING
    if not is_iso(text):
        raise NoValue(NOT_ISO)
    return _escaped(text)


def _escaped(text: str) -> str:
    return text if text.isprintable() and "\\" not in text else text.translate(_ESCAPES)
