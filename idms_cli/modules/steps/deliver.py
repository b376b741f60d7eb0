"""`deliver`: rows go to any destination that a transfer has."""

from dataclasses import dataclass
from typing import Any

from pydantic import Field

from idms_cli.modules import DataLock
from idms_cli.modules.part import Part
from idms_cli.modules.sendoff import as_result, deliver, rehearse
from idms_cli.modules.steplist import Step as Destined
from idms_cli.modules.steplist import check_step
from idms_cli.modules.steps import NoSite, StepContext, StepOptions, StepResult
from idms_cli.modules.workflows.scope import RowsOf, Scope
from idms_cli.templates.moments import sample_occasion

OUTSIDE = ("name", "when", "retry", "timeout")


class Options(StepOptions):
    """A step that delivers."""

    deliver: dict[str, Any] = Field(description="What a step of a transfer says: to, format, file...")
    from_: str | None = Field(default=None, alias="from", description="The step with the rows, or an expression.")


@dataclass(frozen=True)
class Deliver(NoSite):
    """See `Action`."""

    step: Destined
    rows: RowsOf

    def describe(self) -> str:
        as_format = f"as {self.step.writing.format} " if self.step.writing else ""
        return f"{as_format}to {self.step.destination.describe()}"

    def locks(self) -> tuple[DataLock, ...]:
        return (DataLock(self.step.destination.resource(), write=True),)

    def run(self, context: StepContext) -> StepResult:
        rows = context.rows_of(self.rows)
        return as_result(deliver(self.step, rows, context), rows)

    def rehearse(self, context: StepContext) -> StepResult:
        return rehearse(self.step, context.rows_of(self.rows), context)


def check(options: Options, part: Part, scope: Scope) -> Deliver | None:
    """As `Kind.check`."""
    rows, below = scope.rows(part, ("from",)), part.below("deliver")
    for key in OUTSIDE:
        if key in options.deliver:
            below.tell_key((key,), f"`{key}:` is said of the step", "Write it beside `deliver:`.")
    step = check_step(below, sample_occasion(scope.job), scope.settings)
    return None if rows is None or step is None or set(OUTSIDE) & set(options.deliver) else Deliver(step, rows)
