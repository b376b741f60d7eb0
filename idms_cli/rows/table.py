"""Rows of a site as a table, such as a file is: cells are text, and know which of them are numbers and dates."""

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal

import msgspec

from idms_cli.codes import ReadCode
from idms_cli.files import BrokenRow, Dialect, Plain, Row
from idms_cli.files.shape import fault_of_text
from idms_cli.files.source import Fingerprint
from idms_cli.files.writers import Cell, Cells, Rows

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?", re.ASCII)
"""A date-time as the site writes it (https://developer.imis.com/docs/accessing-iqa-data)."""
_MOST_DIGITS = 40
_ENCODER = msgspec.json.Encoder(decimal_format="number")


class RowsTable:
    """See `files.Table`. The line of a row is its number, from 1."""

    dialect: Dialect = Dialect()
    fingerprint = Fingerprint("", 0)
    notes: tuple[str, ...] = ()
    blank_lines = 0

    def __init__(self, rows: Rows, *, also: Sequence[str] = ()) -> None:
        """`also` are columns that it is to have when there is no row that could tell."""
        known = {name.casefold() for name in rows.columns}
        more = () if rows.count else tuple(name for name in also if name.casefold() not in known)
        self.columns = (*rows.columns, *more)
        self._rows = rows

    def rows(self) -> Iterator[Row | BrokenRow]:
        """As of `files.Table`."""
        for line, row in enumerate(self._rows, start=1):
            cells = tuple(map(cell_text, row))
            fault = fault_of_text("".join(cells))
            yield Row(line, cells) if fault is None else self._broken(line, row, cells, fault)

    def _broken(self, line: int, row: Cells, cells: tuple[str, ...], fault: tuple[ReadCode, str]) -> BrokenRow:
        return BrokenRow(line, cells, *fault, _ENCODER.encode(row).decode())


def cell_text(value: Cell) -> str:
    """A value as the cell that a file would have; `Plain` where no way of writing numbers and dates is for it."""
    if type(value) is str:
        return Plain(value) if value[10:11] == "T" and _MOMENT.fullmatch(value) else value
    if value is None:
        return ""
    if isinstance(value, bool):
        return Plain("true" if value else "false")
    return Plain(_plain_number(value) if isinstance(value, Decimal) else value)


def _plain_number(value: Decimal) -> str:
    """Without exponent, and without a fraction of nothing but zeros. A monstrous exponent stays as it is."""
    if abs(value.adjusted()) > _MOST_DIGITS:
        return str(value)
    text = format(value, "f")
    whole, _, fraction = text.partition(".")
    return text if fraction.strip("0") else whole
