"""`select`: the columns of rows are chosen, renamed, added and dropped."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from idms_cli.config.fields import ListOf
from idms_cli.errors import InputError
from idms_cli.modules.part import Part
from idms_cli.modules.steps import Inward, StepContext, StepOptions, StepResult
from idms_cli.modules.workflows.scope import RowsOf, Scope
from idms_cli.modules.workflows.shapes import Shape
from idms_cli.rows.misfits import Misfits
from idms_cli.rows.selecting import AddOptions, SelectOptions, misfits
from idms_cli.rows.selection import Selection, bind
from idms_cli.rows.sources import LOOK_EVERY, Reading
from idms_cli.rows.spool import Spooled, is_spooled, spooling

ROWS = "rows.spool"


class Options(StepOptions):
    """A step that selects."""

    select: Literal["all"] | Annotated[ListOf[str], Field(min_length=1)] = Field(
        description="The columns, in this order; or all."
    )
    from_: str | None = Field(default=None, alias="from", description="The step with the rows, or an expression.")
    rename: dict[str, str] = Field(default_factory=dict, description="New names: {old: new}.")
    drop: ListOf[str] = Field(default=(), description="Columns that are left out.")
    add: dict[str, AddOptions] = Field(
        default_factory=dict, description="More columns: {template: TEXT} of the row's columns, or {value: CONSTANT}."
    )
    bad_rows: Literal["fail", "skip"] = Field(default="fail", description="When a row cannot be made.")


@dataclass(frozen=True)
class Select(Inward):
    """See `Action`."""

    options: SelectOptions
    rows: RowsOf
    constants: dict[str, Shape]
    """Of added columns whose value is a template of the run."""
    makes_rows: bool = True

    def describe(self) -> str:
        words: dict[str, Iterable[str]] = {
            "add": self.options.add,
            "rename": self.options.rename,
            "drop": self.options.drop,
        }
        told = [f"{word} {', '.join(names)}" for word, names in words.items() if names]
        return "; ".join([", ".join(self.options.select or ("all columns",)), *told])

    def run(self, context: StepContext) -> StepResult:
        path = context.folder / ROWS
        source = context.rows_of(self.rows)
        if not is_spooled(path):
            try:
                selection = bind(self._with_constants(context), source.columns)
            except Misfits as wrong:
                one = wrong.found[0]
                raise InputError(str(wrong), hint=one.hint) from wrong
            self._write(context, source, selection)
        made = Spooled(path)
        return StepResult(rows=path, counts={"rows": made.count, "left_out": source.count - made.count})

    def rehearse(self, context: StepContext) -> StepResult:
        return self.run(context)

    def _with_constants(self, context: StepContext) -> SelectOptions:
        if not self.constants:
            return self.options
        added: dict[str, Any] = dict(self.options.add)
        for name, shape in self.constants.items():
            added[name] = AddOptions(value=shape.text(context.values))
        return self.options.model_copy(update={"add": added})

    def _write(self, context: StepContext, source: Any, selection: Selection) -> None:
        reading = Reading(stopping=context.run.stopping)
        with spooling(context.folder / ROWS) as spool:
            spool.name(selection.columns)
            spool.is_whole = getattr(source, "is_whole", True)
            for number, cells in enumerate(source, start=1):
                if not number % LOOK_EVERY:
                    reading.look(number)
                row = selection.row(cells)
                if isinstance(row, tuple):
                    spool.put(row)
                elif self.options.bad_rows == "fail":
                    hint = "Correct the rows or the template; or say bad_rows: skip, and it is left out."
                    raise InputError(f"row {number:,}: {row[0].field}: {row[0].message}", hint=hint)
                else:
                    spool.is_whole = False
                    context.run.log(f"row {number:,} is left out: {row[0].field}: {row[0].message}")


def check(options: Options, part: Part, scope: Scope) -> Select | None:
    """As `Kind.check`."""
    rows = scope.rows(part, ("from",))
    chosen = SelectOptions(
        select=None if options.select == "all" else options.select,
        rename=options.rename,
        drop=options.drop,
        add=options.add,
        bad_rows=options.bad_rows,
    )
    before = len(part.problems)
    for misfit in misfits(chosen):
        part.tell_misfit(misfit)
    constants = {}
    for name, one in options.add.items():
        if isinstance(one.value, str) and "{" in one.value:
            shape = scope.shape(part, ("add", name, "value"))
            if shape is not None:
                constants[name] = shape
    return None if rows is None or len(part.problems) != before else Select(chosen, rows, constants)
