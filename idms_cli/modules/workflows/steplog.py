"""The history of a workflow that another one runs: its steps stand below the step that runs it."""

from dataclasses import replace

from idms_cli.history.steps import StepRow
from idms_cli.modules import SourceLog, StepLog
from idms_cli.modules.steps import StepContext


class Nested:
    """As `StepLog`."""

    def __init__(self, log: StepLog, prefix: str) -> None:
        self._log = log
        self._prefix = prefix

    def note(self, *rows: StepRow) -> None:
        self._log.note(*[replace(row, path=f"{self._prefix}{row.path}") for row in rows])

    def sources(self, row: StepRow) -> SourceLog:
        return self._log.sources(replace(row, path=f"{self._prefix}{row.path}"))

    def usual_rows(self, job: str) -> int | None:
        return self._log.usual_rows(job)

    @staticmethod
    def row(context: StepContext, job: str, definition: str) -> StepRow:
        """Who a step is, for what its job takes."""
        return StepRow(context.path, 0, "run", "running", job=job, definition=definition)
