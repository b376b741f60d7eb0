"""The rejected rows of a run, whatever kind of work it did."""

from collections.abc import Iterator
from pathlib import Path

from idms_cli.modules.goods import rejected_in
from idms_cli.modules.workplaces import workplaces
from idms_cli.records.faults import Fault
from idms_cli.records.journal import FILE_NAME, open_journal


def rejected_rows(directory: Path) -> Iterator[tuple[int, tuple[Fault, ...]]]:
    """Line and reasons of each, of all jobs that the run did; none while there is no whole plan.

    Raises `IdmsError` for a journal that is broken.
    """
    for _, place in workplaces(directory):
        yield from _rejected_in(place)


def _rejected_in(directory: Path) -> Iterator[tuple[int, tuple[Fault, ...]]]:
    if not (directory / FILE_NAME).exists():
        yield from ((row.line, faults) for row, faults in rejected_in(directory))
        return
    with open_journal(directory) as journal:
        if journal.is_planned:
            yield from journal.rejected()
