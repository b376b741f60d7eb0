"""What came of trying one step of a workflow: how it would end, why, and the data after it."""

import json
from itertools import islice
from pathlib import Path
from typing import Any

from idms_cli.config.secrets import mask
from idms_cli.modules.workflows.notes import Note
from idms_cli.modules.workflows.trying import Tried
from idms_cli.reports.page import Line, Page
from idms_cli.reports.stepdata import bounded
from idms_cli.rows.spool import Spooled

FIRST = 20
"""Rows that are shown."""
_WORDS = {"rehearsed": "would be done", "succeeded": "would be done", "skipped": "would be skipped"}


def step_trial_page(job: str, tried: Tried, directory: Path, *, run: int | None) -> Page:
    """`directory` is where it was tried; `run` whose data it was tried on, None for none."""
    row, note = tried.row, tried.note
    word = _WORDS.get(row.status, f"would be {row.status}")
    on = f"on the data of run {run}" if run is not None else "on no run's data"
    told = f"step {row.path} of {job} ({row.kind}) {word}, tried {on}; nothing was sent"
    value = None if note is None or note.unknown else _value(note, directory)
    parts = [Line(told, "bold red" if row.status == "failed" else "bold")]
    parts += [Line(mask(row.reason))] if row.reason else []
    parts += [Line(f"Hint: {mask(row.hint)}")] if row.hint else []
    text = mask(json.dumps(bounded(value), indent=2, ensure_ascii=False))
    if value is not None:
        parts += [Line(""), *(Line(line) for line in text.splitlines())]
    data = {"job": job, "step": row.path, "kind": row.kind, "status": row.status, "reason": mask(row.reason)}
    return Page(
        {**data, "hint": mask(row.hint), "run": run, "known": list(tried.known), "data": json.loads(text)}, parts
    )


def _value(note: Note, directory: Path) -> Any:
    if not note.rows:
        return note.output
    rows = Spooled(directory / note.rows)
    first = [dict(zip(rows.columns, cells, strict=True)) for cells in islice(rows, FIRST)]
    return {"rows": rows.count, "first": first}
