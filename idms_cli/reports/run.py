"""One run: what it read, wrote and rejected, and why; the plan of a dry run; its log."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path

from idms_cli.history.rows import Run
from idms_cli.records.conversions import show as show_value
from idms_cli.records.entry import Entry
from idms_cli.records.journal import FILE_NAME, Journal
from idms_cli.reports.page import Line, Page, Table
from idms_cli.reports.status import run_data
from idms_cli.reports.wording import Clock, counts, duration

LOG_LINES = 15
REJECTS_SHOWN = 10
CHANGES_SHOWN = 20
STYLES = {"completed": "bold green", "partial": "bold yellow", "failed": "bold red"}


def run_page(run: Run, directory: Path, clock: Clock, *, changes: int = CHANGES_SHOWN, log: bool = True) -> Page:
    """Everything that a person wants to know of one run."""
    parts: list[Line | Table] = [*_head(run, clock)]
    data = run_data(run)
    if (directory / FILE_NAME).exists():
        with closing(Journal(directory)) as journal:
            if journal.is_planned:
                parts += _journal_parts(run, journal, data, changes)
    rejects = directory / "rejects.csv"
    if rejects.exists():
        parts.append(Line(f"Rejected rows, ready to be mended and imported again: {rejects}"))
        data["rejects_file"] = str(rejects)
    if log:
        parts += _log(directory / "log.txt", data)
    return Page({"run": data}, parts)


def summary(run: Run) -> str:
    """One sentence about how a run ended."""
    numbers = counts(run.counts, dry_run=run.dry_run)
    kind = "dry run" if run.dry_run else "run"
    return f"{kind} {run.id} of {run.job}: " + "; ".join(filter(None, (run.status, run.reason, numbers)))


def _head(run: Run, clock: Clock) -> Iterator[Line | Table]:
    yield Line(summary(run), STYLES.get(run.status, "bold"))
    if run.hint:
        yield Line(run.hint)
    slot = f"due {clock.exact(run.due)}" if run.due else "by hand"
    facts = [("started", f"{clock.exact(run.started_at)} ({slot})"), ("took", duration(run.duration_s))]
    if run.attempt > 1:
        facts.append(("attempts", f"{run.attempt}: its process died, and it was resumed"))
    if "calls" in run.counts:
        verbs = ", ".join(f"{run.counts.get(verb, 0):,} {verb.upper()}" for verb in ("get", "post", "put"))
        logins = run.counts.get("token", 0)
        facts.append(("calls", f"{run.counts['calls']:,}: {verbs}, {logins} {'login' if logins == 1 else 'logins'}"))
    yield Table(("", ""), facts)


def _journal_parts(run: Run, journal: Journal, data: dict[str, object], limit: int) -> Iterator[Line | Table]:
    rejected = list(islice(journal.rejected(), REJECTS_SHOWN))
    if rejected:
        reasons = _reasons(journal)
        data["reject_reasons"] = [{"rows": rows, "code": code, "example": text} for code, text, rows in reasons]
        yield Line("")
        yield Line("Why rows were rejected", "bold")
        yield Table(
            ("rows", "code", "for example"),
            [(f"{rows:,}", code, text) for code, text, rows in reasons],
            frozenset({"rows"}),
        )
    if run.dry_run:
        planned = journal.planned_counts()
        entries = journal.planned(limit)
        data["planned"] = planned
        data["changes"] = [_entry_data(entry) for entry in entries]
        yield Line("")
        words = " and ".join(f"{number:,} to {action}" for action, number in planned.items()) or "nothing to write"
        yield Line(f"The plan: {words}. Nothing was written.", "bold")
        yield from _changes(entries, sum(planned.values()), run.id)


def _reasons(journal: Journal) -> list[tuple[str, str, int]]:
    """Code, an example and the number of rows, most frequent first."""
    rows: Counter[str] = Counter()
    example: dict[str, str] = {}
    for line, faults in journal.rejected():
        for code in {fault.code for fault in faults}:
            rows[code] += 1
        for fault in faults:
            example.setdefault(fault.code, f"line {line}: {fault.message}")
    return [(code, example[code], number) for code, number in rows.most_common()]


def _changes(entries: Sequence[Entry], total: int, run_id: int) -> Iterator[Line | Table]:
    rows = []
    for entry in entries:
        record = "|".join(entry.key) if entry.key else "new"
        for number, (name, (old, new)) in enumerate(entry.changes.items()):
            first = (str(entry.line), entry.action, record) if number == 0 else ("", "", "")
            rows.append((*first, name, show_value(old), show_value(new)))
    if rows:
        yield Table(("line", "action", "record", "property", "old", "new"), rows, frozenset({"line"}))
    if len(entries) < total:
        yield Line(f"... and {total - len(entries):,} more: idms show {run_id} --changes {total}", "dim")


def _entry_data(entry: Entry) -> dict[str, object]:
    changes = {name: {"old": show_value(old), "new": show_value(new)} for name, (old, new) in entry.changes.items()}
    return {"line": entry.line, "action": entry.action, "key": entry.key, "changes": changes}


def _log(path: Path, data: dict[str, object]) -> Iterator[Line | Table]:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return
    data["log"] = lines
    yield Line("")
    yield Line(
        "Log" if len(lines) <= LOG_LINES else f"Log (the last {LOG_LINES} of {len(lines)} lines of {path})", "bold"
    )
    for line in lines[-LOG_LINES:]:
        yield Line(line, "dim")
