"""`for-each`: the same steps for each row or item of a list, some at a time; each is journalled when it is over."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from idms_cli.config.fields import Share, ShareOf
from idms_cli.config.foreign import shortened
from idms_cli.config.problems import BadValue
from idms_cli.errors import Held, InputError
from idms_cli.modules.part import Part
from idms_cli.modules.steps import (
    FAILED,
    HELD,
    PARTIAL,
    REHEARSED,
    SUCCEEDED,
    Closing,
    InnerResult,
    Inward,
    Remembering,
    Step,
    StepContext,
    StepOptions,
    StepResult,
)
from idms_cli.modules.workflows.branches import Piece, together
from idms_cli.modules.workflows.engine import all_steps
from idms_cli.modules.workflows.given import cell_of, spool_each
from idms_cli.modules.workflows.items import Items, open_items
from idms_cli.modules.workflows.notes import read_note
from idms_cli.modules.workflows.pausing import pause
from idms_cli.modules.workflows.scope import ALWAYS, RowsOf, Scope
from idms_cli.modules.workflows.shapes import Shape
from idms_cli.modules.workflows.undoing import Undoing
from idms_cli.modules.workflows.views import NotKnown, RowsView, Unanswered

ROWS = "rows.spool"
MOST_REHEARSED = 20
"""Items that a dry run goes through."""
MOST_LINES = 20
"""Items that failed are told in the log one by one up to here; the journal has them all."""


def _item_name(text: str) -> str:
    if not text.isidentifier() or not text.isascii() or text.startswith("_") or len(text) > 60:
        raise BadValue("a name for templates is one word of letters, digits and _", hint="write as: member")
    if text in ALWAYS or text in ("loop", "range", "true", "false", "none", "not", "and", "or", "is", "in"):
        raise BadValue(f"'{text}' means something else in templates", hint="write as: member")
    return text


class Options(StepOptions):
    """The step."""

    for_each: str | list[Any] = Field(alias="for-each", description="A step with rows, a list, or a template of one.")
    as_: Annotated[str, AfterValidator(_item_name)] = Field(
        default="item", alias="as", description="What templates call the item; NAME_number is its place, from 1."
    )
    steps: list[dict[str, Any]] = Field(min_length=1, description="What is done for each.")
    limit: int = Field(default=1_000, ge=1, le=1_000_000, description="More items fail the step before the first one.")
    concurrency: int = Field(default=1, ge=1, le=32, description="Items at the same time at most.")
    max_failed: ShareOf = Field(default=Share(count=0), description="Items that may fail before no more are begun.")
    collect: dict[str, Any] = Field(
        default_factory=dict, description="Columns of a row that each item gives: {ID: '{{ made.json.id }}'}."
    )


def check(options: Options, part: Part, scope: Scope) -> "_ForEach | None":
    """As `Kind.check`."""
    before, number = len(part.problems), f"{options.as_}_number"
    for name in (options.as_, number):
        if name in scope.earlier:
            part.tell(("as",), f"a step is called '{shortened(name)}' already", "Call the item otherwise.")
    source = _source(options, part, scope)
    within = scope.within(options.as_, number)
    steps = tuple(scope.check_steps(part.below("steps"), within))
    names = [step.options.name for step in steps if step.options.name]
    collect = scope.shape(part, ("collect",), more=(options.as_, number, *names)) if options.collect else None
    if source is None or len(part.problems) != before:
        return None
    return _ForEach(options, source, steps, collect)


def _source(options: Options, part: Part, scope: Scope) -> RowsOf | None:
    given = options.for_each
    if isinstance(given, str) and "{" not in given:
        return scope.rows(part, ("for-each",))
    shape = scope.shape(part, ("for-each",))
    return None if shape is None else RowsOf(shape=shape)


@dataclass(frozen=True)
class _ForEach(Inward):
    """See `Action` and `Containing`."""

    options: Options
    source: RowsOf
    steps: Sequence[Step]
    collect: Shape | None

    @property
    def makes_rows(self) -> bool:
        return self.collect is not None

    def describe(self) -> str:
        several = f", {self.options.concurrency} at a time" if self.options.concurrency > 1 else ""
        return f"{len(self.steps)} step{'s' if len(self.steps) > 1 else ''} for each {self.options.as_}{several}"

    def inside(self) -> Iterator[tuple[str, Sequence[Step]]]:
        yield "", self.steps

    def run(self, context: StepContext) -> StepResult:
        """Done again, items that are over are not repeated, nor what is over of one that is not."""
        items = self._items(context)
        count = len(items)
        if count > self.options.limit:
            hint = "Look whether that is meant; then raise `limit:`."
            raise InputError(f"there are {count:,} items, and `limit:` is {self.options.limit:,}", hint=hint)
        wanted = min(count, _most(context)) if context.run.dry_run else count
        with open_items(context.folder) as journal:
            journal.keep_shape(count, context.run.run_id)
            rounds = _Round(self, context, journal, wanted)
            together(rounds.pieces(items), self.options.concurrency, ended=rounds.ended)
            if rounds.is_stopped:
                pause(context, 0)
            return self._result(context, journal, rounds, count)

    def rehearse(self, context: StepContext) -> StepResult:
        """The first items, in the dry form of their steps."""
        return self.run(context)

    def _items(self, context: StepContext) -> "list[Any] | tuple[Any, ...] | RowsView":
        if self.source.shape is None:
            return RowsView(context.rows_of(self.source))
        found = self.source.shape.render(context.values)
        if isinstance(found, Unanswered):
            raise NotKnown(f"what step {found.step} would give is not known in a dry run")
        if not isinstance(found, list | tuple | RowsView):
            what = "a mapping" if isinstance(found, Mapping) else "one value"
            raise InputError(f"for-each: a list is wanted, and this is {what}", hint="Put |items after a mapping.")
        return found

    def gave(self, number: int, item: Any, result: InnerResult, context: StepContext) -> Any:
        """The row that an item gives. Raises `InputError`, and `NotKnown` in a dry run."""
        if self.collect is None or result.status == FAILED:
            return None
        row = self.collect.render({**context.values, **self.names(number, item), **result.outputs})
        return {name: cell_of(value, number, name) for name, value in row.items()}

    def names(self, number: int, item: Any) -> dict[str, Any]:
        """What templates see of an item."""
        return {self.options.as_: item, f"{self.options.as_}_number": number}

    def _result(self, context: StepContext, journal: Items, rounds: "_Round", count: int) -> StepResult:
        tally = journal.tally()
        failed, done = tally.get(FAILED, 0), sum(tally.values())
        output = {"items": count, "succeeded": done - failed, "failed": failed}
        counts = {**journal.counts(), "items_done": done - failed, "items_failed": failed}
        if rounds.held is not None:
            held, code = rounds.held, rounds.held.exit_code or Held.exit_code
            return StepResult(output, counts=counts, status=HELD, reason=held.reason, hint=held.hint, exit_code=code)
        rows = context.folder / ROWS if self.collect is not None else None
        unknown = rows is not None and (rounds.unknown or rounds.wanted < count)
        if rows is not None:
            counts["rows"] = spool_each(journal.gave(), rows).count
        told = f"{done - failed:,} of {count:,} items"
        bad = journal.first(FAILED) or journal.first(PARTIAL)
        if bad is None:
            status = REHEARSED if context.run.dry_run else SUCCEEDED
            rows = None if unknown else rows
            return StepResult(output, rows=rows, counts=counts, status=status, reason=told, unknown=unknown, sums=True)
        is_over = self.options.max_failed.exceeded(failed, count)
        more = f"; {failed:,} items failed" if failed > 1 else ""
        return StepResult(
            output,
            rows=rows,
            counts=counts,
            status=FAILED if is_over else PARTIAL,
            reason=f"item {bad.number:,}: {bad.reason}{more}; {told} are done",
            hint=bad.hint,
            exit_code=bad.exit_code or 1,
            sums=True,
        )

    def close(self, folder: Path, why: str) -> None:
        """As `Closing`, for the items that were begun."""
        for item in folder.glob("[0-9]*"):
            for path, step in all_steps(self.steps):
                note = read_note(item / path) if "*" not in path else None
                if note is not None and not note.is_over and isinstance(step.action, Closing):
                    step.action.close(item / path, why)


class _Round:
    """One attempt at all items that are not over."""

    def __init__(self, action: _ForEach, context: StepContext, journal: Items, wanted: int) -> None:
        self._action = action
        self._context = context
        self._journal = journal
        self.wanted = wanted
        self._over = journal.over()
        self._failed = journal.tally().get(FAILED, 0)
        self._lines = 0
        self._items: dict[int, Any] = {}
        self.held: InnerResult | None = None
        self._keeps = any(_is_wanted_later(step) for _, step in all_steps(action.steps))
        self.unknown = False
        """A dry run does not know what some item would give."""
        self.goes_on = True

    def pieces(self, items: "list[Any] | tuple[Any, ...] | RowsView") -> Iterator[Piece]:
        """What is to be done for each, until the step is stopped."""
        for number, item in enumerate(items.records() if isinstance(items, RowsView) else items, start=1):
            if number > self.wanted or self._context.run.stopping():
                return
            if number not in self._over:
                self._items[number] = item
                values = self._action.names(number, item)
                yield number, partial(self._context.inner, self._action.steps, f"{number}", values, told=False)

    def ended(self, number: int, result: InnerResult) -> bool:
        """Keep what became of an item; whether to go on."""
        item = self._items.pop(number)
        if result.status == HELD:
            self.held = result
            self.goes_on = False
            return False
        try:
            gave = self._action.gave(number, item, result, self._context)
        except NotKnown:
            gave, self.unknown = None, True
        except InputError as error:
            result = InnerResult(FAILED, {}, result.counts, f"collect: {error}", error.hint, error.exit_code)
            gave = None
        self._journal.add(number, result, gave)
        if result.status == FAILED:
            self._failed += 1
            self._log(number, result)
        elif not self._keeps:
            shutil.rmtree(self._context.folder / f"{number}", ignore_errors=True)
        self._over.add(number)
        done = len(self._over)
        self._context.run.progress(lambda: {"items": self.wanted, "items_done": done})
        self.goes_on = self.goes_on and not self._action.options.max_failed.exceeded(self._failed, self.wanted)
        return self.goes_on

    @property
    def is_stopped(self) -> bool:
        """Some items are not over, and nothing of theirs is the reason."""
        return self.held is None and self.goes_on and len(self._over) < self.wanted

    def _log(self, number: int, result: InnerResult) -> None:
        self._lines += 1
        if self._lines <= MOST_LINES:
            self._context.run.log(f"item {number:,} failed: {result.reason}")
        elif self._lines == MOST_LINES + 1:
            self._context.run.log("more items failed; the step's folder has them all")


def _is_wanted_later(step: Step) -> bool:
    """What lies in its folder is wanted after the item: to be remembered, or by whoever takes the run back."""
    return isinstance(step.action, Remembering | Undoing)


def _most(context: StepContext) -> int:
    return min(MOST_REHEARSED, context.run.row_limit or MOST_REHEARSED)
