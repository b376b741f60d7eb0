"""A value of the site, or of a job file, as the cell of a row on its way out."""

from datetime import date
from decimal import Decimal
from typing import Any

from idms_cli.files.writers import Cell
from idms_cli.imis.values import moment_text, unwrap


def cell_of(value: Any) -> Cell:
    """A value as it came on the wire, wrapped or not, or as a record has it.

    A date is text, in the site's own way; binary data is its base64 text; what has parts is no cell and is left blank.
    """
    kind = type(value)
    if value is None or kind is str or kind is int or kind is bool or kind is Decimal:
        return value  # type: ignore[no-any-return]
    if kind is float:
        return Decimal(repr(value))
    if isinstance(value, date):
        return moment_text(value)
    if kind is dict:
        inner: Any = unwrap(value)
        if inner is not value:
            return cell_of(inner)
        binary = inner.get("$value")
        return binary if isinstance(binary, str) else None
    return None


def text_of(cell: Cell) -> str:
    """A cell as text: numbers with a point and no exponent, true and false, nothing for None."""
    if type(cell) is str:
        return cell
    if cell is None:
        return ""
    if cell is True or cell is False:
        return "true" if cell else "false"
    return format(cell, "f") if isinstance(cell, Decimal) else str(cell)
