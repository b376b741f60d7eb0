"""The rows of an open file on their way out: what is a number in the file stays one."""

import re
from decimal import Decimal

from idms_cli.files import BrokenRow, Plain, Table
from idms_cli.files.writers import Cell
from idms_cli.records.faults import read_fault
from idms_cli.rows.rejected import Rejected
from idms_cli.rows.sources import LOOK_EVERY, Reading
from idms_cli.rows.spool import Spool

_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?", re.ASCII)


def read_table(table: Table, spool: Spool, rejected: Rejected, reading: Reading) -> None:
    """Spool the rows of a file; those that could not be read are rejected. Raises as `Table.rows` does."""
    spool.name(table.columns)
    put, limit = spool.put, reading.row_limit
    for number, row in enumerate(table.rows(), start=1):
        if not number % LOOK_EVERY:
            reading.look(number)
        if isinstance(row, BrokenRow):
            rejected.add(row.line, row.cells, [read_fault(row)], raw=row.raw)
        else:
            put(tuple([cell if type(cell) is str else _plain(cell) for cell in row.cells]))
        if number == limit:
            return


def _plain(cell: str) -> Cell:
    """A cell that its file does not hold as text."""
    match = _NUMBER.fullmatch(cell) if isinstance(cell, Plain) else None
    if match is None:
        return str(cell)
    return Decimal(cell) if match[2] else int(cell)
