"""The rows of a step of a workflow are delivered as a transfer does it: made into files once, handed over, told."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from idms_cli.config.secrets import mask
from idms_cli.delivery import Delivery, Parcel, Receipt
from idms_cli.files.writers import Rows
from idms_cli.modules.cargo import Making, StepCargo
from idms_cli.modules.steplist import Step as Destined
from idms_cli.modules.steps import PARTIAL, REHEARSED, SUCCEEDED, StepContext, StepResult
from idms_cli.modules.writing import Writing
from idms_cli.templates.moments import OCCASION


def deliver(step: Destined, rows: Rows, context: StepContext) -> Receipt:
    """Raises as `Destination.deliver`."""
    delivery = _delivery(context)
    return step.destination.deliver(_cargo(step.writing, rows, context, delivery.directory), delivery)


def rehearse(step: Destined, rows: Rows, context: StepContext) -> StepResult:
    """What `deliver` would do."""
    delivery = _delivery(context)
    cargo = _cargo(step.writing, rows, context, delivery.directory)
    cargo.parcels()
    told = step.destination.rehearse(cargo, delivery)
    return StepResult(status=REHEARSED, reason=told, counts={"written": rows.count}, unknown=True)


def as_result(receipt: Receipt, rows: Rows) -> StepResult:
    """What templates see of a delivery: `address`, `items`, `size`, `rows`, `refused`."""
    counts = {"written": rows.count, "items": receipt.items, "bytes": receipt.size, "refused": receipt.refused}
    output = {
        "address": mask(receipt.address),
        "items": receipt.items,
        "size": receipt.size,
        "rows": rows.count,
        "refused": receipt.refused,
    }
    told = {name: number for name, number in receipt.counts.items() if name not in counts}
    reason = f"{receipt.refused:,} refused" if receipt.refused else ""
    status = PARTIAL if receipt.refused else SUCCEEDED
    return StepResult(output, counts={**counts, **told}, status=status, reason=reason)


def made(writing: Writing, rows: Rows, context: StepContext, directory: Path) -> Sequence[Parcel]:
    """The files alone, in the step's folder. Raises as `StepCargo.parcels`."""
    return _cargo(writing, rows, context, directory).parcels()


def _cargo(writing: Writing | None, rows: Rows, context: StepContext, directory: Path) -> StepCargo:
    return StepCargo(rows, Making(writing, context.folder, directory, _occasion(context), context.run.stopping))


def _delivery(context: StepContext) -> Delivery:
    def progress(counts: Mapping[str, int]) -> None:
        context.run.progress(lambda: {f"step_{name}": number for name, number in counts.items()})

    return Delivery(
        run_id=context.run.run_id,
        folder=context.folder,
        directory=context.directory,
        values=_occasion(context),
        log=context.run.log,
        progress=progress,
        stopping=context.run.stopping,
    )


def _occasion(context: StepContext) -> Mapping[str, Any]:
    """Files and destinations have templates of their own, which know the run and no steps."""
    return {name: context.values[name] for name in OCCASION}
