"""`delta`: the rows that are new or changed since the workflow last succeeded; remembered when it has."""

from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import Field

from idms_cli.errors import Unreachable
from idms_cli.modules import RunContext
from idms_cli.modules.changes import HINT_PART, refuse_overtaken
from idms_cli.modules.part import Part
from idms_cli.modules.steps import Inward, StepContext, StepOptions, StepResult
from idms_cli.modules.workflows.scope import RowsOf, Scope
from idms_cli.rows.delta import CHANGED_ROWS, Delta, DeltaOptions


class Options(StepOptions):
    """A step that compares."""

    delta: DeltaOptions = Field(description="{key: COLUMN}, with `vanished:` and `mark:` as in a transfer.")
    from_: str | None = Field(default=None, alias="from", description="The step with the rows, or an expression.")


@dataclass(frozen=True)
class Compare(Inward):
    """See `Action`, and `Remembering`."""

    options: DeltaOptions
    rows: RowsOf
    makes_rows: bool = True

    def describe(self) -> str:
        also = ", and the keys of those that vanished" if self.options.vanished else ""
        return f"rows that are new or changed, by {self.options.key}{also}"

    def run(self, context: StepContext) -> StepResult:
        source, run = context.rows_of(self.rows), context.run
        delta = self._delta(context)
        refuse_overtaken(delta.state, delta.job, run.run_id)
        if delta.options.vanished and not getattr(source, "is_whole", True):
            message = "not all rows came that there are, so nobody can tell which have vanished"
            raise Unreachable(message, hint=HINT_PART)
        compared = delta.compare(source, stopping=run.stopping)
        counts = asdict(compared.counts)
        del counts["remembered"]
        return StepResult(rows=context.folder / CHANGED_ROWS, counts={"rows": compared.rows.count, **counts})

    def rehearse(self, context: StepContext) -> StepResult:
        return self.run(context)

    def commit(self, context: StepContext) -> None:
        """As `Remembering`."""
        delta, run = self._delta(context), context.run
        if not delta.remember(run.run_id, int(run.clock.now())):
            run.log(f"step {context.path}: not remembered, the memory was reset while the run went on")

    def _delta(self, context: StepContext) -> Delta:
        options, run = self.options, context.run
        if run.row_limit is not None:  # of some rows nobody can tell which vanished
            options = options.model_copy(update={"vanished": False, "mark": options.marked_in})
        return Delta(run.state, memory_name(run, context.path), options, Path(context.folder))


def memory_name(run: RunContext, path: str) -> str:
    """What `idms delta` calls the memory of a step: JOB.STEP."""
    return ".".join((run.job, *path.split("/")))


def check(options: Options, part: Part, scope: Scope) -> Compare | None:
    """As `Kind.check`."""
    rows = scope.rows(part, ("from",))
    return None if rows is None else Compare(options.delta, rows)
