"""What a workflow that failed has done is taken over by a run that goes on from there."""

import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from idms_cli.config.replacing import sync_folder
from idms_cli.errors import InputError
from idms_cli.modules.occasion import FILE_NAME as VALUES
from idms_cli.modules.steps import Containing, Step
from idms_cli.modules.tally import read_tally
from idms_cli.modules.workflows.notes import FILE_NAME as NOTE
from idms_cli.modules.workflows.notes import Note, read_note
from idms_cli.modules.workflows.onceonly import begin_anew

FOLDER, INPUT = "steps", "input.json"

HINT_ANEW = "Run the job anew: it does all of its steps."


def refuse_nothing_left(source: Path, steps: Sequence[Step]) -> None:
    """Raises `InputError` when the run in this directory has no step that failed and could be done now."""
    _taken_over(source, steps)


def take_over(source: Path, target: Path, steps: Sequence[Step]) -> None:
    """Give the run in `target` the steps before the one at which the run in `source` ended, and its values; that one
    and those after it are done anew, but for what is over within it. Raises as `refuse_nothing_left` does.
    """
    names = _taken_over(source, steps)
    hand_over(source, target, names)
    for step in steps:
        if step.name not in names and (source / FOLDER / step.name).is_dir():
            hand_over(source, target, [step.name])
            reopen(target / FOLDER / step.name, step)
    sync_folder(target / FOLDER)
    sync_folder(target)


def hand_over(source: Path, target: Path, names: Sequence[str]) -> None:
    """Copy the values of a run, and what it has of these steps."""
    for name in (VALUES, INPUT):
        if (source / name).exists():
            shutil.copyfile(source / name, target / name)
    (target / FOLDER).mkdir(mode=0o700, exist_ok=True)
    for name in names:
        if (source / FOLDER / name).is_dir():
            shutil.copytree(source / FOLDER / name, target / FOLDER / name, copy_function=_linked)


def reopen(folder: Path, step: Step) -> None:
    """Let a step be done again; of one with steps within, each of its lists from where it ended badly."""
    if not isinstance(step.action, Containing):
        begin_anew(folder)
        return
    (folder / NOTE).unlink(missing_ok=True)
    for under, steps in step.action.inside():
        for place in [folder / under] if under else folder.glob("[0-9]*"):
            begun = [one for one in steps if read_note(place / one.name) is not None]
            note = read_note(place / begun[-1].name) if begun else None
            if note is not None and not _went_well(note):
                reopen(place / begun[-1].name, begun[-1])


def _taken_over(source: Path, steps: Sequence[Step]) -> list[str]:
    """The names of the steps that are not done again."""
    order = {step.name: number for number, step in enumerate(steps)}
    notes = sorted(_notes(source).items(), key=lambda one: order.get(one[0], len(order)))
    if not notes:
        raise InputError("the run has done no step", hint=HINT_ANEW)
    gone = [name for name, _ in notes if name not in order]
    if gone:
        raise InputError(f"the job no longer has the step {gone[0]}, which the run has done", hint=HINT_ANEW)
    *before, (last, note) = notes
    if _went_well(note):
        if not read_tally(source).get("steps_left"):
            raise InputError("the run has done everything", hint=HINT_ANEW)
        return [*(name for name, _ in before), last]
    return [name for name, _ in before]


def _went_well(note: Note) -> bool:
    return note.went_well and note.then != "fail"


def _notes(source: Path) -> dict[str, Note]:
    """The steps that began."""
    folder = source / FOLDER
    try:
        names = os.listdir(folder)  # noqa: PTH208 - names, not paths
    except FileNotFoundError:
        return {}
    return {name: note for name in names if (note := read_note(folder / name)) is not None}


def _linked(one: str, other: str) -> None:
    """Rows are not copied: nothing changes a spool that is complete."""
    if one.endswith((".spool", ".jsonl")):
        with suppress(OSError):
            os.link(one, other)
            return
    shutil.copyfile(one, other)
