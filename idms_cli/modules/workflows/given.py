"""Rows that a template makes: a list of mappings becomes a spool, so that steps take it as any other rows."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from idms_cli.errors import InputError
from idms_cli.files.writers import Cell, Rows
from idms_cli.rows.spool import Spooled, spooling
from idms_cli.templates.moments import Moment

GIVEN = "given.spool"


def spooled(value: Any, folder: Path) -> Rows:
    """The rows of a list of mappings; what has parts in a cell is refused. Raises `InputError`."""
    if not isinstance(value, list | tuple):
        what = "a mapping" if isinstance(value, Mapping) else "text" if isinstance(value, str) else "one value"
        raise InputError(f"rows are wanted, and this is {what}", hint="Name a step that makes rows, or give a list.")
    return spool_each(value, folder / GIVEN)


def spool_each(rows: Iterable[Any], path: Path) -> Spooled:
    """The same of mappings as they come."""
    with spooling(path) as spool:
        for number, row in enumerate(rows, start=1):
            if not isinstance(row, Mapping):
                raise InputError(f"item {number:,} of the list is no row: a row is a mapping of columns to values")
            spool.add({str(name): cell_of(cell, number, name) for name, cell in row.items()})
    return Spooled(path)


def cell_of(value: Any, number: int, name: Any) -> Cell:
    """The value as a cell of the row of this number. Raises `InputError` for one that has parts."""
    if isinstance(value, Moment):
        return str(value)
    if isinstance(value, float):
        return Decimal(repr(value))
    if value is None or isinstance(value, str | int | bool | Decimal):
        return value
    raise InputError(f"item {number:,}: {name} has parts, and a cell is one value", hint="Put |json after it.")
