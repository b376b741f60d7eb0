"""What is said of a delivery that a database does not take: where, which value, what to do."""

from collections.abc import Sequence
from itertools import islice

from idms_cli.config.durations import format_duration
from idms_cli.config.foreign import shortened
from idms_cli.config.secrets import mask
from idms_cli.delivery.sql.copytext import CellRefused
from idms_cli.delivery.sql.target import Target
from idms_cli.delivery.sql.task import AS_IT_WAS, Task
from idms_cli.errors import DeliveryRefused, Interrupted, Unreachable

LONGEST = 200
"""Characters of a foreign text. It may quote a row."""

_CORRECT = "Correct the value where it comes from, by a template under `add:`, or the type of the column."


def words(text: str, *, limit: int = LONGEST) -> str:
    """A foreign text, ready to end a sentence."""
    return shortened(mask(" ".join(text.split())), limit).rstrip(".")


def row_refused(task: Task, row: int, index: int | None, reason: str, hint: str = _CORRECT) -> DeliveryRefused:
    """A row, from 1, and which of its cells, from 0, where that is known."""
    cells = None if index is None else next(islice(task.rows, row - 1, None), None)
    if index is None or cells is None:
        what = f"row {row:,}: {reason}"
    else:
        text = str(cells[index]).encode("utf-8", "backslashreplace").decode()
        value = "nothing" if cells[index] is None else f"'{words(text, limit=60)}'"
        what = f"row {row:,}, {shortened(task.rows.columns[index])}: {value} is not taken: {reason}"
    return DeliveryRefused(f"{task.shown}: table {task.table}: {what}. {AS_IT_WAS}", hint=hint)


def cell_refused(task: Task, refused: CellRefused) -> DeliveryRefused:
    """A cell that was not even sent."""
    return row_refused(task, refused.row, refused.column, str(refused))


def doubles(task: Task, target: Target, found: Sequence[Sequence[object]]) -> DeliveryRefused:
    """How many rows have a key, and the key, for some of those that several have."""
    told = []
    for count, *values in found:
        key = [f"{name} {words(str(each), limit=40)}" for name, each in zip(target.key, values, strict=True)]
        told.append(f"{count} rows have {', '.join(key)}")
    return DeliveryRefused(
        f"{task.shown}: table {task.table}: {'; '.join(told)}; nobody knows which is right. {AS_IT_WAS}",
        hint="Name more columns in `key:`, or let the source give each key once.",
    )


def no_space(task: Task, text: str) -> DeliveryRefused:
    return DeliveryRefused(
        f"{task.shown}: the database has no space left: {words(text)}. {AS_IT_WAS}",
        hint="Make room where it is, or raise its limit.",
    )


def locked(task: Task) -> Unreachable:
    limit = format_duration(task.options.lock_timeout)
    return Unreachable(
        f"{task.shown}: another session keeps table {task.table} locked, longer than {limit}. {AS_IT_WAS}",
        hint="`lock_timeout:` says how long to wait; PostgreSQL tells who it is in pg_locks and pg_stat_activity.",
    )


def too_slow(task: Task) -> Unreachable:
    limit = format_duration(task.options.statement_timeout)
    return Unreachable(
        f"{task.shown}: the database was at work on one statement for longer than {limit}. {AS_IT_WAS}",
        hint="Is it overloaded? `statement_timeout:` of the step says how long it may take.",
    )


def broken_off(task: Task) -> Interrupted | Unreachable | None:
    """Why the watch broke it off, if it did."""
    if task.watch.reason == "stopped":
        return Interrupted("the run was stopped")
    if task.watch.reason == "silent":
        limit = format_duration(task.options.statement_timeout)
        return Unreachable(
            f"{task.shown}: nothing came from the database for longer than {limit}. {AS_IT_WAS}",
            hint="Is it overloaded, or the network gone? `statement_timeout:` says how long it may be silent.",
        )
    return None


def cut(task: Task, text: str) -> Unreachable:
    return Unreachable(
        f"{task.shown}: the connection was cut: {words(text)}. {AS_IT_WAS}",
        hint="Nothing is half done: it can be sent again.",
    )
