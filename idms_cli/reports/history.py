"""What ran, and what did not and why."""

from typing import Any

from idms_cli.history.rows import Incident, Run, Slot, Wanted
from idms_cli.history.store import Store
from idms_cli.reports.incidents import incident_data, slots_told
from idms_cli.reports.page import Line, Page, Table
from idms_cli.reports.status import run_data
from idms_cli.reports.wording import Clock, duration, in_minutes, late, result


def history_page(store: Store, clock: Clock, wanted: Wanted) -> Page:
    """Runs and skipped slots, newest first."""
    items: list[Run | Slot | Incident] = [*store.runs.history(wanted)]
    if wanted.status in (None, "skipped"):
        items += store.slots.skipped(wanted)
    if wanted.job is None and wanted.status in (None, "silent"):
        items += store.incidents.newest(since=wanted.since, limit=wanted.limit)
    items = sorted(items, key=_moment, reverse=True)[: wanted.limit]
    if not items:
        return Page({"history": []}, [Line("Nothing has happened yet, or nothing that fits.")])
    rows = [_row(store, item, clock) for item in items]
    data = [_data(store, item) for item in items]
    table = Table(("run", "job", "when", "status", "took", "result"), rows, frozenset({"run", "took"}))
    return Page({"history": data}, [table, Line(f"Times are in {clock.zone}.", "dim")])


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
