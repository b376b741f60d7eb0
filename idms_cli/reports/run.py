"""One run: what it read, wrote and rejected, and why; the plan of a dry run; its log."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from idms_cli.dispatch.rejected import rejected_rows
from idms_cli.dispatch.wording import name_of
from idms_cli.files.places import briefly, in_words
from idms_cli.history.rows import AT_LEAST, Run
from idms_cli.history.steps import StepRow
from idms_cli.modules import DataLock
from idms_cli.modules.workplaces import held_place, workplaces
from idms_cli.records.faults import Fault
from idms_cli.records.journal import FILE_NAME, Journal, open_journal
from idms_cli.reports.entries import change_rows, entry_data, shown
from idms_cli.reports.nextsteps import REJECTS, next_steps_page
from idms_cli.reports.page import Line, Page, Table
from idms_cli.reports.questions import questions_page
from idms_cli.reports.status import run_data
from idms_cli.reports.steps import steps_page
from idms_cli.reports.wording import Clock, as_written, counts, duration, late, some, what_for
from idms_cli.reports.workflow import workflow_page

LOG = "log.txt"
LOG_LINES = 15
CHANGES_SHOWN = 20
FILES_SHOWN = 10
MOST_COUNTED = 1000
"""Different changes of one property that are counted: memory stays small however many there are."""
STYLES = {"completed": "bold green", "skipped": "bold", "partial": "bold yellow", "failed": "bold red"}


@dataclass(frozen=True)
class Shown:
    """How much of a run is shown."""

    changes: int = CHANGES_SHOWN
    log: bool = True
    steps: Sequence[StepRow] = ()
    """Of a workflow."""
    every_step: bool = False
    kept: str = ""
    """The file that keeps its plan."""


def run_page(run: Run, directory: Path, clock: Clock, shown: Shown = Shown()) -> Page:
    """Everything that a person wants to know of one run."""
    pages = [Page(run_data(run), [*_head(run, directory, clock)]), steps_page(run, directory)]
    pages.append(workflow_page(run, shown.steps, every=shown.every_step))
    pages += _journal_pages(run, directory, shown.changes) if not shown.steps else _pages_of_jobs(run, directory, shown)
    pages.append(next_steps_page(run, directory, kept=shown.kept))
    if shown.log:
        pages.append(_log_page(directory / LOG))
    data: dict[str, Any] = {}
    for page in pages:
        data |= page.data
    return Page({"run": data}, [part for page in pages for part in page.parts])


def summary(run: Run) -> str:
    """One sentence about how a run ended."""
    numbers = counts(run.counts, dry_run=run.dry_run)
    kind = "test" if run.intent == "test" else "dry run" if run.dry_run else "run"
    return f"{kind} {run.id} of {run.job}: " + "; ".join(filter(None, (run.status, run.reason, numbers)))


def _head(run: Run, directory: Path, clock: Clock) -> Iterator[Line | Table]:
    yield Line(summary(run), STYLES.get(run.status, "bold"))
    if run.hint:
        yield Line(run.hint)
    if not run.is_open and not directory.exists():
        yield Line("Its directory is no longer kept (`retention:`): there is no journal, log or rejects file.", "dim")
    yield Line("")
    yield Table(("", ""), [*_facts(run, clock)])


def _facts(run: Run, clock: Clock) -> Iterator[tuple[str, str]]:
    slot = f"due {clock.exact(run.due)}{late(run)}" if run.due else "by hand"
    slot = ", ".join(filter(None, (slot, what_for(run))))
    if run.started_at:
        yield "started", f"{clock.exact(run.started_at)} ({slot})"
    else:
        yield "created", f"{clock.exact(run.created_at)} ({slot})"
    if run.duration_s is not None:
        yield "took", duration(run.duration_s) + (", the wait for the approval included" if _was_approved(run) else "")
    yield from _files(run, clock)
    if run.decided_by and run.decided_at:
        yield "rejected" if run.is_refused else "approved", f"{clock.exact(run.decided_at)} by {run.decided_by}"
    if run.attempt > 1:
        yield "attempts", f"{run.attempt}: {_why_again(run)}"
    if run.not_before:
        yield "goes on", f"{clock.exact(run.not_before)} (idms resume {run.id}: now)"
    elif run.status == "interrupted":
        yield "goes on", f"with the next idms run-due (idms resume {run.id}: now)"
    if run.options:
        told = (f"{name}: {as_written(one['value'])} ({one['from']})" for name, one in run.options.items())
        yield "options", "; ".join(told)
    if "calls" in run.counts:
        said = ("get", "post", "put", "delete") if run.counts.get("delete") else ("get", "post", "put")
        verbs = ", ".join(f"{run.counts.get(verb, 0):,} {verb.upper()}" for verb in said)
        has_died = run.attempt > 1 or run.status == "interrupted" or AT_LEAST in run.counts
        least = "at least " if has_died else ""  # what came between the last telling and the death is not known
        yield "calls", f"{least}{run.counts['calls']:,}: {verbs}, {some(run.counts.get('token', 0), 'login')}"
    yield from _time(run)
    written = [
        name_of(DataLock(**lock)) for lock in run.locks if lock["write"] and lock["resource"].startswith("imis:")
    ]
    if written:
        yield "writes", ", ".join(written)


def _time(run: Run) -> Iterator[tuple[str, str]]:
    """How much of it was the site's; several calls at once take more than the time that passed."""
    if "site_ms" not in run.counts or run.duration_s is None:
        return
    site_s = run.counts["site_ms"] / 1000
    own_s = run.duration_s - site_s
    own = f", {duration(own_s)} in idms and its rate limit" if own_s >= 0 else ", several calls at once"
    yield "time", f"{duration(site_s)} in the site{'' if _was_approved(run) else own}"


