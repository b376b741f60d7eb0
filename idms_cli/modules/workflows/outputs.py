"""What a job that ran as a step gives: its figures, all of them, and on request its rows."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Literal

from idms_cli.errors import IdmsError
from idms_cli.files import BrokenRow, Row
from idms_cli.files.writers import Cell
from idms_cli.modules import Outcome
from idms_cli.modules.goods import rejected_in
from idms_cli.records.counts import Counts
from idms_cli.records.faults import Fault
from idms_cli.records.journal import FILE_NAME, open_journal
from idms_cli.rows.cells import cell_of
from idms_cli.rows.spool import is_spooled, spooling

ROWS = "given-rows.spool"

_DONE = {"insert": "inserted", "update": "updated", "delete": "deleted"}


def figures_of(outcome: Outcome, folder: Path, *, is_dry: bool = False) -> dict[str, int]:
    """All figures that a job may have, 0 where it has none; `changed` is what it wrote, or would write.

    A dry run has written nothing: it counts what is planned, so that conditions decide as they would.
    """
    found = {**Counts().as_dict(), **outcome.counts}
    if is_dry and (folder / FILE_NAME).exists():
        with open_journal(folder) as journal:
            for action, number in (journal.planned_counts() if journal.is_planned else {}).items():
                found[_DONE.get(action, action)] = number
    steps = found.get("selected", 0) if "steps" in found else 0  # of a transfer: what went out
    found["changed"] = found["inserted"] + found["updated"] + found["deleted"] + steps
    return found


def rows_of(places: Sequence[Path], which: Literal["rejected", "written"]) -> Path:
    """The rows that a job rejected (`line`, `code`, `message`), or the records that it wrote (`line`, `action`,
    and what was written by its name), in a spool. Raises `IdmsError`.
    """
    path = places[0] / ROWS
    if not is_spooled(path):
        with spooling(path) as spool:
            if which == "rejected":
                spool.name(("line", "code", "message"))
                for line, faults in chain.from_iterable(map(_rejected, places)):
                    code, message = " ".join(one.code for one in faults), " ".join(one.message for one in faults)
                    spool.add({"line": line, "code": code, "message": message})
            else:
                spool.name(("line", "action"))
                for row in chain.from_iterable(map(_written, places)):
                    spool.add(row)
    return path


def _rejected(folder: Path) -> Iterator[tuple[int, tuple[Fault, ...]]]:
    if not (folder / FILE_NAME).exists():
        row: Row | BrokenRow
        for row, faults in rejected_in(folder):
            yield row.line, faults
        return
    with open_journal(folder) as journal:
        if journal.is_planned:
            yield from journal.rejected()


def _written(folder: Path) -> Iterator[Mapping[str, Cell]]:
    if not (folder / FILE_NAME).exists():
        raise IdmsError("a transfer writes no records", hint="Leave `rows: written` out.")
    with open_journal(folder) as journal:
        for entry in journal.written():
            named = {name: cell_of(value) for name, value in {**entry.match, **entry.values}.items()}
            yield {"line": entry.line, "action": entry.action, **named}
