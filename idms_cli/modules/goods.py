"""The rows of a transfer from the spool to what the steps get: selected, made, the bad ones told."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from idms_cli.errors import InputError
from idms_cli.files import BrokenRow, Dialect, Row
from idms_cli.files.writers import Rows
from idms_cli.records.faults import Fault
from idms_cli.records.rejects import RejectsFile
from idms_cli.rows.rejected import rejected_of, rejecting
from idms_cli.rows.selecting import SelectOptions
from idms_cli.rows.selection import Selection, bind
from idms_cli.rows.sources import LOOK_EVERY, Reading
from idms_cli.rows.spool import Spooled, is_spooled, spooling

ROWS, SELECTED, REJECTS = "rows.spool", "selected.spool", "rejects.csv"


class BadRows(InputError):
    """Rows cannot go out, and the job wants none of them."""

    def __init__(self, message: str, figures: Mapping[str, int], *, hint: str) -> None:
        super().__init__(message, hint=hint)
        self.figures = figures


@dataclass(frozen=True)
class Goods:
    """Rows that are ready to go out."""

    rows: Rows
    figures: Mapping[str, int]
    """`read`, `rejected`, `selected`; read = rejected + selected. With `Changes` also what those found."""
    is_whole: bool = True
    """Whether all rows came that the source has."""


def select(directory: Path, options: SelectOptions, reading: Reading) -> Goods:
    """The rows of the spool as they go out; those that cannot are rejected, and are in the file of rejects.

    Done again, it finds what was done. Raises `Misfits` for columns that are not there, and `BadRows`.
    """
    raw = Spooled(directory / ROWS)
    selection = bind(options, raw.columns)
    rows = selection.of(raw) if selection.make is None else _made(directory, raw, selection, reading)
    broken = sum(1 for _ in rejected_of(directory / ROWS))
    bad = raw.count - rows.count
    figures = {"read": raw.count + broken, "rejected": broken + bad, "selected": rows.count}
    if broken or bad:
        _write_rejects(directory, raw.columns)
        if options.bad_rows == "fail":
            raise _bad(directory, figures)
    return Goods(rows, figures, raw.is_whole and not figures["rejected"])


def rejected_in(directory: Path) -> Iterator[tuple[Row | BrokenRow, tuple[Fault, ...]]]:
    """All rejected rows of a run: those that could not be read, then those that could not be made."""
    return chain(rejected_of(directory / ROWS), rejected_of(directory / SELECTED))


def _made(directory: Path, raw: Spooled, selection: Selection, reading: Reading) -> Rows:
    path = directory / SELECTED
    if is_spooled(path):
        return Spooled(path)
    with spooling(path) as spool, rejecting(path) as rejected:
        spool.name(selection.columns)
        for number, cells in enumerate(raw, start=1):
            if not number % LOOK_EVERY:
                reading.look(number)
            made = selection.row(cells)
            if isinstance(made, list):
                rejected.add(number, cells, made)
            else:
                spool.put(made)
    return Spooled(path)


def _write_rejects(directory: Path, columns: tuple[str, ...]) -> None:
    with RejectsFile(directory / REJECTS, columns, dialect=Dialect()) as rejects:
        for row, faults in rejected_in(directory):
            rejects.add(row, faults)


def _bad(directory: Path, figures: Mapping[str, int]) -> "BadRows":
    row, faults = next(rejected_in(directory))
    message = f"{figures['rejected']:,} of {figures['read']:,} rows cannot go out. Row {row.line}: {faults[0].message}"
    hint = "Correct the rows or the templates; or say bad_rows: skip, and they are left out. `idms rejects` has all."
    return BadRows(f"{message} Nothing was delivered", figures, hint=hint)
