"""The steps of a workflow: a line for each, long stretches of the same folded, so that a person can read a thousand."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from itertools import groupby
from typing import Any

from idms_cli.history.rows import Run
from idms_cli.history.steps import StepRow
from idms_cli.reports.page import Line, Page, Table
from idms_cli.reports.wording import duration, some

UNFOLDED = 40
"""So many steps have a line each; of more, stretches that say the same are folded."""

FOLDED_FROM = 4

_STYLES = {"failed": "red", "held": "yellow", "partial": "yellow"}
_TOLD = (
    "inserted",
    "updated",
    "deleted",
    "unchanged",
    "rejected",
    "new",
    "changed",
    "left_out",
    "items",
    "refused",
    "left",
)

_WORDS = {"left_out": "left out", "left": "to write"}


def workflow_page(run: Run, steps: Sequence[StepRow], *, every: bool = False) -> Page:
    """The steps in the order in which they stand; nothing for what is no workflow. `every`: nothing is folded."""
    if not steps:
        return Page({}, [])
    ordered = [row if run.is_open else _settled(row) for row in _ordered(steps)]
    lines = [_line(row) for row in ordered]
    if len(ordered) > UNFOLDED and not every:
        lines = [*_folded(ordered)]
    columns = ("step", "what", "state", "rows", "took", "what came of it")
    title = "What the steps would do. Nothing was changed." if run.dry_run else "Steps"
    parts: list[Line | Table] = [Line(""), Line(title, "bold"), Table(columns, lines, frozenset({"rows", "took"}))]
    if len(lines) < len(ordered):
        parts.append(Line(f"idms show {run.id} --steps has a line for each of the {len(ordered):,} steps", "dim"))
    for row in ordered:
        if row.status in _STYLES and row.reason:
            parts.append(Line(f"{row.path}: {row.reason}", _STYLES[row.status]))
            if row.hint and row.hint != run.hint:
                parts.append(Line(f"   {row.hint}"))
    parts += _to_do(run, ordered)
    return Page({"workflow": [_data(row) for row in ordered]}, parts)


def _settled(row: StepRow) -> StepRow:
    """A step that was at work when its process died, and that nobody went on with."""
    return replace(row, status="interrupted") if row.status == "running" else row


def _to_do(run: Run, steps: Sequence[StepRow]) -> Iterator[Line]:
    yield Line(f"The data after a step: idms show {run.id} --data STEP", "dim")
    if run.status in ("failed", "cancelled") and not run.dry_run:
        at = next((row.path for row in steps if row.status in ("failed", "cancelled", "interrupted")), "")
        where = f" at {at.partition('/')[0]}" if at else ""
        yield Line(f"It can go on{where}, with what the steps before it gave: idms retry {run.id}")


def _ordered(steps: Sequence[StepRow]) -> Iterator[StepRow]:
    """Each step, then those within it; those of a workflow that it runs have numbers of their own."""
    by_path = {row.path: row for row in steps}
    inside: dict[str, list[StepRow]] = {}
    for row in steps:
        inside.setdefault(_around(row.path, by_path), []).append(row)

    def walk(path: str) -> Iterator[StepRow]:
        for row in sorted(inside.get(path, ()), key=lambda row: (row.position, row.path)):
            yield row
            yield from walk(row.path)

    yield from walk("")


def _around(path: str, known: Any) -> str:
    """The nearest step around; empty for one of the workflow itself."""
    while "/" in path:
        path = path.rpartition("/")[0]
        if path in known:
            return path
    return ""


def _line(row: StepRow) -> tuple[str, ...]:
    depth = row.path.count("/")
    name = row.path if not depth else "  " * ((depth + 1) // 2) + row.path.partition("/")[2]
    tries = f" ({row.attempts} tries)" if row.attempts > 1 else ""
    rows = "" if row.rows is None else f"{row.rows:,}"
    return name, _what(row), f"{row.status}{tries}", rows, _took(row), _came(row)


def _what(row: StepRow) -> str:
    return f"{row.kind} {row.job}" if row.job and not row.job.endswith(f".{row.path}") else row.kind


def _took(row: StepRow) -> str:
    return "" if row.status == "skipped" or row.duration_s is None else duration(row.duration_s)


def _came(row: StepRow) -> str:
    figures = ", ".join(_figure(name, row.counts[name]) for name in _told_of(row))
    reason = "" if row.status in _STYLES else row.reason
    return "; ".join(filter(None, (reason, figures)))


def _figure(name: str, number: int) -> str:
    return some(number, "item") if name == "items" else f"{number:,} {_WORDS.get(name, name)}"


def _told_of(row: StepRow) -> Iterator[str]:
    """`changed` is the sum of what a job wrote, and told by its parts."""
    for name in _TOLD:
        if row.counts.get(name) and not (name == "changed" and row.kind == "run"):
            yield name


def _folded(steps: Sequence[StepRow]) -> Iterator[tuple[str, ...]]:
    def alike(row: StepRow) -> tuple[str, ...]:
        own = row.path if row.status in _STYLES or row.status in ("running", "cancelled") else ""
        return own, row.status, row.reason if row.status == "skipped" else ""

    for (_, status, reason), group in groupby(steps, alike):
        rows = list(group)
        if len(rows) < FOLDED_FROM:
            yield from map(_line, rows)
            continue
        took = sum(row.duration_s or 0.0 for row in rows)
        many = sum(row.rows or 0 for row in rows)
        kinds = dict.fromkeys(row.kind for row in rows)
        what = " ".join(kinds) if len(kinds) < FOLDED_FROM else f"{len(kinds)} kinds"
        yield (
            f"{rows[0].path} ... {rows[-1].path}",
            what,
            status,
            f"{many:,}" if many else "",
            "" if status == "skipped" else duration(took),
            "; ".join(filter(None, (some(len(rows), "step"), reason))),
        )


def _data(row: StepRow) -> dict[str, Any]:
    return {**asdict(row), "duration_s": row.duration_s}
