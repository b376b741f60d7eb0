"""Steps are done one after the other, each noted before and after, so that a death costs nothing."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from idms_cli.errors import IdmsError, InputError
from idms_cli.files.writers import Rows
from idms_cli.history.rows import QUESTIONS
from idms_cli.modules import RunContext
from idms_cli.modules.deadline import BrokenOff, Deadline, within
from idms_cli.modules.steps import (
    HELD,
    PARTIAL,
    SKIPPED,
    SUCCEEDED,
    Containing,
    InnerResult,
    Remembering,
    Step,
    StepContext,
)
from idms_cli.modules.workflows.attempts import Attempts, took_too_long
from idms_cli.modules.workflows.branches import revived
from idms_cli.modules.workflows.consequences import Ending, consequence
from idms_cli.modules.workflows.flow import Flow, Place, Turn
from idms_cli.modules.workflows.given import spooled
from idms_cli.modules.workflows.notes import CALLS, Note, failed, read_note
from idms_cli.modules.workflows.scope import RowsOf
from idms_cli.modules.workflows.views import NotKnown, RowsView, Unanswered
from idms_cli.records.counts import Counts
from idms_cli.rows.spool import Spooled

ROWS = frozenset({*Counts().as_dict(), QUESTIONS})
"""Counts of rows that add up."""


class Walk:
    """Does a list of steps, from where an earlier attempt stopped."""

    def __init__(self, flow: Flow, place: Place, steps: Sequence[Step], values: Mapping[str, Any]) -> None:
        self._flow = flow
        self._place = place
        self._steps = steps
        self._values = {**values, "steps": dict(values.get("steps", {}))}
        self._outputs: dict[str, Any] = {}
        self._counts: dict[str, int] = {}
        self._partial = ""

    def run(self) -> InnerResult:
        """How all of them ended. Raises `Interrupted`; and `Unreachable` where the whole run is tried again later."""
        jump, why = "", ""
        for index, step in enumerate(self._steps):
            if jump and step.name != jump:
                self._keep(step, self._skipped(step, why))
                continue
            jump = ""
            note = self._one(step)
            self._keep(step, note)
            jump, ending = consequence(step, note)
            if jump:
                why = f"jumped over by {step.name}"
            if ending is not None:
                if ending.status != HELD:
                    self._skip_rest(self._steps[index + 1 :], f"not reached: {step.name} ended it")
                return self._result(ending)
        return self._result(None)

    def remembering(self) -> Iterator[tuple[Remembering, StepContext]]:
        """What is to be kept once the workflow has succeeded, also of steps that were over before a crash."""
        for place, step in done_in(self._place, self._steps):
            if isinstance(step.action, Remembering):
                turn = Turn(step, place.path(step), place.folder / step.name)
                yield step.action, self._context(turn, self._flow.context)

    def _one(self, step: Step) -> Note:
        """The step, unless it is over."""
        turn = Turn(step, self._place.path(step), self._place.folder / step.name)
        note = read_note(turn.folder)
        if note is not None and note.is_over:
            self._tell_taken_over(turn, note)
            return note
        self._flow.look_for_stop()
        if not step.options.enabled:
            return self._skipped(step, "switched off (enabled: false)")
        turn.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        before = note or Note("new")
        try:
            with within(Deadline(step.options.timeout), grace_s=0):
                holds = step.when is None or step.when.holds(self._values)
        except NotKnown:
            holds = True  # a dry run shows what may be done
        except BrokenOff:
            return self._flow.note(turn, self._place, failed(before, took_too_long(step.options.timeout)))
        except IdmsError as error:
            return self._flow.note(turn, self._place, failed(before, error))
        if not holds:
            return self._skipped(step, "its when: does not hold")
        return Attempts(self._flow, self._place, turn, self._context).run(before)

    def _tell_taken_over(self, turn: Turn, note: Note) -> None:
        """Of a run that goes on where another one ended, what that one did."""
        context = self._flow.context
        if context.intent == "rest" and context.of_directory is not None:
            by = f"done by run {context.of_directory.name}"
            reason = "; ".join(filter(None, (by, note.reason)))
            self._flow.tell(self._place, [(turn, replace(note, reason=reason))])

    def _context(self, turn: Turn, run: RunContext) -> StepContext:
        return StepContext(
            path=turn.path,
            folder=turn.folder,
            directory=self._flow.directory,
            values=self._values,
            run=run,
            site_of=self._flow.site_of,
            deadline=turn.deadline,
            rows_of=lambda source: self._rows(turn, source),
            inner=Within(self, turn, run),
            offline=self._flow.offline,
        )

    def within(self, turn: Turn, run: RunContext, under: str, *, told: bool) -> tuple[Flow, Place]:
        """What steps inside this one work with."""
        place = Place(turn.folder / under, f"{turn.path}/{under}/", told and self._place.told)
        return self._flow.within(replace(run, log=self._flow.context.log)), place

    @property
    def values(self) -> Mapping[str, Any]:
        """What templates see now."""
        return self._values

    def _rows(self, turn: Turn, source: RowsOf) -> Rows:
        if source.shape is None:
            found = self._values.get(source.step)
            if found is None:
                told = self._values["steps"].get(source.step, {"status": "not done", "reason": ""})
                why = f"{told['status']}: {told['reason']}" if told["reason"] else told["status"]
                raise InputError(f"there are no rows of step {source.step}: it is {why}")
        else:
            found = source.shape.render(self._values)
        if isinstance(found, Unanswered):
            raise NotKnown(f"the rows of step {found.step} are not known in a dry run")
        return found.rows if isinstance(found, RowsView) else spooled(found, turn.folder)

    def _keep(self, step: Step, note: Note) -> None:
        """What later steps see of it."""
        told: dict[str, Any] = {"status": note.status, "reason": note.reason, "counts": dict(note.counts), "rows": None}
        if note.went_well:
            value = self._value(step, note)
            told["rows"] = len(value) if isinstance(value, RowsView) else None
            self._values[step.name] = self._outputs[step.name] = value
        if note.status == PARTIAL and not self._partial:
            self._partial = f"{step.name}: {note.reason}"
        self._values["steps"][step.name] = told
        for name in _counted(note):
            self._counts[name] = self._counts.get(name, 0) + note.counts[name]
        self._flow.told(self._place, step, note)

    def _value(self, step: Step, note: Note) -> Any:
        if note.unknown:
            return Unanswered(step.name)
        directory = self._flow.context.directory
        if note.rows:
            return RowsView(Spooled(directory / note.rows))
        return revived(note.output, directory) if isinstance(step.action, Containing) else note.output

    def _skipped(self, step: Step, why: str) -> Note:
        note = Note(SKIPPED, reason=why)
        self._flow.tell(self._place, [(Turn(step, self._place.path(step), Path()), note)])
        return note

    def _skip_rest(self, steps: Sequence[Step], why: str) -> None:
        note = Note(SKIPPED, reason=why)
        self._flow.tell(self._place, [(Turn(step, self._place.path(step), Path()), note) for step in steps])
        for step in steps:
            self._flow.told(self._place, step, note)

    def _result(self, ending: Ending | None) -> InnerResult:
        found = InnerResult(SUCCEEDED, self._outputs, self._counts)
        if ending is not None:
            found = replace(
                found, status=ending.status, reason=ending.reason, hint=ending.hint, exit_code=ending.exit_code
            )
        if found.status == SUCCEEDED and self._partial:
            return replace(found, status=PARTIAL, reason=self._partial, exit_code=1)
        return found


class Within:
    """See `Inner`."""

    def __init__(self, walk: Walk, turn: Turn, run: RunContext) -> None:
        self._walk = walk
        self._turn = turn
        self._run = run

    def __call__(
        self, steps: Sequence[Step], under: str, values: Mapping[str, Any], *, told: bool = True
    ) -> InnerResult:
        flow, place = self._walk.within(self._turn, self._run, under, told=told)
        return Walk(flow, place, steps, {**self._walk.values, **values}).run()


def _counted(note: Note) -> Iterator[str]:
    """Which figures of a step are figures of the run: calls; and of a job that loads rows, what became of those."""
    loads = note.sums and "selected" not in note.counts
    for name in note.counts:
        if name in CALLS or (loads and name in ROWS):
            yield name


def done_in(place: Place, steps: Sequence[Step]) -> Iterator[tuple[Place, Step]]:
    """Every step that succeeded, with its list's place; also of those within a step, whatever became of that."""
    for step in steps:
        note = read_note(place.folder / step.name)
        if note is not None and note.status == SUCCEEDED:
            yield place, step
        if note is not None and isinstance(step.action, Containing):
            folder, path = place.folder / step.name, place.path(step)
            for under, inner in step.action.inside():
                for one in [under] if under else sorted(item.name for item in folder.glob("[0-9]*")):
                    yield from done_in(Place(folder / one, f"{path}/{one}/"), inner)


def all_steps(steps: Sequence[Step], prefix: str = "") -> Iterator[tuple[str, Step]]:
    """Every step with its path, those within steps after the one that they stand in."""
    for step in steps:
        yield prefix + step.name, step
        if isinstance(step.action, Containing):
            for under, inner in step.action.inside():
                yield from all_steps(inner, f"{prefix}{step.name}/{under or '*'}/")
