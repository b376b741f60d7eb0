"""`file`: rows become a file, in a folder of this machine or kept in the run's directory."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field

from idms_cli.delivery.local import Options as LocalOptions
from idms_cli.delivery.steps import FileStepOptions
from idms_cli.modules import DataLock
from idms_cli.modules.part import Part
from idms_cli.modules.sendoff import as_result, deliver, made, rehearse
from idms_cli.modules.steplist import Step as Destined
from idms_cli.modules.steplist import check_step
from idms_cli.modules.steps import REHEARSED, NoSite, StepContext, StepOptions, StepResult
from idms_cli.modules.workflows.scope import RowsOf, Scope
from idms_cli.modules.writing import Writing, check_writing
from idms_cli.templates.moments import sample_occasion

OUTSIDE = ("name", "when", "retry", "timeout")


class Options(StepOptions):
    """A step that writes a file."""

    file: dict[str, Any] = Field(description="{file: NAME, format: csv, to: FOLDER}, as a step of a transfer.")
    from_: str | None = Field(default=None, alias="from", description="The step with the rows, or an expression.")


@dataclass(frozen=True)
class File(NoSite):
    """See `Action`."""

    step: Destined | None
    """None for a file that stays in the run's directory."""
    writing: Writing
    rows: RowsOf

    def describe(self) -> str:
        where = self.step.destination.describe() if self.step else "the run's directory"
        return f"as {self.writing.format} into {where}"

    def locks(self) -> tuple[DataLock, ...]:
        return (DataLock(self.step.destination.resource(), write=True),) if self.step else ()

    def run(self, context: StepContext) -> StepResult:
        """Its output says where the file is: `path`, `name`, `size`, `rows`; of several, the first."""
        rows = context.rows_of(self.rows)
        if self.step is None:
            parcels = made(self.writing, rows, context, context.directory)
            first = parcels[0]
            counts = {"written": rows.count, "items": len(parcels), "bytes": sum(_size(one.path) for one in parcels)}
            files = [{"path": str(one.path), "name": one.name, "size": _size(one.path)} for one in parcels]
            output = {"path": str(first.path), "name": first.name, "size": _size(first.path), "rows": rows.count}
            return StepResult({**output, "files": files[:100]}, counts=counts)
        result = as_result(deliver(self.step, rows, context), rows)
        path = Path(result.output["address"])
        return StepResult(
            {"path": str(path), "name": path.name, "size": result.counts["bytes"], "rows": rows.count},
            counts=result.counts,
            status=result.status,
            reason=result.reason,
        )

    def rehearse(self, context: StepContext) -> StepResult:
        rows = context.rows_of(self.rows)
        if self.step is not None:
            return rehearse(self.step, rows, context)
        parcels = made(self.writing, rows, context, context.directory)
        return StepResult(status=REHEARSED, reason=f"made {parcels[0].name}", counts={"written": rows.count})


class Kept(FileStepOptions):
    """What a file that stays says."""


def check(options: Options, part: Part, scope: Scope) -> File | None:
    """As `Kind.check`."""
    rows, below = scope.rows(part, ("from",)), part.below("file")
    for key in OUTSIDE:
        if key in options.file:
            below.tell_key((key,), f"`{key}:` is said of the step", "Write it beside `file:`.")
    values, settings = sample_occasion(scope.job), scope.settings
    if "to" not in options.file:
        kept = below.check(Kept)
        writing = check_writing(kept, below, values, settings.directory) if kept else None
        return None if rows is None or writing is None else File(None, writing, rows)
    step = check_step(below, values, settings)
    if step is None or rows is None or step.writing is None:
        return None
    if not isinstance(step.options, LocalOptions):
        below.tell(("to",), "a file step writes to a folder of this machine", "`deliver:` goes anywhere.")
        return None
    return File(step, step.writing, rows)


def _size(path: Path) -> int:
    return path.stat().st_size
