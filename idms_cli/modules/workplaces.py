"""Where the journals of a run lie: in its directory, or in those of the steps of a workflow that ran jobs."""

from collections.abc import Iterator
from pathlib import Path

from idms_cli.records.journal import FILE_NAME

STEPS = "steps"
HELD = "held"
"""In the directory of a workflow: the name of the step that holds it."""


def workplaces(directory: Path) -> Iterator[tuple[str, Path]]:
    """Step and directory of each job that a run did; the step is empty for a run that is no workflow."""
    steps = directory / STEPS
    if not steps.is_dir():
        yield "", directory
        return
    found = {path.parent for name in (FILE_NAME, "steps.json") for path in steps.rglob(name)}
    for folder in sorted(found, key=lambda folder: (folder.stat().st_ctime_ns, folder)):
        parts = folder.relative_to(directory).parts
        yield "/".join(part for part in parts if part != STEPS), folder


def held_place(directory: Path) -> Path:
    """The directory of the job that holds a run: of a workflow, that of the step in question."""
    pointer = directory / HELD
    while pointer.is_file():
        directory = directory / STEPS / pointer.read_text()
        pointer = directory / HELD
    return directory
