"""What a transfer that did not deliver everything left is taken over by a run that does the rest."""

import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from idms_cli.config.replacing import sync_folder
from idms_cli.delivery.journal import StepRow, Steps, read_steps, write_steps
from idms_cli.errors import InputError
from idms_cli.files.spool import LISTING
from idms_cli.modules.goods import ROWS
from idms_cli.modules.occasion import FILE_NAME as VALUES
from idms_cli.rows.spool import is_spooled

HINT_REFUSED = "`idms show {}` tells where each refused row is. Mend them where they come from, and run the job anew."
HINT_ANEW = "Run the job anew: it reads its source again, and does all of its steps."


def left_of(source: Path, steps: Sequence[StepRow]) -> Steps:
    """The steps as a run begins that does the rest of the one in `source`; `steps` are those of the job as it is now.

    Raises `InputError` when there is nothing left to do, or nothing to do it with.
    """
    journal = read_steps(source)
    if journal is None or journal.is_dry or not is_spooled(source / ROWS):
        raise InputError("the run has no rows that could be delivered", hint=HINT_ANEW)
    run = int(source.name)
    rows = tuple(_begun(run, old, new) for old, new in _paired(journal, steps))
    if all(row.is_over or old.state == "skipped" for row, old in zip(rows, journal.steps, strict=True)):
        refused = "; ".join(f"step {step.name}: {step.refusals}" for step in journal.steps if step.refused)
        if refused:
            raise InputError(f"nothing of run {run} is left to be sent ({refused})", hint=HINT_REFUSED.format(run))
        raise InputError(f"run {run} has delivered everything", hint=HINT_ANEW)
    return Steps(journal.rows, rows)


def take_over(source: Path, target: Path, steps: Sequence[StepRow]) -> None:
    """Give the run in `target` the rows of the one in `source`, its values for templates, and the folders of the steps
    that are still to be done. Raises as `left_of` does.
    """
    left = left_of(source, steps)
    for path in (source / ROWS, *source.glob(f"{ROWS}.*")):
        _linked(path, target / path.name)
    for name in (VALUES, LISTING):
        if (source / name).exists():
            shutil.copyfile(source / name, target / name)
    for index, row in enumerate(left.steps):
        folder = source / f"step-{index + 1}"
        if not row.is_over and folder.is_dir():
            shutil.copytree(folder, target / folder.name)
    sync_folder(target)
    write_steps(target, left)


def _paired(journal: Steps, steps: Sequence[StepRow]) -> list[tuple[StepRow, StepRow]]:
    """Each step as it was and as it is. Raises `InputError` when those that delivered are no longer the same."""
    if [(one.name, one.when) for one in journal.steps] != [(one.name, one.when) for one in steps]:
        raise InputError("the job has other steps now than the run had", hint=HINT_ANEW)
    pairs = list(zip(journal.steps, steps, strict=True))
    for old, new in pairs:
        if old.state == "delivered" and old.to != new.to:
            raise InputError(f"step {old.name} has delivered to {old.to}, and goes to {new.to} now", hint=HINT_ANEW)
    return pairs


def _begun(run: int, old: StepRow, new: StepRow) -> StepRow:
    """A step as the new run begins with it: what was delivered whole stays so, anything else is done."""
    if old.state == "delivered":  # rows that it refused are told, and would be refused again
        return replace(old, by_run=old.by_run or run)
    return new


def _linked(source: Path, target: Path) -> None:
    """The same file twice: it is never written again."""
    try:
        os.link(source, target)
    except OSError:  # another file system, or one without links
        shutil.copyfile(source, target)
