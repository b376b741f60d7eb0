"""What all steps of one run share: the run, its sites, and what is told of them."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from idms_cli.config.replacing import replace_file
from idms_cli.errors import Interrupted
from idms_cli.history.steps import StepRow
from idms_cli.modules import RunContext, SiteOf
from idms_cli.modules.deadline import Deadline
from idms_cli.modules.steps import FAILED, HELD, PARTIAL, SKIPPED, SUCCEEDED, Step
from idms_cli.modules.tally import write_tally
from idms_cli.modules.workflows.notes import Note, write_note
from idms_cli.modules.workplaces import HELD as POINTER
from idms_cli.modules.workplaces import STEPS

if TYPE_CHECKING:
    from idms_cli.imis.site import Site


@dataclass(frozen=True)
class Place:
    """Where a list of steps is done."""

    folder: Path
    prefix: str = ""
    """Of their paths: `tell/left/`; empty for those of the workflow itself."""
    told: bool = True
    """Whether the history gets a row of each."""

    def path(self, step: Step) -> str:
        return f"{self.prefix}{step.name}"


@dataclass(frozen=True)
class Turn:
    """One step whose turn it is."""

    step: Step
    path: str
    folder: Path
    deadline: Deadline = field(default_factory=lambda: Deadline(None))


@dataclass(frozen=True)
class Flow:
    """See the module. May be used by several threads."""

    context: RunContext
    sites: SiteOf
    directory: Path
    """Where relative paths of the job start."""
    positions: Mapping[str, int]
    """The order in which the steps stand, by their paths."""
    approved: bool = False
    """Somebody has just approved what the run was held for."""
    offline: bool = False
    """Nobody is asked: one step is tried."""
    tally: dict[str, int] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def within(self, context: RunContext) -> "Flow":
        """The same for steps inside a step, whose own limits `context` has."""
        return replace(self, context=context)

    def site_of(self, connection: str) -> "Site":
        """As `SiteOf`."""
        with self._lock:
            return self.sites(connection)

    def look_for_stop(self) -> None:
        """Raises `Interrupted` when the run, or the step around, is to end."""
        if self.context.stopping():
            raise Interrupted("the run was stopped")

    def note(self, turn: Turn, place: Place, note: Note) -> Note:
        """Keep how a step stands: in its folder first, then in the history."""
        now = self.context.clock.now()
        note = replace(note, began_at=note.began_at or now, ended_at=now if note.is_over else None)
        write_note(turn.folder, note)
        self.tell(place, [(turn, note)])
        return note

    def tell(self, place: Place, notes: Sequence[tuple[Turn, Note]]) -> None:
        """The history how steps stand."""
        if place.told and notes:
            self.context.steps.note(*[self.row(turn, note) for turn, note in notes])

    def row(self, turn: Turn, note: Note) -> StepRow:
        """A note as the history has it."""
        job, definition = getattr(turn.step.action, "job_and_definition", ("", ""))
        return StepRow(
            path=turn.path,
            position=self.positions.get(turn.path, 0),
            kind=turn.step.kind,
            status=note.status,
            reason=note.reason,
            hint=note.hint,
            began_at=note.began_at,
            ended_at=note.ended_at,
            attempts=note.attempts,
            rows=note.counts.get("rows") if note.rows else None,
            counts=note.counts,
            job=job,
            definition=definition,
        )

    def told(self, place: Place, step: Step, note: Note) -> None:
        """A step of the workflow itself is over, or waits: count it."""
        if note.status == HELD:
            self._point_at(place.folder / step.name)
        if place.prefix or place.folder.parent != self.context.directory:
            return
        with self._lock:
            word = {SUCCEEDED: "succeeded", PARTIAL: "partial", FAILED: "failed", SKIPPED: "skipped", HELD: "held"}
            name = f"steps_{word.get(note.status, 'rehearsed')}"
            self.tally[name] += 1
            self.tally["steps_left"] -= note.status != HELD
            write_tally(self.context.directory, self.tally)

    def _point_at(self, folder: Path) -> None:
        """Where what holds the run lies: the innermost step, and the first one where several do."""
        pointer = self.context.directory / POINTER
        with self._lock:
            if not pointer.exists():
                replace_file(pointer, str(folder.relative_to(self.context.directory / STEPS)).encode())

    def progress(self) -> None:
        """Show how far the run is."""
        self.context.progress(lambda: dict(self.tally))
