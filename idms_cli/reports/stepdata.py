"""The data of a workflow after one of its steps: as JSON that a person can read, bounded, without what is secret."""

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

from idms_cli.config.secrets import mask
from idms_cli.errors import InputError
from idms_cli.history.rows import Run
from idms_cli.history.steps import StepRow
from idms_cli.modules.workflows.notes import Note, read_json, read_note
from idms_cli.modules.workplaces import STEPS
from idms_cli.reports.page import Line, Page
from idms_cli.rows.spool import Spooled
from idms_cli.templates.values import is_whole

ITEMS, CHARACTERS, DEPTH = 20, 2_000, 12
"""Of a list, of a text, of what stands within one another: more is left out, and told."""
MOST = 1_000_000
"""Characters of the whole."""

_SECRET = re.compile(
    r"pass(word|wd|phrase)?s?$|secret|tokens?$|api[-_ ]?key|authorization|cookie|credential", re.IGNORECASE
)


def step_data(run: Run, steps: list[StepRow], directory: Path, wanted: str) -> Page:
    """What each step up to the wanted one gave, by name; rows are the first ones, with their number and their place.

    Raises `InputError` for a step that there is not, or whose data is gone.
    """
    known = [row.path for row in steps]
    if wanted not in known:
        hint = f"Steps: {', '.join(known[:20])}{', ...' if len(known) > 20 else ''}." if known else ""
        raise InputError(f"run {run.id} has no step '{wanted}'", hint=hint or "It is no run of a workflow.")
    if not directory.exists():
        raise InputError(
            f"the data of run {run.id} is no longer kept", hint="`journals:` in `retention:` says how long."
        )
    inside, _, _ = wanted.rpartition("/")
    data: dict[str, Any] = {"input": _input(_place(directory, wanted)[0])}
    for path in known:
        if path.rpartition("/")[0] == inside:
            workflow, folder = _place(directory, path)
            note = read_note(folder)
            if note is not None:
                data[path.rpartition("/")[2]] = _of(note, workflow)
        if path == wanted:
            break
    text = mask(json.dumps(bounded(data), indent=2, ensure_ascii=False))
    if len(text) > MOST:
        text = f"{text[:MOST]}\n... cut after {MOST:,} characters"
    return Page({"run": run.id, "step": wanted, "data": json.loads(mask(json.dumps(bounded(data))))}, _lines(text))


def _lines(text: str) -> list[Line]:
    return [Line(line) for line in text.splitlines()]


def _place(directory: Path, path: str) -> tuple[Path, Path]:
    """The directory of its workflow and the folder of a step: a workflow which a step runs has steps of its own."""
    folder, names = directory / STEPS, path.split("/")
    for name in names:
        inner = folder / name
        if not inner.is_dir() and (folder / STEPS / name).is_dir():
            directory, inner = folder, folder / STEPS / name
        folder = inner
    return directory, folder


def _input(directory: Path) -> Any:
    try:
        return read_json(directory / "input.json")
    except FileNotFoundError:
        return {}


def _of(note: Note, directory: Path) -> Any:
    if not note.rows:
        output = note.output if note.shown is None else note.shown
        return output if note.went_well else {"status": note.status, "reason": note.reason}
    rows = Spooled(directory / note.rows)
    first = [dict(zip(rows.columns, cells, strict=True)) for cells in islice(rows, ITEMS)]
    return {"rows": rows.count, "first": first, "file": str(directory / note.rows)}


def _is_secret(name: str, value: Any, depth: int) -> bool:
    """Named like one. Counts are none, nor is all that a step gave which is named so."""
    return isinstance(value, str | list | Mapping if depth else str) and _SECRET.search(name) is not None


def bounded(value: Any, depth: int = 0) -> Any:
    """A value as it is shown: no more of it than a person reads, and nothing that is named like a secret."""
    if depth > DEPTH:
        return "... deeper than is shown"
    match value:
        case Mapping():
            shown = {
                str(name): "***" if _is_secret(str(name), one, depth) else bounded(one, depth + 1)
                for name, one in islice(value.items(), ITEMS * 10)
            }
            more = len(value) - len(shown)
            return {**shown, "...": f"{more:,} more"} if more > 0 else shown
        case list() | tuple():
            items = [bounded(one, depth + 1) for one in value[:ITEMS]]
            return [*items, f"... {len(value) - ITEMS:,} more"] if len(value) > ITEMS else items
        case str() if len(value) > CHARACTERS:
            return f"{value[:CHARACTERS]}... {len(value) - CHARACTERS:,} more characters"
        case Decimal():
            return int(value) if is_whole(value) else float(value)
    return value
