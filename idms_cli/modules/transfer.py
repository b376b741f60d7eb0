"""Transfer: the rows of a query, an entity or a file go to other systems, step by step."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from idms_cli.config.documents import Document
from idms_cli.config.problems import Problem, ProblemsFound
from idms_cli.config.settings import Settings
from idms_cli.delivery.journal import StepRow, Steps, read_steps, write_steps
from idms_cli.errors import Held, InputError
from idms_cli.files.spool import Taken, read_listing
from idms_cli.modules import DataLock, OnlineCheck, Outcome, RunContext, SiteOf
from idms_cli.modules.changes import Changes, refuse_overtaken
from idms_cli.modules.goods import ROWS, BadRows, Goods, select
from idms_cli.modules.leftovers import left_of, take_over
from idms_cli.modules.occasion import kept_values
from idms_cli.modules.part import Part
from idms_cli.modules.rowsource import Brought, RowSource, check_source, problems_of
from idms_cli.modules.steplist import Step, check_steps, refuse_same_names
from idms_cli.modules.stepping import Load, Stepping
from idms_cli.modules.verdict import has_arrived, not_delivered, outcome_of, tripped_by_rows
from idms_cli.records.guard import for_some_rows
from idms_cli.rows.delta import DeltaOptions
from idms_cli.rows.misfits import Misfits
from idms_cli.rows.selecting import SelectOptions, misfits
from idms_cli.rows.selection import bind
from idms_cli.rows.since import SinceOptions
from idms_cli.rows.sources import Reading
from idms_cli.rows.spool import is_spooled
from idms_cli.templates.moments import sample_occasion

HINT_UNDO = "Whoever received it has to put it right; send a correction with another run."


class TransferOptions(SelectOptions):
    """The `with:` of a transfer."""

    source: dict[str, Any] = Field(description="Where the rows come from: a query, an entity or a file.")
    steps: list[dict[str, Any]] = Field(min_length=1, description="Where they go, one after the other.")
    delta: DeltaOptions | None = Field(default=None, description="Only rows that are new or changed go out.")
    since: SinceOptions | None = Field(default=None, description="Only rows from the last watermark on go out.")
    empty: Literal["send", "skip"] | None = Field(
        default=None,
        description="What is done when there are no rows to send: the steps all the same (send), or nothing (skip). "
        "If unset, skip with delta or since, else send.",
    )

    @property
    def skips_empty(self) -> bool:
        """Whether nothing is delivered when there are no rows."""
        return (self.empty or ("skip" if self.delta or self.since else "send")) == "skip"


@dataclass(frozen=True)
class Transfer:
    """A checked transfer."""

    options: TransferOptions
    source: RowSource
    steps: Sequence[Step]
    settings: Settings = field(repr=False)
    document: Document = field(repr=False)

    def describe(self) -> str:
        changed = "what changed in " if self.options.delta or self.options.since else ""
        return f"{changed}{self.source.describe()} goes {'; '.join(map(_in_words, self.steps))}"

    def check_online(self, site_of: SiteOf) -> OnlineCheck:
        part, warnings = Part(self.document, ("with",)), Part(self.document, ("with", "source"))
        try:
            said = self.source.check_online(site_of)
            for each in said.problems:
                part.below("source").tell(each.key, each.message, each.hint)
            for each in said.warnings:
                warnings.tell(each.key, each.message, each.hint)
            if said.columns is not None:
                bind(self.options, said.columns)
        except ProblemsFound as found:
            part.problems.extend(found.problems)
        except Misfits as wrong:
            part.problems.extend(problems_of(wrong, self.document, part.at).problems)
        return OnlineCheck(tuple(part.problems), tuple(warnings.problems))

    def locks(self) -> tuple[DataLock, ...]:
        written = dict.fromkeys(step.destination.resource() for step in self.steps)
        return (*self.source.locks(), *(DataLock(resource, write=True) for resource in written))

    def refuse_changed(self, directory: Path) -> Sequence[Taken]:  # noqa: ARG002 - there is no plan in it
        raise InputError("the plan of a transfer is not kept", hint="`idms run` delivers what is there then.")

    def looks_first(self) -> bool:
        return False

    def refuse_nothing_left(self, source: Path) -> None:
        if self.options.delta or self.options.since:
            refuse_overtaken(self.settings.state, Path(self.document.path).stem, int(source.name))
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
        changes = Changes.of(self.options.delta, self.options.since, context)
        try:
            selected = self._select(context)
        except BadRows as bad:
            return Outcome("failed", str(bad), bad.hint, bad.exit_code, {**bad.figures, **brought.calls})
        goods = changes.narrow(selected, context)
        if context.intent == "test" and not goods.rows.count:  # nothing has changed, and the steps are to be tried
            goods = selected
        journal = self._journal(context, goods, brought)
        held = self._held(context, journal)
        if held and not context.dry_run:
            hint = f"`idms show {context.run_id}` says more; then `idms approve {context.run_id}`, or `idms reject`."
            return Outcome("held", f"{held}. Nothing was delivered", hint, Held.exit_code, journal.counts())
        journal = self._deliver(context, goods, replace(journal, would_be_held=held))
        undelivered = None if context.dry_run else not_delivered(journal)
        if undelivered is not None:
            changes.remember(context, goods.rows, undelivered)
        return outcome_of(journal)

    def aftercare(self, context: RunContext, outcome: Outcome) -> Callable[[], Outcome] | None:
        journal = read_steps(context.directory)
        if journal is None:
            is_good = outcome.status == "skipped"
        else:
            is_good = outcome.status in ("completed", "partial") and has_arrived(journal)
        return self.source.aftercare(context, outcome, is_good=is_good)

    def _bring(self, context: RunContext) -> Brought:
        """The rows into the run's directory, unless they are there."""
        if is_spooled(context.directory / ROWS):
            if files := read_listing(context.directory):
                context.sources.take(files)
            return Brought()
        return self.source.bring(context, self._wanted())

    def _wanted(self) -> list[str]:
        """The columns that the job names, and that the source is to have."""
        options = self.options
        named = [*(options.select or ()), *options.rename, *options.drop]
        return [name for name in named if name not in options.add]

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
        return "; ".join([*tripped_by_rows(guard, journal.rows, context.usual_rows)])

    def _deliver(self, context: RunContext, goods: Goods, journal: Steps) -> Steps:
        load = Load(goods.rows, kept_values(context), self.settings.directory)
        stepping = Stepping(self.steps, load, context, journal)
        if not goods.rows.count and self.options.skips_empty:
            return stepping.skip_all("there is nothing to send")
        return stepping.run()


