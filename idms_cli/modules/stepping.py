"""The steps of a transfer are done one after the other, each noted before and after, so that a death costs nothing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from idms_cli.config.durations import format_duration
from idms_cli.config.secrets import mask
from idms_cli.delivery import Delivery, Parcel, Receipt
from idms_cli.delivery.journal import FILES_KEPT, PLACES_KEPT, Made, StepRow, Steps, write_steps
from idms_cli.errors import IdmsError, Interrupted, OutcomeUnknown, Unreachable
from idms_cli.files.writers import Rows
from idms_cli.modules import RunContext
from idms_cli.modules.cargo import Making, StepCargo
from idms_cli.modules.deadline import BrokenOff, Deadline, within
from idms_cli.modules.steplist import Step

LOOK_EVERY_S = 0.2

HINT_UNKNOWN = "Look at the other side whether it has arrived; `idms retry {}` tries it again."


@dataclass(frozen=True)
class Load:
    """What the steps are to deliver, and where they work."""

    rows: Rows
    values: Mapping[str, Any]
    directory: Path
    """Where relative paths of the job start."""


class Stepping:
    """Goes through the steps, from where an earlier attempt stopped."""

    def __init__(self, steps: Sequence[Step], load: Load, context: RunContext, journal: Steps) -> None:
        self._steps = steps
        self._load = load
        self._context = context
        self.journal = journal

    def run(self) -> Steps:
        """How all of them ended. Raises `Interrupted`; and `Unreachable` where the whole run is tried again later."""
        good = True
        for index, step in enumerate(self._steps):
            if not self._row(index).is_over:
                self._look_for_stop()
                self._one(index, step, good=good)
            if self._row(index).state != "skipped":
                good = self._row(index).went_well
        return self.journal

    def skip_all(self, reason: str) -> Steps:
        """There is nothing to deliver."""
        for index in range(len(self._steps)):
            if not self._row(index).is_over:
                self._note(index, state="skipped", reason=reason)
        return self.journal

    def _row(self, index: int) -> StepRow:
        return self.journal.steps[index]

    def _one(self, index: int, step: Step, *, good: bool) -> None:
        if self._context.dry_run:
            self._rehearse(index, step)
        elif step.options.when not in ("always", "success" if good else "failure"):
            reason = "the step before it went well" if good else "the step before it did not go well"
            self._note(index, state="skipped", reason=reason)
            self._context.log(f"step {step.name}: skipped, {reason}")
        else:
            self._deliver(index, step)

    def _rehearse(self, index: int, step: Step) -> None:
        self._begin(index)
        cargo = self._cargo(index, step, self._context.stopping)
        try:
            cargo.parcels()
            told = step.destination.rehearse(cargo, self._delivery(index, self._context.stopping))
        except Interrupted:
            raise
        except IdmsError as error:
            self._fail(index, step, error)
            return
        self._note(index, state="rehearsed", address=told, ended_at=self._now())
        self._context.log(f"step {step.name}: {told}")

    def _deliver(self, index: int, step: Step) -> None:
        deadline = Deadline(step.options.timeout)
        tried = 0
        while True:
            tried += 1
            self._begin(index)
            try:
                receipt = self._attempt(index, step, deadline)
            except Unreachable as error:
                self._note(index, state="pending", reason=mask(str(error)), hint=mask(error.hint))
                delay_s = step.options.retry.delay_s(tried)
                if delay_s is not None and not deadline.is_over:
                    self._wait(step, error, delay_s, deadline)
                    continue
                if self._context.tries_again:
                    raise Unreachable(f"step {step.name}: {error}", hint=error.hint) from error
                self._fail(index, step, error)
            except IdmsError as error:
                self._end_badly(index, step, error, deadline)
            else:
                self._end_well(index, step, receipt)
            return

    def _attempt(self, index: int, step: Step, deadline: Deadline) -> Receipt:
        stopping = deadline.also(self._context.stopping)
        cargo = self._cargo(index, step, stopping)
        try:
            with within(deadline):
                return step.destination.deliver(cargo, self._delivery(index, stopping))
        except BrokenOff:
            limit = format_duration(step.options.timeout) if step.options.timeout else ""
            message = f"it took longer than {limit} and had to be broken off: what has arrived is not known"
            raise OutcomeUnknown(message, hint=HINT_UNKNOWN.format(self._context.run_id)) from None
        except IdmsError:
            raise
        except OSError:
            raise
        except Exception as bug:
            reason = f"a bug in idms: {type(bug).__name__}"
            self._note(index, state="unknown", reason=reason, exit_code=3, ended_at=self._now())
            raise

    def _end_well(self, index: int, step: Step, receipt: Receipt) -> None:
        self._note(
            index,
            state="delivered",
            address=mask(receipt.address),
            items=receipt.items,
            size=receipt.size,
            refused=receipt.refused,
            refused_rows=_places(receipt),
            counts=dict(receipt.counts),
            ended_at=self._now(),
            reason="",
            hint="",
        )
        refusals = self._row(index).refusals
        self._context.log(f"step {step.name}: delivered to {receipt.address}{f', but {refusals}' if refusals else ''}")

    def _end_badly(self, index: int, step: Step, error: IdmsError, deadline: Deadline) -> None:
        if isinstance(error, OutcomeUnknown):
            hint = error.hint or HINT_UNKNOWN.format(self._context.run_id)
            self._note(
                index, state="unknown", reason=mask(str(error)), hint=mask(hint), exit_code=1, ended_at=self._now()
            )
            self._context.log(f"step {step.name}: nobody knows: {error}")
            return
        if not isinstance(error, Interrupted):
            self._fail(index, step, error)
            return
        if self._context.stopping():
            self._note(index, state="pending", reason="the run was stopped")
            raise error
        limit = format_duration(step.options.timeout) if step.options.timeout and deadline.is_over else "its time"
        hint = "Give the step a longer `timeout:`, or find out what takes so long."
        self._fail(index, step, IdmsError(f"it took longer than {limit}", hint=hint))

    def _fail(self, index: int, step: Step, error: IdmsError) -> None:
        reason, hint = mask(str(error)), mask(error.hint)
        self._note(index, state="failed", reason=reason, hint=hint, exit_code=error.exit_code, ended_at=self._now())
        self._context.log(f"step {step.name}: failed: {reason}")

    def _wait(self, step: Step, error: Unreachable, delay_s: float, deadline: Deadline) -> None:
        left_s = deadline.left_s(delay_s)
        self._context.log(f"step {step.name}: {error}; tried again in {left_s:.0f} s")
        clock = self._context.clock
        end = clock.ticks() + left_s
        while clock.ticks() < end:
            self._look_for_stop()
            clock.sleep(min(LOOK_EVERY_S, max(end - clock.ticks(), 0)))

    def _look_for_stop(self) -> None:
        if self._context.stopping():
            raise Interrupted("the run was stopped")

    def _begin(self, index: int) -> None:
        row = self._row(index)
        began = row.began_at if row.began_at is not None else self._now()
        self._note(
            index,
            state="delivering",
            attempts=row.attempts + 1,
            began_at=began,
            rows=self._load.rows.count,
            reason="",
            hint="",
        )

    def _cargo(self, index: int, step: Step, stopping: Callable[[], bool]) -> StepCargo:
        making = Making(
            writing=step.writing,
            folder=self._folder(index),
            directory=self._load.directory,
            values=self._load.values,
            stopping=stopping,
            begun=lambda: self._note(index, state="making"),
            done=lambda parcels: self._note_files(index, parcels),
        )
        return StepCargo(self._load.rows, making)

    def _note_files(self, index: int, parcels: Sequence[Parcel]) -> None:
        top = self._context.directory
        files = [
            Made(one.name, str(one.path.relative_to(top)), one.path.stat().st_size, one.rows)
            for one in parcels[:FILES_KEPT]
        ]
        self._note(index, state="delivering", files=tuple(files), made=len(parcels))

    def _delivery(self, index: int, stopping: Callable[[], bool]) -> Delivery:
        def progress(counts: Mapping[str, int]) -> None:
            told = {**self.journal.counts(), "step": index + 1, **{f"step_{name}": n for name, n in counts.items()}}
            self._context.progress(lambda: told)

        return Delivery(
            run_id=self._context.run_id,
            folder=self._folder(index),
            directory=self._load.directory,
            values=self._load.values,
            log=self._context.log,
            progress=progress,
            stopping=stopping,
        )

    def _folder(self, index: int) -> Path:
        folder = self._context.directory / f"step-{index + 1}"
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder

    def _note(self, index: int, **changes: Any) -> None:
        """On disk when it returns."""
        self.journal = self.journal.with_step(index, **changes)
        write_steps(self._context.directory, self.journal)
        self._context.progress(lambda: {**self.journal.counts(), "step": index + 1})

    def _now(self) -> float:
        return self._context.clock.now()


def _places(receipt: Receipt) -> tuple[int, ...] | None:
    """Where the refused rows are; None when not all of them are known."""
    places = tuple(receipt.refused_rows)
    return places if len(places) == receipt.refused <= PLACES_KEPT else None
