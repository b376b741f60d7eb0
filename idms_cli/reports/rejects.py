"""The rejected rows of a run, each with all that is wrong with it."""

from itertools import islice
from pathlib import Path

from idms_cli.files.places import briefly
from idms_cli.history.rows import Run
from idms_cli.reports.page import Line, Page, Table
from idms_cli.reports.rejected import rejected_rows
from idms_cli.reports.wording import some


def rejects_page(run: Run, directory: Path, limit: int) -> Page:
    """The first `limit` rejected rows by line."""
    found = list(islice(rejected_rows(directory), limit + 1))
    rows = found[:limit]
    data = [
        {"line": line, "stage": fault.stage, "field": fault.field, "code": fault.code, "message": fault.message}
        for line, faults in rows
        for fault in faults
    ]
    if not rows:
        return Page({"run": run.id, "rejects": []}, [Line(_none(run))])
    cells = [
        ("" if number else briefly(line), fault.code, fault.field, fault.message)
        for line, faults in rows
        for number, fault in enumerate(faults)
    ]
    parts: list[Line | Table] = [Table(("line", "code", "field", "what is wrong"), cells, frozenset({"line"}))]
    if len(found) > limit:
        total = run.counts.get("rejected", len(found))
        # Records are counted, and a row may act on several: how many more rows there are is not known then.
        more = "more" if run.counts.get("further") else some(total - len(rows), "more row")
        parts.append(Line(f"... and {more}: --limit {total}, or --csv FILE", "dim"))
    if (directory / "rejects.csv").exists() and "selected" not in run.counts:
        parts.append(
            Line(f"Mend them: idms rejects {run.id} --csv FILE; then idms retry {run.id} --rejected --file FILE", "dim")
        )
    return Page({"run": run.id, "rejects": data}, parts)


def _none(run: Run) -> str:
    if run.counts.get("rejected"):
        return f"Run {run.id} of {run.job} rejected {some(run.counts['rejected'], 'row')}; its journal is gone."
    return f"Run {run.id} of {run.job} rejected no row{' so far' if run.is_open else ''}."