def _was_approved(run: Run) -> bool:
    """Whether it waited for somebody in the middle of its time."""
    return run.decided_at is not None and not run.is_refused


def _why_again(run: Run) -> str:
    retried = f"tried again {some(run.retried, 'time')}" if run.retried else ""
    died = "its process died, and it was resumed" if run.attempt - run.retried > 1 else ""
    return "; ".join(filter(None, (retried, died)))


def _files(run: Run, clock: Clock) -> Iterator[tuple[str, str]]:
    for number, file in enumerate(run.source[:FILES_SHOWN], start=1):
        if file.get("rows") is not None:
            yield "query", f"{file['address']} ({some(file['rows'], 'row')})"
            continue
        name = "file" if len(run.source) == 1 else f"file {number}"
        modified = f", from {clock.moment(datetime.fromisoformat(file['modified']))}" if file.get("modified") else ""
        size = f" ({file['size']:,} bytes{modified})" if file.get("sha256") else ""
        yield name, f"{file['address']}{size}"
        if file.get("archive"):
            yield "archived as", "not yet" if file["archive"] == "due" else str(file["archive"])
    if len(run.source) > FILES_SHOWN:
        yield "", f"and {len(run.source) - FILES_SHOWN:,} more files"
    if run.to_follow:
        yield (
            "then" if run.is_open else "left for later",
            ", ".join(run.to_follow[:FILES_SHOWN]) + (", ..." if len(run.to_follow) > FILES_SHOWN else ""),
        )
    if run.batch is not None and run.batch != run.id:
        yield "began with", f"run {run.batch}"


def _journal_pages(run: Run, directory: Path, limit: int) -> Iterator[Page]:
    if not (directory / FILE_NAME).exists():
        yield _reasons_page("reject", "rejected", rejected_rows(directory))
        return
    with open_journal(directory) as journal:
        if not journal.is_planned:
            return
        if run.status == "interrupted":
            yield _in_flight_page(journal)
        yield _reasons_page("reject", "rejected", journal.rejected())
        yield _rejects_page(directory / REJECTS)
        yield _reasons_page("skip", "skipped", journal.skipped())
        if run.intent == "undo":
            yield _reasons_page("leave", "left in part as they are", journal.left_alone())
        if run.asks:
            yield questions_page(run, journal)
        elif run.dry_run or run.status == "held":
            yield _plan_page(run, journal, limit)


def _pages_of_jobs(run: Run, directory: Path, shown: Shown) -> Iterator[Page]:
    """What became of the records of the jobs that a workflow did; of one that is held, its plan."""
    held = held_place(directory) if run.status == "held" else None
    told: dict[str, Any] = {}
    for step, place in workplaces(directory):
        as_held = run if place == held or run.dry_run else replace(run, status="completed", counts={})
        pages = [page for page in _journal_pages(as_held, place, shown.changes) if page.parts]
        if pages:
            told[step] = {name: value for page in pages for name, value in page.data.items()}
            yield Page({}, [Line(""), Line(f"Step {step}", "bold"), *(part for page in pages for part in page.parts)])
    yield Page({"jobs": told}, [])


