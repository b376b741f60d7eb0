"""What ran, and what did not and why."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from idms_cli.history.rows import Incident, Run, Slot, Wanted
from idms_cli.history.store import Store
from idms_cli.reports.incidents import incident_data, slots_told
from idms_cli.reports.page import Line, Page, Table
from idms_cli.reports.sparkline import BAD
from idms_cli.reports.status import run_data
from idms_cli.reports.trend import Trend, trend_of
from idms_cli.reports.usual import Usual, usual_of
from idms_cli.reports.wording import Clock, duration, in_minutes, late, result, some

TREND_RUNS = 30
"""Runs in a line of bars."""


def history_page(store: Store, clock: Clock, wanted: Wanted) -> Page:
    """Runs and skipped slots, newest first; of one job its Task History, compared with its own past."""
    items = _items(store, wanted)
    if not items:
        return Page({"history": []}, [Line("Nothing has happened yet, or nothing that fits.")])
    zone = Line(f"Times are in {clock.zone}.", "dim")
    if wanted.job is not None:
        task = _task_history(store, wanted.job, items, clock)
        return Page(task.data, [*task.parts, zone])
    rows = [_row(store, item, clock) for item in items]
    table = Table(("run", "job", "when", "status", "took", "result"), rows, frozenset({"run", "took"}))
    return Page({"history": [_data(store, item) for item in items]}, [table, zone])


def _items(store: Store, wanted: Wanted) -> list[Run | Slot | Incident]:
    items: list[Run | Slot | Incident] = [*store.runs.history(wanted)]
    if wanted.status in (None, "skipped") and not wanted.by_hand:
        items += store.slots.skipped(wanted, jobs=_jobs(store, wanted))
    is_of_all = (wanted.job, wanted.module, wanted.connection, wanted.by_hand) == (None,) * 4
    if is_of_all and wanted.status in (None, "silent"):
        found = store.incidents.newest(since=wanted.since, limit=wanted.limit)
        items += [each for each in found if wanted.until is None or each.since.timestamp() <= wanted.until]
    return sorted(items, key=_moment, reverse=True)[: wanted.limit]


def _jobs(store: Store, wanted: Wanted) -> set[str] | None:
    """A slot that did not run has no module and no connection: those of its job count, as it is or ran last."""
    if wanted.module is None and wanted.connection is None:
        return None
    rows, last = store.catalog.all(), store.runs.last_of_each_job()
    names = rows.keys() | last.keys()
    if wanted.module is not None:
        of_module = {name for name, row in rows.items() if row.module == wanted.module}
        names &= of_module | {name for name, run in last.items() if name not in rows and run.module == wanted.module}
    if wanted.connection is not None:
        names &= {name for name, run in last.items() if wanted.connection in run.sites.split(",")}
    return names


def _task_history(store: Store, job: str, items: Sequence[Run | Slot | Incident], clock: Clock) -> Page:
    usual = usual_of(store.statistics.newest(job))
    trend = trend_of(store.statistics.newest(job), shown=TREND_RUNS)
    marks = {item.id: usual.marks(item) for item in items if isinstance(item, Run)}
    rows = [_task_row(store, item, marks.get(getattr(item, "id", 0), frozenset()), clock) for item in items]
    table = Table(("run", "when", "status", "took", "rows", "result"), rows, frozenset({"run", "took", "rows"}))
    data = [
        {**_data(store, item), **({"unusual": sorted(marks[item.id])} if isinstance(item, Run) else {})}
        for item in items
    ]
    return Page(
        {"history": data, "usual": usual.as_data(), "trend": trend.as_data()},
        [*_head(job, trend, usual, clock), table, *_foot(marks.values())],
    )


def _head(job: str, trend: Trend, usual: Usual, clock: Clock) -> Iterator[Line]:
    usually = f"usually {usual.told}, the medians of its last {some(usual.runs, 'good run')}" if usual.told else ""
    told = "; ".join(filter(None, (trend.streak(clock), usually)))
    if told:
        yield Line(f"{job}: {told}", "bold red" if trend.bad_in_a_row > 1 else "bold")
    if trend.runs:
        longest = max((run.took_s for run in trend.runs if run.took_s is not None), default=None)
        most = max((run.read for run in trend.runs if run.read is not None), default=0)
        failed = " (x: failed)" if BAD in trend.durations else ""
        yield Line(f"took  {trend.durations}  at most {duration(longest)}{failed}")
        yield Line(f"rows  {trend.rows}  at most {most:,}")
        yield Line("")


def _foot(marks: Iterable[Collection[str]]) -> Iterator[Line]:
    if any(marks):
        yield Line("! = unusual for this job: more than twice, or less than half, of its median run.")


def _task_row(store: Store, item: Run | Slot | Incident, marks: Collection[str], clock: Clock) -> tuple[str, ...]:
    number, _, when, status, took, told = _row(store, item, clock)
    read = f"{item.counts['read']:,}" if isinstance(item, Run) and "read" in item.counts else "-"
    return number, when, status, _marked(took, unusual="took" in marks), _marked(read, unusual="rows" in marks), told


def _marked(text: str, *, unusual: bool) -> str:
    return f"! {text}" if unusual else text


def _row(store: Store, item: Run | Slot | Incident, clock: Clock) -> tuple[str, ...]:
    match item:
        case Run():
            return _run_row(item, clock)
        case Slot():
            return _slot_row(item, clock)
        case Incident():
            return _incident_row(store, item, clock)


def _data(store: Store, item: Run | Slot | Incident) -> dict[str, Any]:
    match item:
        case Run():
            return run_data(item)
        case Slot():
            return _slot_data(item)
        case Incident():
            return incident_data(store, item)


def _moment(item: Run | Slot | Incident) -> tuple[float, int]:
    if isinstance(item, Incident):
        return item.until.timestamp(), 0
    if isinstance(item, Run):
        return (item.due or item.created_at).timestamp(), item.id
    return item.due.timestamp(), 0


def _run_row(run: Run, clock: Clock) -> tuple[str, ...]:
    kind = "test" if run.intent == "test" else "dry run" if run.dry_run else "by hand" if run.by_hand else ""
    told = "; ".join(filter(None, (kind, _file(run), late(run).removeprefix(", "), result(run))))
    return str(run.id), run.job, clock.moment(run.due or run.created_at), run.status, duration(run.duration_s), told


def _file(run: Run) -> str:
    """Which of several files it read."""
    return str(run.source[0]["name"]) if run.batch is not None and run.source else ""


def _slot_row(slot: Slot, clock: Clock) -> tuple[str, ...]:
    until = f" to {clock.moment(slot.until)}" if slot.until else ""
    made_up = f"; made up for by run {slot.made_up_by}" if slot.made_up_by else ""
    return "-", slot.job, clock.moment(slot.due) + until, "skipped", "-", slot.reason + made_up


def _incident_row(store: Store, incident: Incident, clock: Clock) -> tuple[str, ...]:
    when = f"{clock.moment(incident.since)} to {clock.moment(incident.until)}"
    told = f"nobody called run-due; {slots_told(store, incident)}"
    return "-", "-", when, "silent", in_minutes(incident.duration_s), told


def _slot_data(slot: Slot) -> dict[str, Any]:
    return {
        "job": slot.job,
        "due": slot.due.isoformat(),
        "until": slot.until.isoformat() if slot.until else None,
        "status": "skipped",
        "code": slot.code,
        "reason": slot.reason,
        "made_up_by": slot.made_up_by,
        "decided_at": slot.decided_at.isoformat(),
    }
