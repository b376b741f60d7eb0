"""The occurrences of a job as the history knows it, without a look at its file."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from idms_cli.history.chains import UpstreamSlot
from idms_cli.history.rows import JobRow
from idms_cli.history.store import Store
from idms_cli.jobs.calendar import Calendar
from idms_cli.jobs.occurrences import Following, Occurrence, Occurrences
from idms_cli.jobs.stored import Stored


def occurrences_of(store: Store, row: JobRow) -> Occurrences:
    """When this job's slots act, and which of them will be skipped, and why; rebuilt from what the history keeps.

    Those of a job that comes after another one are the slots of that one which are over and not answered to yet.
    """
    stored, zone = Stored.from_text(row.schedule), ZoneInfo(row.timezone)
    if not stored.upstream:
        return stored.occurrences(zone, lambda name: _calendar(store, name, zone))
    slots = store.chains.unanswered(row.name)
    over, waiting = [slot for slot in slots if slot.is_over], [slot for slot in slots if not slot.is_over]
    return Following(
        words=stored.schedule(zone).describe(),
        known=tuple(sorted(_answer(slot, stored) for slot in over if slot.until is None)),
        stretch=next(((slot.due, slot.until) for slot in over if slot.until), None),
        answered_until=waiting[0].due - timedelta(seconds=1) if waiting else over[-1].due if over else None,
    )


def decided_until(occurrences: Occurrences, row: JobRow, now: datetime) -> int:
    """Up to when every slot of the job has its verdict, once those that are due `now` have theirs. UTC seconds."""
    if not isinstance(occurrences, Following):
        return int(now.timestamp())
    answered = occurrences.answered_until
    return row.decided_until if answered is None else int(answered.timestamp())


def _answer(upstream: UpstreamSlot, stored: Stored) -> Occurrence:
    """What the end of an upstream's slot means for the job after it: the slot of the same moment is due, or skipped."""
    acts_at = max(upstream.over_at, upstream.due)
    if upstream.status in stored.accept:
        return Occurrence(acts_at, upstream.due)
    told = "it was skipped" if upstream.status == "skipped" else f"it {_VERBS.get(upstream.status, upstream.status)}"
    reason = f" ({upstream.reason})" if upstream.reason else ""
    return Occurrence(acts_at, upstream.due, skip=f"after {stored.upstream}: {told}{reason}")


_VERBS = {"cancelled": "was cancelled", "partial": "was partial", "gone": "is no longer in the history"}


def _calendar(store: Store, name: str, zone: ZoneInfo) -> Calendar:
    text = store.catalog.calendar(name)
    return Calendar(name, zone) if text is None else Calendar.from_text(text)
