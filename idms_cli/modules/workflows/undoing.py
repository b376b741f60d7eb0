"""A run of a workflow is taken back: the jobs that its steps did, the last one first."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol, runtime_checkable

from idms_cli.errors import InputError
from idms_cli.modules import Outcome, RunContext
from idms_cli.modules.steps import Step
from idms_cli.modules.workflows.engine import all_steps
from idms_cli.modules.workplaces import STEPS, workplaces

_WORSE = ("completed", "partial", "cancelled", "failed")


@runtime_checkable
class Undoing(Protocol):
    """An action whose effect can be taken back."""

    def undo(self, context: RunContext) -> Outcome:
        """Take back what the run in `context.of_directory` did, in the directory of `context`."""


def undo(steps: Sequence[Step], context: RunContext) -> Outcome:
    """Raises `InputError` when there is nothing that could be taken back."""
    source = context.of_directory or context.directory
    found = list(_done(steps, source))
    if not found:
        raise InputError("no step of that run wrote records: there is nothing to take back")
    counts: dict[str, int] = {}
    worst = Outcome("completed")
    for path, action, folder in reversed(found):
        context.log(f"step {path} is taken back")
        ours = context.directory / STEPS / folder.relative_to(source / STEPS)
        ours.mkdir(mode=0o700, parents=True, exist_ok=True)
        outcome = action.undo(replace(context, directory=ours, of_directory=folder))
        for name, number in outcome.counts.items():
            counts[name] = counts.get(name, 0) + number
        if _WORSE.index(outcome.status) > _WORSE.index(worst.status):
            worst = replace(outcome, reason=f"step {path}: {outcome.reason}")
        if outcome.status == "cancelled":
            break
    return replace(worst, counts=counts)


def _done(steps: Sequence[Step], source: Path) -> Iterator[tuple[str, Undoing, Path]]:
    """Path, action and folder of each step that did a job, in the order in which they were begun."""
    known = [(path.split("/"), step.action) for path, step in all_steps(steps)]
    seen: set[Path] = set()
    for place, _ in workplaces(source):
        parts = place.split("/")
        for path, action in known:
            if isinstance(action, Undoing) and _leads_to(path, parts):
                folder = source.joinpath(STEPS, *parts[: len(path)])
                if folder not in seen:
                    seen.add(folder)
                    yield "/".join(parts[: len(path)]), action, folder


def _leads_to(path: Sequence[str], place: Sequence[str]) -> bool:
    """Whether a place lies in the folder of a step; `*` stands for each item of a for-each."""
    return len(path) <= len(place) and all(one in ("*", other) for one, other in zip(path, place, strict=False))
