"""Transfer: the rows of a query, an entity or a file go to other systems, step by step."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from idms_cli.config.documents import Document
from idms_cli.config.problems import ProblemsFound
from idms_cli.config.settings import Settings
from idms_cli.delivery.journal import StepRow, Steps, read_steps, write_steps
from idms_cli.errors import InputError
from idms_cli.files.spool import Taken, read_listing
from idms_cli.modules import DataLock, Outcome, RunContext
from idms_cli.modules.goods import ROWS, BadRows, Goods, select
from idms_cli.modules.leftovers import left_of, take_over
from idms_cli.modules.occasion import kept_values, sample_values
from idms_cli.modules.part import Part
from idms_cli.modules.rowsource import Brought, RowSource, check_source, problems_of
from idms_cli.modules.steplist import Step, check_steps
from idms_cli.modules.stepping import Load, Stepping
from idms_cli.modules.verdict import outcome_of, went_well
from idms_cli.records.counts import Counts
from idms_cli.records.guard import for_some_rows, tripped
from idms_cli.rows.misfits import Misfits
from idms_cli.rows.selecting import SelectOptions, misfits
from idms_cli.rows.sources import Reading
from idms_cli.rows.spool import is_spooled

HINT_UNDO = "Whoever received it has to put it right; send a correction with another run."


class TransferOptions(SelectOptions):
    """The `with:` of a transfer."""

    source: dict[str, Any] = Field(description="Where the rows come from: a query, an entity or a file.")
    steps: list[dict[str, Any]] = Field(min_length=1, description="Where they go, one after the other.")
    empty: Literal["send", "skip"] = Field(
        default="send", description="What is done when there are no rows: the steps all the same, or nothing."
    )


@dataclass(frozen=True)
class Transfer:
    """A checked transfer."""

    options: TransferOptions
    source: RowSource
    steps: Sequence[Step]
    settings: Settings = field(repr=False)
    document: Document = field(repr=False)

    def describe(self) -> str:
        return f"{self.source.describe()} goes {'; '.join(map(_in_words, self.steps))}"

    def locks(self) -> tuple[DataLock, ...]:
        written = dict.fromkeys(step.destination.resource() for step in self.steps)
        return (*self.source.locks(), *(DataLock(resource, write=True) for resource in written))

    def refuse_changed(self, directory: Path) -> Sequence[Taken]:  # noqa: ARG002 - there is no plan in it
        raise InputError("the plan of a transfer is not kept", hint="`idms run` delivers what is there then.")

    def looks_first(self) -> bool:
        return False

    def refuse_nothing_left(self, source: Path) -> None:
        left_of(source, self._fresh_rows())

    def take_over(self, source: Path, target: Path) -> None:
        """What a failed run left, for a run that does the rest of it; see `Delivering`."""
        take_over(source, target, self._fresh_rows())

    def close(self, directory: Path, why: str) -> None:
        journal = read_steps(directory)
        if journal is None:
            return
        for index, step in enumerate(journal.steps):
            if step.state == "delivering":
                journal = journal.with_step(index, state="unknown", reason=why, exit_code=1)
            elif not step.is_over:
                journal = journal.with_step(index, state="pending", reason=why)
        write_steps(directory, journal)

    def run(self, context: RunContext) -> Outcome:
        if context.intent == "undo":
            raise InputError("what was delivered to others cannot be taken back", hint=HINT_UNDO)
        brought = self._bring(context)
        if brought.ended is not None:
            return brought.ended
        try:
            goods = self._select(context)
        except BadRows as bad:
            return Outcome("failed", str(bad), bad.hint, bad.exit_code, {**bad.figures, **brought.calls})
        journal = self._journal(context, goods, brought)
        held = self._held(context, journal)
        if held and not context.dry_run:
            hint = f"`idms show {context.run_id}` says more; then `idms approve {context.run_id}`, or `idms reject`."
            return Outcome("held", f"{held}. Nothing was delivered", hint, 6, journal.counts())
        return self._deliver(context, goods, replace(journal, would_be_held=held))

    def aftercare(self, context: RunContext, outcome: Outcome) -> Callable[[], Outcome] | None:
        journal = read_steps(context.directory)
        if journal is None:
            is_good = outcome.status == "skipped"
        else:
            is_good = outcome.status in ("completed", "partial") and went_well(journal)
        return self.source.aftercare(context, outcome, is_good=is_good)

    def _bring(self, context: RunContext) -> Brought:
        """The rows into the run's directory, unless they are there."""
        if is_spooled(context.directory / ROWS):
            if files := read_listing(context.directory):
                context.sources.take(files)
            return Brought()
        return self.source.bring(context, self._wanted())

    def _wanted(self) -> list[str]:
        """The columns that the job names."""
        return [*(self.options.select or ()), *self.options.rename, *self.options.drop]

    def _select(self, context: RunContext) -> Goods:
        reading = Reading(log=context.log, stopping=context.stopping)
        try:
            return select(context.directory, self.options, reading)
        except Misfits as wrong:
            raise problems_of(wrong, self.document, ("with",)) from wrong

    def _journal(self, context: RunContext, goods: Goods, brought: Brought) -> Steps:
        """What an earlier attempt noted, else a new one."""
        journal = read_steps(context.directory)
        if journal is None:
            journal = Steps(goods.figures, self._fresh_rows(), calls=brought.calls)
        journal = replace(journal, rows=goods.figures, is_dry=context.dry_run)
        write_steps(context.directory, journal)
        context.log(", ".join(f"{number:,} {name}" for name, number in goods.figures.items()))
        return journal

    def _fresh_rows(self) -> tuple[StepRow, ...]:
        return tuple(StepRow(step.name, step.destination.describe(), step.options.when) for step in self.steps)

    def _held(self, context: RunContext, journal: Steps) -> str:
        """Why a guard holds the run; empty when none does."""
        if context.approved or context.intent == "rest" or journal.is_begun:
            return ""  # somebody has seen it
        guard = context.guard if context.row_limit is None else for_some_rows(context.guard)
        counts = Counts(read=journal.rows["read"], rejected=journal.rows["rejected"])
        return "; ".join(tripped(guard, counts, {}, context.usual_rows))

    def _deliver(self, context: RunContext, goods: Goods, journal: Steps) -> Outcome:
        load = Load(goods.rows, kept_values(context), self.settings.directory)
        stepping = Stepping(self.steps, load, context, journal)
        if not goods.rows.count and self.options.empty == "skip":
            journal = stepping.skip_all("there are no rows")
        else:
            journal = stepping.run()
        return outcome_of(journal)


def _in_words(step: Step) -> str:
    when = {"success": "", "failure": "after a failure ", "always": "in any case "}[step.options.when]
    as_format = f"as {step.writing.format} " if step.writing else ""
    return f"{when}{as_format}to {step.destination.describe()}"


def parse(document: Document, settings: Settings, connection: str) -> Transfer:
    """Check a transfer's `with:`. Raises `ProblemsFound` with all problems, of all steps."""
    part = Part(document, ("with",))
    options = part.check(TransferOptions)
    source = check_source(part.below("source"), settings, connection)
    steps = check_steps(part, sample_values(Path(document.path).stem, ZoneInfo("UTC")), settings)
    for misfit in misfits(options) if options else ():
        part.tell_misfit(misfit)
    for key in ("max_changes", "max_deletes"):
        if document.has(("guard", key)):
            hint = "min_rows, usual and max_rejects hold a transfer."
            problem = document.problem(
                ("guard", key), f"a transfer changes no records, so {key} means nothing", hint=hint
            )
            part.problems.append(problem)
    if part.problems or options is None or source is None:
        raise ProblemsFound(dict.fromkeys(part.problems))
    return Transfer(options, source, steps, settings, document)
