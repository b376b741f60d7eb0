"""What a workflow may ask and tell the history of its steps, and of the files that their jobs take."""

import threading
from collections.abc import Sequence
from pathlib import Path

from idms_cli.files.spool import Taken
from idms_cli.history.rows import Run
from idms_cli.history.steps import StepRow
from idms_cli.history.store import Store
from idms_cli.modules import ReadBefore, SourceLog

USUAL = 5


class KeptSteps:
    """See `StepLog`. Each thread has a connection of its own."""

    def __init__(self, store: Store, run: Run) -> None:
        self._run = run
        self._state: Path = store.state
        self._own = threading.local()
        self._own.store = store

    def note(self, *rows: StepRow) -> None:
        self._store.steps.note(self._run.id, rows)

    def sources(self, row: StepRow) -> SourceLog:
        return StepSources(self, row)

    def usual_rows(self, job: str) -> int | None:
        alone = self._store.runs.usual_rows(job)
        read = sorted(self._store.steps.read_last(job, USUAL))
        return read[len(read) // 2] if read else alone

    def take(self, run: int | None, row: StepRow, files: Sequence[Taken]) -> None:
        """What the job of a step reads, in this run or an earlier one."""
        self._store.steps.take(run or self._run.id, row.path, [file.as_dict() for file in files])

    def took(self, row: StepRow) -> list[ReadBefore]:
        """What the job of a step took in earlier runs of workflows, newest first."""
        return [
            ReadBefore(one.run, one.good, tuple(Taken.of(file) for file in one.files))
            for one in self._store.steps.took(row.job, before=self._run.id, definition=row.definition)
        ]

    @property
    def _store(self) -> Store:
        found: Store | None = getattr(self._own, "store", None)
        if found is None:
            found = self._own.store = Store(self._state)
        return found


class StepSources:
    """See `SourceLog`. The files that are left over wait for the next run of the workflow."""

    assigned: tuple[str, ...] = ()

    def __init__(self, steps: KeptSteps, row: StepRow) -> None:
        self._steps = steps
        self._row = row

    def take(self, files: Sequence[Taken], *, rest: Sequence[str] | None = None) -> None:
        del rest
        self._steps.take(None, self._row, files)

    def before(self) -> Sequence[ReadBefore]:
        return self._steps.took(self._row)

    def correct(self, run: int, files: Sequence[Taken]) -> None:
        self._steps.take(run, self._row, files)
