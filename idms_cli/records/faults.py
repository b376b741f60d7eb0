"""What is wrong with one row, and the stable codes for it.

code               stage  meaning
ragged             read   more or fewer cells than columns
quote              read   text after a closing quote, or a quote inside a cell that is not doubled
nul                read   a cell has a NUL character
several-rows       read   the `_raw` of a file of rejects was changed so that it holds more than one row
too-long           map    more characters than the property holds
not-a-choice       map    not among the codes of the property's list
not-an-integer     map    no whole number
not-a-number       map    no number in the format that was named
out-of-range       map    more digits, or an earlier date, than the property holds
too-precise        map    more digits after the decimal point than the property holds
not-a-boolean      map    not one of the documented words for true and false
not-a-date         map    no date in the format that was named, or a day that does not exist
unclear            map    a mended number or date that says one thing in the job's way of writing, another plainly
not-in-lookup      map    the lookup does not have it, and the rule has no default
template           map    the template cannot be worked out for this row
condition          map    the rule's `only_if` cannot be worked out for this row
no-text            map    the property holds binary data, which a cell cannot say

Later stages (match, plan, send) add codes of their own.
"""

from dataclasses import dataclass
from typing import Literal

from idms_cli.files import BrokenRow

Stage = Literal["read", "map", "match", "plan", "send"]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with one row. A row may have several, and all are told."""

    stage: Stage
    field: str
    """The property concerned, in the site's spelling; empty when it is the whole row."""
    code: str
    """A short word from the table above that never changes its meaning."""
    message: str
    """A sentence for the person who mends the row, with the value."""


def read_fault(row: BrokenRow) -> Fault:
    """The fault of a row that could not be read as one cell for each column."""
    return Fault("read", "", row.code, row.message)
