"""What a reading of a wall clock means in UTC, on all days of the year: the one place that knows about clock changes.

A *reading* is a naive datetime, what one sees on a clock in the zone. Most readings are one moment, those of a doubled
hour are two, and those that a change skips (the gap) are none. What a schedule makes of it is the rule of cron(8):

    Special considerations exist when the clock is changed by less than 3 hours, for example at the beginning and end
    of daylight savings time. If the time has moved forwards, those jobs which would have run in the time that was
    skipped will be run soon after the change. Conversely, if the time has moved backwards by less than 3 hours, those
    jobs that fall into the repeated time will not be re-run.

    Only jobs that run at a particular time (not specified as @hourly, nor with '*' in the hour or minute specifier)
    are affected. Jobs which are specified with wildcards are run based on the new time immediately.

    Clock changes of more than 3 hours are considered to be corrections to the clock, and the new time is used
    immediately.

(https://manpages.debian.org/bookworm/cron/cron.8.en.html#NOTES)
"""

from bisect import bisect_left
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

_WIDEST_CHANGE: Final = timedelta(hours=3)


def moments_of(reading: datetime, zone: ZoneInfo, *, follows_clock: bool) -> tuple[datetime, ...]:
    """The moments (UTC, ascending) at which a schedule that names this reading is due.

    With `follows_clock` (a wildcard job of cron) they are all moments at which the clock shows the reading. Without it
    (a particular time) it is exactly one: the first of two, and the end of the gap for a reading that is skipped.
    Changes of more than three hours are corrections, in which every schedule follows the clock.
    """
    # PEP 495: fold=0 counts with the offset before a change, fold=1 with the one after it. A doubled reading is thus
    # first `unchanged`, then `changed`; of a skipped one, `changed` lies before the gap and `unchanged` behind it.
    unchanged = reading.replace(tzinfo=zone, fold=0).astimezone(UTC)
    changed = reading.replace(tzinfo=zone, fold=1).astimezone(UTC)
    if unchanged == changed:
        return (unchanged,)
    once = not follows_clock and abs(changed - unchanged) <= _WIDEST_CHANGE
    if unchanged < changed:
        return (unchanged,) if once else (unchanged, changed)
    return (_change_between(changed, unchanged, zone),) if once else ()


def clock_changes(zone: ZoneInfo, after: datetime, until: datetime) -> Iterator[tuple[datetime, timedelta]]:
    """The moments (UTC) later than `after` and not later than `until` at which the zone's clock moves, and by how much.

    Looked for from day to day: two changes that undo each other within a day are not seen.
    """
    before, until = after.astimezone(UTC), until.astimezone(UTC)
    while before < until:
        following = min(before + timedelta(days=1), until)
        moved = _offset(following, zone) - _offset(before, zone)
        if moved:
            yield _change_between(before, following, zone), moved
        before = following


def comes_twice(moment: datetime, zone: ZoneInfo) -> str:
    """`first` or `second` for a moment whose reading of the clock comes twice; empty for any other."""
    local = moment.astimezone(zone)
    if local.replace(fold=0).utcoffset() == local.replace(fold=1).utcoffset():
        return ""
    return "second" if local.fold else "first"


def _offset(moment: datetime, zone: ZoneInfo) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta(0)


def lowest_reading(moment: datetime, zone: ZoneInfo) -> datetime:
    """A reading below all those that are due after the moment; in a doubled hour the clock will go back to it."""
    return _readings(moment, zone)[0]


def highest_reading(moment: datetime, zone: ZoneInfo) -> datetime:
    """A reading that none is above of those due up to the moment; in a doubled hour the clock has been there before."""
    return _readings(moment, zone)[-1]


def _readings(moment: datetime, zone: ZoneInfo) -> list[datetime]:
    """What the clock shows at the moment and, in a doubled hour, what it would show by the other pass."""
    local = moment.astimezone(zone)
    utc = moment.replace(tzinfo=None)
    offsets = (local.replace(fold=fold).utcoffset() or timedelta(0) for fold in (0, 1))
    return sorted(utc + offset for offset in offsets)


def _change_between(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The moment of the one clock change later than `before` and not later than `after`, to the second."""
    old = before.astimezone(zone).utcoffset()

    def is_changed(seconds: int) -> bool:
        return (before + timedelta(seconds=seconds)).astimezone(zone).utcoffset() != old

    return before + timedelta(
        seconds=bisect_left(range((after - before) // timedelta(seconds=1)), True, key=is_changed)
    )
