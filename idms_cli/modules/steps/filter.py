"""`filter`: the rows for which a condition holds."""

from dataclasses import dataclass

from pydantic import Field

from idms_cli.errors import InputError
from idms_cli.modules.part import Part
from idms_cli.modules.steps import Inward, StepContext, StepOptions, StepResult
from idms_cli.modules.workflows.scope import RowsOf, Scope
from idms_cli.modules.workflows.shapes import Condition
from idms_cli.rows.sources import LOOK_EVERY, Reading
from idms_cli.rows.spool import Spooled, is_spooled, spooling

ROWS = "rows.spool"


class Options(StepOptions):
    """A step that filters."""

    filter: str = Field(description='The condition, of each `row`: "{{ row.Balance > 0 }}".')
    from_: str | None = Field(default=None, alias="from", description="The step with the rows, or an expression.")


@dataclass(frozen=True)
class Filter(Inward):
    """See `Action`."""

    condition: Condition
    rows: RowsOf
    makes_rows: bool = True

    def describe(self) -> str:
        return f"the rows for which {self.condition.template.source}"

    def run(self, context: StepContext) -> StepResult:
        path, source = context.folder / ROWS, context.rows_of(self.rows)
        if not is_spooled(path):
            reading = Reading(stopping=context.run.stopping)
            wanted = {name: context.values[name] for name in self.condition.template.names if name in context.values}
            columns, holds = source.columns, self.condition.holds
            with spooling(path) as spool:
                spool.name(columns)
                spool.is_whole = getattr(source, "is_whole", True)
                for number, cells in enumerate(source, start=1):
                    if not number % LOOK_EVERY:
                        reading.look(number)
                    try:
                        if holds({**wanted, "row": dict(zip(columns, cells, strict=True))}):
                            spool.put(cells)
                    except InputError as wrong:
                        raise InputError(f"row {number:,}: {wrong}", hint=wrong.hint) from wrong
        made = Spooled(path)
        return StepResult(rows=path, counts={"rows": made.count, "left_out": source.count - made.count})

    def rehearse(self, context: StepContext) -> StepResult:
        return self.run(context)


def check(options: Options, part: Part, scope: Scope) -> Filter | None:
    """As `Kind.check`."""
    del options  # its words are read where they stand
    rows, condition = scope.rows(part, ("from",)), scope.condition(part, ("filter",), more=("row",))
    return None if rows is None or condition is None else Filter(condition, rows)
