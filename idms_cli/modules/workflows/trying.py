"""One step of a workflow is tried on what the steps before it gave in an earlier run, or on what a file says they gave.

Nothing is sent and nobody is asked; what the step would do is worked out in a folder that is removed.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from idms_cli.config.foreign import shortened
from idms_cli.config.spelling import did_you_mean
from idms_cli.errors import InputError
from idms_cli.history.steps import StepRow
from idms_cli.modules import NoStepLog, RunContext
from idms_cli.modules.occasion import kept_values
from idms_cli.modules.steps import SUCCEEDED, Step
from idms_cli.modules.workflow import Workflow
from idms_cli.modules.workflows.engine import Walk, all_steps
from idms_cli.modules.workflows.flow import Flow, Place
from idms_cli.modules.workflows.given import spool_each
from idms_cli.modules.workflows.leftovers import hand_over
from idms_cli.modules.workflows.notes import Note, read_json, read_note, write_note
from idms_cli.modules.workflows.parameters import input_of
from idms_cli.modules.workflows.views import NotKnown
from idms_cli.modules.workplaces import STEPS

if TYPE_CHECKING:
    from idms_cli.imis.site import Site

INPUT = "input"
NOT_REACHED = "not reached: "
LARGEST = 50_000_000
"""Bytes of a file with data."""


@dataclass(frozen=True)
class Tried:
    """What came of it."""

    row: StepRow
    note: Note | None
    """None for a step that would be skipped."""
    known: tuple[str, ...]
    """The steps before it whose data was there."""


class _Told(NoStepLog):
    def __init__(self) -> None:
        self.rows: dict[str, StepRow] = {}

    def note(self, *rows: StepRow) -> None:
        self.rows |= {row.path: row for row in rows}


def step_named(steps: Sequence[Step], name: str) -> Step:
    """The step of this name. Raises `InputError`."""
    for step in steps:
        if step.name == name:
            return step
    if any(path == name for path, _ in all_steps(steps)):
        within = name.partition("/")[0]
        raise InputError(f"{shortened(name)} stands within {within}", hint=f"Try the whole of it: --step {within}.")
    known = [step.name for step in steps]
    hint = did_you_mean(name, known) or f"Steps: {', '.join(known[:20])}."
    raise InputError(f"there is no step '{shortened(name)}'", hint=hint)


def read_given(path: Path) -> Mapping[str, Any]:
    """The data of a file: `input` and what steps gave, by name. Raises `InputError`."""
    hint = 'Write JSON: {"input": {"since": "2026-12-31"}, "found": [{"ID": "101"}]}.'
    try:
        if path.stat().st_size > LARGEST:
            raise InputError(f"{path} has more than {LARGEST:,} bytes", hint="Give fewer rows.")
        found = json.loads(path.read_bytes(), parse_float=Decimal)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", hint="Check the path.") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is no JSON: {error}", hint=hint) from error
    if not isinstance(found, dict):
        raise InputError(f"{path}: an object is wanted", hint=hint)
    return found


def try_step(work: Workflow, name: str, context: RunContext, *, source: Path | None, given: Mapping[str, Any]) -> Tried:
    """Do the dry form of a step in `context.directory`, which is empty; `source` is the directory of an earlier run.

    What `given` says goes before what that run has. Raises `InputError` for names that there are not, and where the
    steps before it do not lead to it.
    """
    steps = work.steps
    step = step_named(steps, name)
    before = steps[: step.number - 1]
    if source is not None:
        hand_over(source, context.directory, [one.name for one in before])
    _put(given, before, context.directory, names=[one.name for one in steps])
    told = _Told()
    context = replace(context, dry_run=True, steps=told, row_limit=None)
    values = kept_values(context)
    values = {**values, INPUT: input_of(work.parameters, _input(context.directory, given), values)}
    tally = Counter({"steps": step.number, "steps_left": step.number})
    flow = Flow(context, _nobody, work.settings.directory, {}, offline=True, tally=tally)
    Walk(flow, Place(context.directory / STEPS), steps[: step.number], values).run()
    row = told.rows.get(step.name)
    known = tuple(one.name for one in before if _is_known(context.directory, one.name))
    note = read_note(context.directory / STEPS / step.name)
    if row is None or row.reason.startswith(NOT_REACHED):
        hint = "Take another run with `--run N`, or say what the steps before it gave: --input FILE."
        raise InputError(f"the steps before {name} do not lead to it: {_why(row, context.directory)}", hint=hint)
    return Tried(row, note, known)


def _put(given: Mapping[str, Any], before: Sequence[Step], directory: Path, *, names: Sequence[str]) -> None:
    """What the file says that steps gave, as if they had; `names` are those of all steps."""
    known = {step.name: step for step in before}
    for name, value in given.items():
        if name not in names and name != INPUT:
            hint = did_you_mean(name, names) or f"Steps: {', '.join(names[:20])}."
            raise InputError(f"there is no step '{shortened(name)}'", hint=hint)
        if name not in known:
            continue
        folder = directory / STEPS / name
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        note = Note(SUCCEEDED, attempts=1, output=value)
        if isinstance(value, list) and getattr(known[name].action, "makes_rows", False):
            rows = folder / "given.spool"
            counts = {"rows": _spooled(name, value, rows)}
            note = Note(SUCCEEDED, attempts=1, rows=str(rows.relative_to(directory)), counts=counts)
        write_note(folder, note)


def _spooled(name: str, rows: Sequence[Any], path: Path) -> int:
    try:
        return spool_each(rows, path).count
    except InputError as error:
        raise InputError(f"{name}: {error}", hint='Write rows: [{"ID": "101"}].') from error


def _input(directory: Path, given: Mapping[str, Any]) -> Mapping[str, Any]:
    found: dict[str, Any] = {}
    with suppress(FileNotFoundError):
        found = dict(read_json(directory / "input.json"))
    said = given.get(INPUT, {})
    if not isinstance(said, Mapping):
        raise InputError("`input` is a mapping of parameters", hint='{"input": {"since": "2026-12-31"}}')
    return {**found, **said}


def _why(row: StepRow | None, directory: Path) -> str:
    ended = row.reason.removeprefix(NOT_REACHED).removesuffix(" ended it") if row else ""
    note = read_note(directory / STEPS / ended) if ended else None
    return f"{ended} is {note.status}: {note.reason}" if note else "one of them waits for somebody"


def _is_known(directory: Path, name: str) -> bool:
    note = read_note(directory / STEPS / name)
    return note is not None and note.status != "rehearsed"


def _nobody(connection: str) -> "Site":
    raise NotKnown(f"the site {connection} is not asked when one step is tried")


__all__ = ["Tried", "read_given", "step_named", "try_step"]
