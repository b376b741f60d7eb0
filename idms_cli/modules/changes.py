"""Of the rows of a transfer only what changed: the stage between what was selected and the steps."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from idms_cli.errors import InputError, Unreachable
from idms_cli.files.writers import Rows
from idms_cli.modules import RunContext
from idms_cli.modules.goods import Goods
from idms_cli.rows.delta import Delta, DeltaOptions
from idms_cli.rows.memory import memory_path, open_memory
from idms_cli.rows.since import Since, SinceOptions

HINT_PART = "The site changed while it was read, or its query has no sort: try again, or name its `key:`."


@dataclass(frozen=True)
class Changes:
    """What one run of a job sends of its rows, by what the job has delivered before."""

    delta: Delta | None
    since: Since | None

    @classmethod
    def of(cls, delta: DeltaOptions | None, since: SinceOptions | None, context: RunContext) -> "Changes":
        if delta is not None and context.row_limit is not None:  # of some rows nobody can tell which vanished
            delta = delta.model_copy(update={"vanished": False, "mark": delta.marked_in})
        place = (context.state, context.job)
        return cls(
            Delta(*place, delta, context.directory) if delta else None,
            Since(*place, since, context.directory) if since else None,
        )

    def narrow(self, goods: Goods, context: RunContext) -> Goods:
        """The rows that go out, each attempt the same. Raises `InputError`, and `Unreachable` for rows in part."""
        rows, figures = goods.rows, dict(goods.figures)
        if self.delta or self.since:
            refuse_overtaken(context.state, context.job, context.run_id)
        if self.since is not None:
            rows = self.since.narrow(rows, stopping=context.stopping)
            figures["older"] = goods.rows.count - rows.count
        if self.delta is not None:
            if self.delta.options.vanished and not goods.is_whole:
                message = "not all rows came that there are, so nobody can tell which have vanished"
                raise Unreachable(message, hint=HINT_PART)
            compared = self.delta.compare(rows, stopping=context.stopping)
            rows, counts = compared.rows, compared.counts
            figures |= {
                "unchanged": counts.unchanged,
                "new": counts.new,
                "changed": counts.changed,
                "vanished": counts.vanished,
            }
        return replace(goods, rows=rows, figures={**figures, "selected": rows.count})

    def remember(self, context: RunContext, rows: Rows, refused: Collection[int]) -> None:
        """Every step delivered all of `rows` but those at the `refused` places, from 1; done again, it does no harm."""
        at = int(context.clock.now())
        if self.delta is not None:
            self._forget(self.delta, rows, refused)
            kept = self.delta.remember(context.run_id, at, self._facts(refused))
        elif self.since is not None and not refused:
            kept = self.since.remember(context.run_id, at)
        else:
            return
        if not kept:
            context.log("what was delivered is not remembered: the memory was reset while the run went on")

    def _facts(self, refused: Collection[int]) -> Mapping[str, str | int] | None:
        """The watermark stays where it is while rows behind it are still to be delivered."""
        return self.since.facts() if self.since is not None and not refused else None

    def _forget(self, delta: Delta, rows: Rows, refused: Collection[int]) -> None:
        """A key that is dropped while the run goes on is not remembered by it: so its row goes out again."""
        if not refused:
            return
        place = rows.columns.index(delta.options.key)
        keys = [str(cells[place]) for number, cells in enumerate(rows, start=1) if number in refused]
        with open_memory(delta.state, delta.job) as memory:
            memory.drop(keys)


def refuse_overtaken(state: Path, job: str, run: int) -> None:
    """Raises `InputError` when a later run has delivered: what this one would send is old, and was sent with that."""
    if not memory_path(state, job).exists():
        return
    with open_memory(state, job) as memory:
        last = memory.about("run")
    if isinstance(last, int) and last > run:
        hint = "Nothing is left to do: a run sends all that was not delivered before it."
        raise InputError(f"run {last} of {job} has delivered since; what run {run} read is old", hint=hint)