def _in_words(step: Step) -> str:
    when = {"success": "", "failure": "after a failure ", "always": "in any case "}[step.options.when]
    as_format = f"as {step.writing.format} " if step.writing else ""
    return f"{when}{as_format}to {step.destination.describe()}"


def parse(document: Document, settings: Settings, connection: str) -> Transfer:
    """Check a transfer's `with:`. Raises `ProblemsFound` with all problems, of all steps."""
    part = Part(document, ("with",))
    options = part.check(TransferOptions)
    source = check_source(part.below("source"), settings, connection)
    steps = check_steps(part, sample_occasion(Path(document.path).stem), settings)
    for misfit in misfits(options) if options else ():
        part.tell_misfit(misfit)
    if options is not None:
        part.problems.extend(_misfits_of_changes(options, document))
        if options.delta or options.since:
            refuse_same_names(steps, part)
    if part.problems or options is None or source is None:
        raise ProblemsFound(dict.fromkeys(part.problems))
    return Transfer(options, source, steps, settings, document)


def _misfits_of_changes(options: TransferOptions, document: Document) -> Iterator[Problem]:
    """What does not go with `delta:` and `since:`, or needs them."""
    for key in ("max_changes", "max_deletes"):
        if document.has(("guard", key)) and options.delta is None:
            hint = "min_rows, usual and max_rejects hold any transfer; this one needs delta:."
            yield document.problem(("guard", key), f"without delta: nobody counts what {key} limits", hint=hint)
    if options.delta and options.delta.vanished:
        at = ("with", "delta", "vanished")
        if options.since:
            hint = "Leave one of them out."
            yield document.problem(at, "of the rows since a watermark nobody can tell which have vanished", hint=hint)
        if options.bad_rows == "skip":
            hint = "Leave bad_rows: skip out."
            yield document.problem(at, "a row that is left out as bad would be told as vanished", hint=hint)
