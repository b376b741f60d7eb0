"""The occurrences of a job as the history knows it, without a look at its file."""

from collections.abc import Sequence
from datetime import datetime
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
    first_open = waiting[0].due if waiting else None
    return Following(
        words=stored.schedule(zone).describe(),
        known=tuple(sorted(_answer(slot, stored) for slot in over if slot.until is None)),
        stretch=next(((slot.due, slot.until) for slot in over if slot.until), None),
        answered_until=_answered_until(over, first_open, store.chains.decided_until(stored.upstream)),
    )


def decided_until(occurrences: Occurrences, row: JobRow, now: datetime) -> int:
    """Up to when every slot of the job has its verdict, once those that are due `now` have theirs. UTC seconds."""
    if not isinstance(occurrences, Following):
        return int(now.timestamp())
    answered = occurrences.answered_until
    return row.decided_until if answered is None else int(answered.timestamp())


def _answered_until(over: Sequence[UpstreamSlot], first_open: datetime | None, decided: int) -> datetime | None:
    """The last slot before which the upstream leaves none open.

    It may have run one that is still to come, by a clock that was ahead, and decides those before it later.
    """
    return max(
        (one.due for one in over if (first_open is None or one.due < first_open) and one.due.timestamp() <= decided),
        default=None,
    )


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