def _in_flight_page(journal: Journal) -> Page:
    """What was being sent when the process died: nobody knows yet whether it is stored."""
    unknown = sum(map(len, journal.todo("sending", window=100)))
    if not unknown:
        return Page({"unknown": 0}, [])
    was, it = ("record was", "it is") if unknown == 1 else ("records were", "they are")
    text = f"{unknown} {was} being sent: unknown, until {it} looked for when the run goes on"
    return Page({"unknown": unknown}, [Line(""), Line(text, "yellow")])


def _reasons_page(word: str, participle: str, told: Iterable[tuple[int, tuple[Fault, ...]]]) -> Page:
    reasons = _reasons(told)
    if not reasons:
        return Page({}, [])
    rows = [(f"{number:,}", code, text) for code, text, number in reasons]
    data = [{"rows": number, "code": code, "example": text} for code, text, number in reasons]
    table = Table(("rows", "code", "for example"), rows, frozenset({"rows"}))
    return Page({f"{word}_reasons": data}, [Line(""), Line(f"Why rows were {participle}", "bold"), table])


def _reasons(told: Iterable[tuple[int, tuple[Fault, ...]]]) -> list[tuple[str, str, int]]:
    """Code, an example and the number of rows, most frequent first."""
    rows: Counter[str] = Counter()
    example: dict[str, str] = {}
    for line, faults in told:
        for code in dict.fromkeys(fault.code for fault in faults):
            rows[code] += 1
        for fault in faults:
            example.setdefault(fault.code, f"{in_words(line)}: {fault.message}")
    return [(code, example[code], number) for code, number in rows.most_common()]


def _rejects_page(path: Path) -> Page:
    if not path.exists():
        return Page({}, [])
    line = Line(f"Rejected rows, ready to be mended and imported again: {path}")
    return Page({"rejects_file": str(path)}, [line])


def _plan_page(run: Run, journal: Journal, limit: int) -> Page:
    planned, entries = journal.planned_counts(), journal.planned(limit)
    words = " and ".join(f"{number:,} to {action}" for action, number in planned.items()) or "nothing to write"
    parts: list[Line | Table] = [Line(""), Line(f"The plan: {words}. Nothing was written.", "bold")]
    held = journal.note("held") if run.dry_run else None
    if held:
        parts.append(Line(f"A real run would be held: {held}"))
    if "expected_calls" in run.counts:
        takes = duration(run.counts["expected_s"]) if run.counts["expected_s"] else "less than a second"
        parts.append(Line(f"Carrying it out takes about {some(run.counts['expected_calls'], 'call')}, {takes}."))
    grouped = _grouped(journal)
    if planned.get("update", 0) > 1:
        by_often = [(name, f"{number:,}", often) for name, number, often in grouped]
        parts += [Line(""), Table(("property", "records", "most often"), by_often, frozenset({"records"})), Line("")]
    rows = [row for entry in entries for row in change_rows(entry, briefly(entry.line))]
    if rows:
        parts.append(Table(("line", "action", "record", "property", "change"), rows, frozenset({"line"})))
    total = sum(planned.values())
    if len(entries) < total:
        parts.append(Line(f"... and {total - len(entries):,} more: idms show {run.id} --changes {total}", "dim"))
    data = {
        "planned": planned,
        "would_be_held": held or "",
        "by_property": {name: number for name, number, _ in grouped},
        "changes": [entry_data(entry) for entry in entries],
    }
    return Page(data, parts)


def _grouped(journal: Journal) -> list[tuple[str, int, str]]:
    """Property, the number of records in which it changes, and its most frequent change; the most changed first."""
    records: Counter[str] = Counter()
    changes: dict[str, Counter[tuple[str, str]]] = {}
    for update in journal.planned_updates():
        for name, (old, new) in update.items():
            records[name] += 1
            seen = changes.setdefault(name, Counter())
            change = (shown(old), shown(new))
            if change in seen or len(seen) < MOST_COUNTED:
                seen[change] += 1
    return [(name, number, _most_often(changes[name])) for name, number in records.most_common()]


def _most_often(changes: Counter[tuple[str, str]]) -> str:
    ((old, new), times), *_ = changes.most_common(1)
    return f"{old} -> {new}" + (f" ({times:,} times)" if times > 1 else "")


def _log_page(path: Path) -> Page:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return Page({}, [])
    cut = len(lines) > LOG_LINES
    title = f"Log (the last {LOG_LINES} of {len(lines):,} lines of {path})" if cut else "Log"
    shown = [Line(line, "dim") for line in lines[-LOG_LINES:]]
    return Page({"log": lines}, [Line(""), Line(title, "bold"), *shown])
