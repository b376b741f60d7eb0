"""What a workflow that failed has done is taken over by a run that goes on from there."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from idms_cli.config.replacing import sync_folder
from idms_cli.errors import InputError
from idms_cli.modules.occasion import FILE_NAME as VALUES
from idms_cli.modules.steps import FAILED, Step
from idms_cli.modules.workflows.notes import Note, read_note

FOLDER, INPUT = "steps", "input.json"

HINT_ANEW = "Run the job anew: it does all of its steps."


def refuse_nothing_left(source: Path, steps: Sequence[Step]) -> None:
    """Raises `InputError` when the run in this directory has no step that failed and could be done now."""
    notes = _notes(source)
    if not notes:
        raise InputError("the run has done no step", hint=HINT_ANEW)
    first = next((number for number, (_, note) in enumerate(notes) if not _stays(note)), len(notes))
    done = [name for name, _ in notes[:first]]
    if all(note.went_well for _, note in notes) and len(notes) == len(steps):
        raise InputError("the run has done everything", hint=HINT_ANEW)
    now = [step.name for step in steps]
    if [name for name in now if name in done] != done:
        raise InputError("the job has other steps now than the run had", hint=HINT_ANEW)


def take_over(source: Path, target: Path, steps: Sequence[Step]) -> None:
    """Give the run in `target` the steps that the one in `source` finished, and its values; the others are done anew.

    Raises as `refuse_nothing_left` does.
    """
    refuse_nothing_left(source, steps)
    for name in (VALUES, INPUT):
        if (source / name).exists():
            shutil.copyfile(source / name, target / name)
    for name, note in _notes(source):
        if not _stays(note):
            break
        shutil.copytree(source / FOLDER / name, target / FOLDER / name, copy_function=_linked)
    sync_folder(target)


def _stays(note: Note) -> bool:
    """A gate decides anew; what failed and was passed over stays as it is."""
    return (note.went_well and not note.then) or (note.status == FAILED and False)


def _notes(source: Path) -> list[tuple[str, Note]]:
    """The steps that began, in the order in which they did."""
    folder = source / FOLDER
    try:
        names = os.listdir(folder)  # noqa: PTH208 - names, not paths
    except FileNotFoundError:
        return []
    found = [(name, note) for name in names if (note := read_note(folder / name)) is not None]
    return sorted(found, key=lambda one: one[1].began_at or 0.0)


def _linked(one: str, other: str) -> None:
    """Rows are not copied: nothing changes a spool that is complete."""
    if one.endswith((".spool", ".jsonl")):
        try:
            os.link(one, other)
        except OSError:
            shutil.copyfile(one, other)
        return
    shutil.copyfile(one, other)
