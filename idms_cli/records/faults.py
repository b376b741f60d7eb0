"""What is wrong with one row."""

from dataclasses import dataclass
from typing import Literal

from idms_cli.codes import Code
from idms_cli.files import BrokenRow

Stage = Literal["read", "map", "match", "plan", "send"]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with one row. A row may have several, and all are told."""

    stage: Stage
    field: str
    """The property concerned, in the site's spelling; empty when it is the whole row."""
    code: Code
    message: str
    """A sentence for the person who mends the row, with the value."""


def read_fault(row: BrokenRow) -> Fault:
    """The fault of a row that could not be read as one cell for each column."""
    return Fault("read", "", row.code, row.message)
