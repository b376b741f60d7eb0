"""When nobody called run-due: now, and before; which slots were due meanwhile, and what was done about each."""

from typing import Any

from idms_cli.history.rows import Incident, Slot, moment
from idms_cli.history.store import Store
from idms_cli.history.ticks import SILENT_AFTER_S
from idms_cli.reports.wording import Clock, in_minutes, some


def silence(store: Store, clock: Clock) -> str:
    """That nothing starts on its own at present; empty when run-due is called as it should be."""
    last = store.ticks.last()
    if last is None:
        return "run-due has never been called: nothing starts on its own. The README has the cron line."
    if clock.now.timestamp() - last < SILENT_AFTER_S:
        return ""
    return f"run-due has not been called since {clock.moment(moment(last))}: nothing starts on its own."


def incident_sentence(store: Store, incident: Incident, clock: Clock) -> str:
    """From when to when nobody called run-due, and what became of the slots that were due."""
    since, until = clock.moment(incident.since), clock.moment(incident.until)
    took = in_minutes(incident.duration_s)
    return f"nobody called run-due from {since} to {until} ({took}): {slots_told(store, incident)}"


def slots_told(store: Store, incident: Incident) -> str:
    """`3 slots were due: 1 taken after it, 2 skipped`."""
    slots = _slots(store, incident)
    taken = sum(slot.verdict == "run" for slot in slots)
    if not slots:
        return "no slot was due"
    more = "more than " if any(slot.until for slot in slots) else ""
    told = [
        f"{taken} taken after it" if taken else "",
        f"{more}{len(slots) - taken} skipped" if taken < len(slots) else "",
    ]
    were = "was" if len(slots) == 1 else "were"
    return f"{more}{some(len(slots), 'slot')} {were} due: {', '.join(filter(None, told))}"


def incident_data(store: Store, incident: Incident) -> dict[str, Any]:
    """An incident as JSON, with each slot that was due and what was done about it."""
    return {
        "status": "silent",
        "since": incident.since.isoformat(),
        "until": incident.until.isoformat(),
        "slots": [
            {
                "job": slot.job,
                "due": slot.due.isoformat(),
                "until": slot.until.isoformat() if slot.until else None,
                "verdict": slot.verdict,
                "reason": slot.reason,
                "run": slot.run,
            }
            for slot in _slots(store, incident)
        ],
    }


def _slots(store: Store, incident: Incident) -> list[Slot]:
    return store.slots.decided_late(int(incident.since.timestamp()), int(incident.until.timestamp()))
