"""The rejected rows of a run, each with all that is wrong with it."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from idms_cli.files.places import briefly
from idms_cli.history.rows import Run
from idms_cli.records.faults import Fault
from idms_cli.records.journal import FILE_NAME, open_journal
from idms_cli.reports.page import Line, Page, Table
from idms_cli.reports.wording import some


def rejects_page(run: Run, directory: Path, limit: int) -> Page:
    """The first `limit` rejected rows by line."""
    rows = list(_rejected(directory, limit))
    data = [
        {"line": line, "stage": fault.stage, "field": fault.field, "code": fault.code, "message": fault.message}
        for line, faults in rows
        for fault in faults
    ]
    if not rows:
        return Page({"run": run.id, "rejects": []}, [Line(f"Run {run.id} of {run.job} rejected no row.")])
    cells = [
        (briefly(line) if first else "", fault.code, fault.field, fault.message)
        for line, faults in rows
        for first, fault in zip((True, *[False] * len(faults)), faults, strict=False)
    ]
    parts: list[Line | Table] = [Table(("line", "code", "field", "what is wrong"), cells, frozenset({"line"}))]
    total = run.counts.get("rejected", len(rows))
    if total > len(rows):
        parts.append(Line(f"... and {some(total - len(rows), 'more row')}: --limit {total}, or --csv FILE", "dim"))
    if (directory / "rejects.csv").exists():
        parts.append(
            Line(f"Mend them: idms rejects {run.id} --csv FILE; then idms retry {run.id} --rejected --file FILE", "dim")
        )
    return Page({"run": run.id, "rejects": data}, parts)


def _rejected(directory: Path, limit: int) -> Iterator[tuple[int, tuple[Fault, ...]]]:
    if not (directory / FILE_NAME).exists():
        return
    with open_journal(directory) as journal:
        if journal.is_planned:
            yield from islice(journal.rejected(), limit)
