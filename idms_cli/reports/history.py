"""What ran, and what did not and why."""

from idms_cli.history.rows import Run, Slot, Wanted
from idms_cli.history.store import Store
from idms_cli.reports.page import Line, Page, Table
from idms_cli.reports.status import run_data
from idms_cli.reports.wording import Clock, duration, late, result


def history_page(store: Store, clock: Clock, wanted: Wanted) -> Page:
    """Runs and skipped slots, newest first."""
    items: list[Run | Slot] = []
    if wanted.status != "skipped":
        items += store.runs.history(wanted)
    if wanted.status in (None, "skipped"):
        items += store.slots.skipped(wanted)
    items = sorted(items, key=_moment, reverse=True)[: wanted.limit]
    if not items:
        return Page({"history": []}, [Line("Nothing has happened yet, or nothing that fits.")])
    rows = [_run_row(item, clock) if isinstance(item, Run) else _slot_row(item, clock) for item in items]
    data = [run_data(item) if isinstance(item, Run) else _slot_data(item) for item in items]
    table = Table(("run", "job", "when", "status", "took", "result"), rows, frozenset({"run", "took"}))
    return Page({"history": data}, [table, Line(f"Times are in {clock.zone}.", "dim")])


def _moment(item: Run | Slot) -> tuple[float, int]:
    if isinstance(item, Run):
        return (item.due or item.created_at).timestamp(), item.id
    return item.due.timestamp(), 0


def _run_row(run: Run, clock: Clock) -> tuple[str, ...]:
    kind = "dry run" if run.dry_run else "by hand" if run.by_hand else ""
    told = "; ".join(filter(None, (kind, late(run).removeprefix(", "), result(run))))
    return str(run.id), run.job, clock.moment(run.due or run.created_at), run.status, duration(run.duration_s), told


def _slot_row(slot: Slot, clock: Clock) -> tuple[str, ...]:
    until = f" to {clock.moment(slot.until)}" if slot.until else ""
    return "-", slot.job, clock.moment(slot.due) + until, "skipped", "-", slot.reason


def _slot_data(slot: Slot) -> dict[str, object]:
    return {
        "job": slot.job,
        "due": slot.due.isoformat(),
        "until": slot.until.isoformat() if slot.until else None,
        "status": "skipped",
        "reason": slot.reason,
        "decided_at": slot.decided_at.isoformat(),
    }
