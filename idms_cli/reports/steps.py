"""The steps of a transfer: what became of each, where its files lie, and what to do about those that went wrong."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from idms_cli.delivery.journal import StepRow, Steps, read_steps
from idms_cli.history.rows import Run
from idms_cli.reports.page import Line, Page, Table
from idms_cli.reports.wording import duration, some

_WORDS = {"pending": "not done", "rehearsed": "tried", "making": "not done"}
_STYLES = {"failed": "red", "unknown": "red"}
FILES_SHOWN = 3

_UNITS = ("bytes", "KB", "MB", "GB", "TB")


def steps_page(run: Run, directory: Path) -> Page:
    """A line for each step; empty for what is no transfer, or never came to its steps."""
    try:
        found = read_steps(directory)
    except (OSError, ValueError):
        return Page({}, [Line("What became of its steps cannot be read.", "red")])
    if found is None:
        return Page({}, [])
    rows = [_row(step, is_dry=found.is_dry) for step in found.steps]
    columns = ("step", "state", "rows", "files", "size", "took", "tries", "where to")
    table = Table(columns, rows, frozenset({"rows", "files", "size", "took", "tries"}))
    title = "What the steps would do. Nothing was delivered." if found.is_dry else "Steps"
    parts: list[Line | Table] = [Line(""), Line(title, "bold")]
    if found.would_be_held:
        parts.append(Line(f"A real run would be held: {found.would_be_held}"))
    parts += [table, *_told(run, found, directory)]
    return Page(
        {"steps": [_data(step, directory) for step in found.steps], "would_be_held": found.would_be_held}, parts
    )


def size(number: int) -> str:
    """`512 bytes`, `1.2 MB`; `-` for what nobody knows."""
    if not number:
        return "-"
    amount, unit = float(number), 0
    while amount >= 999.5 and unit < len(_UNITS) - 1:
        amount, unit = amount / 1000, unit + 1
    return f"{amount:.0f} {_UNITS[unit]}" if unit == 0 or amount >= 9.95 else f"{amount:.1f} {_UNITS[unit]}"


def _row(step: StepRow, *, is_dry: bool) -> tuple[str, ...]:
    if step.state == "skipped":
        return step.name, "skipped", "", "", "", "", "", step.reason
    state = _WORDS.get(step.state, step.state)
    if step.by_run is not None:
        state = f"{state} by run {step.by_run}"
    took = step.ended_at - step.began_at if step.ended_at and step.began_at else None
    return (
        step.name,
        state,
        _rows(step),
        f"{step.made:,}" if step.made else "",
        size(step.size or (sum(file.size for file in step.files) if is_dry else 0)),
        duration(took),
        f"{step.attempts}" if step.attempts else "",
        step.address or step.to,
    )


def _rows(step: StepRow) -> str:
    if step.refused_rows:
        return f"{step.rows - step.refused:,} of {step.rows:,}"
    return f"{step.rows:,}" if step.attempts else ""


def _told(run: Run, found: Steps, directory: Path) -> Iterator[Line]:
    for number, step in enumerate(found.steps, start=1):
        if found.is_dry:
            yield from _files(step, directory)
        if step.state == "skipped":
            continue
        if step.reason:
            yield Line(f"{step.name}: {step.reason}", _STYLES.get(step.state, ""))
        if step.hint:
            yield Line(f"   {step.hint}")
        if step.refused:
            yield Line(f"{step.name}: {step.refusals}; {directory / f'step-{number}'} has each")
        figures = ", ".join(_figure(name, amount) for name, amount in step.counts.items() if amount)
        if figures:
            yield Line(f"{step.name}: {figures}", "dim")
    if not found.is_dry and not run.is_open and run.status in ("failed", "partial", "cancelled") and _has_rest(found):
        yield Line(f"What is left can be delivered from the rows of this run: idms retry {run.id}")


def _figure(name: str, amount: int) -> str:
    """`365 records`, `1 record`, `3 inserted`."""
    return f"{amount:,} {name.removesuffix('s') if amount == 1 else name}"


def _has_rest(found: Steps) -> bool:
    return any(step.state not in ("delivered", "skipped") for step in found.steps)


def _files(step: StepRow, directory: Path) -> Iterator[Line]:
    for file in step.files[:FILES_SHOWN]:
        yield Line(f"{step.name}: {directory / file.path} ({size(file.size)}, {some(file.rows, 'row')})")
    if step.made > FILES_SHOWN:
        yield Line(f"{step.name}: and {step.made - FILES_SHOWN:,} more")


def _data(step: StepRow, directory: Path) -> dict[str, Any]:
    told = asdict(step)
    told["files"] = [{**file, "path": str(directory / file["path"])} for file in told["files"]]
    return told
