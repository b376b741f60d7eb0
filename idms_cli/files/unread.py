"""What becomes of a broken record in formats that are no delimited text: its rejects are CSV all the same."""

import csv
import io
from collections.abc import Iterator, Sequence

from idms_cli.files import BrokenRow, Dialect

REJECTS_DIALECT = Dialect()
"""How rejects of these formats are written."""


def raw_row(cells: Sequence[str], text: str, *, width: int) -> str:
    """The `raw` of a `BrokenRow`: the cells, filled up to `width`, and as one cell more the record's own text.

    With one cell too many it can never be taken for a row by a reader of CSV before somebody mended it.
    """
    line = io.StringIO()
    filled = [*cells, *[""] * (width - len(cells))]
    csv.writer(line, lineterminator="").writerow([*filled, text])
    return line.getvalue()


def refused_again(raw: str, *, width: int, line: int) -> Iterator[BrokenRow]:  # noqa: ARG001  (the protocol's)
    """The row in the `_raw` of a file of rejects that was saved in a format which is no delimited text."""
    message = "The text of this row can only be read again from CSV. Correct the cells, and empty that one."
    yield BrokenRow(line, (), "raw", message, raw)
