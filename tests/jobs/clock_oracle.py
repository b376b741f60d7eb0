"""A slow second way to find slots: look at the clock of a zone every minute around each of its changes.

It shares nothing with idms but the words of cron(8): a particular time runs once, a wildcard with the clock; changes of
more than three hours are corrections. `python -m tests.jobs.clock_oracle` writes the golden tables anew.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, cached_property
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

from tests.conftest import SOAK

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
FIRST, LAST = date(2020, 1, 1), date(2035, 12, 31)
SPAN = 14 * HOUR
"""So far before and after a change slots are looked for; the clock is looked at for an hour longer."""

STEP_DAYS = 1 if SOAK else 5
"""No zone changes its clock twice within so many days; the long form of the test looks every day."""

Reading = datetime


@dataclass(frozen=True)
class Change:
    """The moment at which the clock of a zone changes."""

    zone: str
    moment: datetime
    old: timedelta
    new: timedelta

    @property
    def shape(self) -> str:
        """What the clock would have shown and what it shows: `02:00 -> 03:00`."""
        return f"{self.moment + self.old:%H:%M} -> {self.moment + self.new:%H:%M}"

    @property
    def first(self) -> datetime:
        return self.moment - SPAN

    @property
    def last(self) -> datetime:
        return self.moment + SPAN

    @cached_property
    def seen(self) -> dict[Reading, list[datetime]]:
        """When the clock shows each reading, minute by minute."""
        zone = ZoneInfo(self.zone)
        found: dict[Reading, list[datetime]] = {}
        for count in range(2 * (SPAN + HOUR) // MINUTE + 1):
            moment = self.first - HOUR + MINUTE * count
            found.setdefault(moment.astimezone(zone).replace(tzinfo=None, fold=0), []).append(moment)
        return found

    def with_the_clock(self, names: Callable[[Reading], bool]) -> list[datetime]:
        """The slots of a wildcard job: whenever the clock shows a reading that it names."""
        return self._within(moment for reading, moments in self.seen.items() if names(reading) for moment in moments)

    def once_a_day(self, at: time) -> list[datetime]:
        """The slots of a job at this time of each day."""
        days = {reading.date() for reading in self.seen}
        return self._within(slot for day in days for slot in self._once(datetime.combine(day, at)))

    def affected(self) -> list[time]:
        """Every quarter of an hour that the change touches, and half an hour around it."""
        low, high = sorted([self.moment + self.old, self.moment + self.new])
        start = low - low.minute % 15 * MINUTE - 30 * MINUTE
        count = (high - start + 30 * MINUTE) // (15 * MINUTE) + 1
        return [(start + 15 * MINUTE * number).time().replace(tzinfo=None) for number in range(count)]

    def _once(self, reading: Reading) -> list[datetime]:
        if not min(self.seen) <= reading <= max(self.seen):
            return []
        if moments := self.seen.get(reading, []):
            return moments[:1] if moments[-1] - moments[0] <= 3 * HOUR else moments
        return [self.moment] if self.new - self.old <= 3 * HOUR else []

    def _within(self, slots: Iterable[datetime]) -> list[datetime]:
        return sorted(slot for slot in set(slots) if self.first < slot <= self.last)


KINDS: dict[str, Callable[[Reading], bool]] = {
    "hourly": lambda reading: reading.minute == 0,
    "quarter-hourly": lambda reading: reading.minute % 15 == 0,
    "two-hourly": lambda reading: reading.minute == 0 and reading.hour % 2 == 0,
}


@cache
def all_changes() -> tuple[Change, ...]:
    """Every change of every zone in the tz database, from 2020 to 2035."""
    return tuple(change for zone in sorted(available_timezones()) for change in _changes_of(zone))


@cache
def distinct_changes() -> tuple[Change, ...]:
    """One of those that are the same in several zones."""
    found = {(change.moment, change.old, change.new): change for change in reversed(all_changes())}
    return tuple(sorted(found.values(), key=lambda change: (change.moment, change.zone)))


def shapes() -> dict[str, Change]:
    """The first change of each shape."""
    return {change.shape: change for change in reversed(distinct_changes())}


def golden_rows(change: Change) -> Iterator[str]:
    """The slots around a change, as the golden tables have them."""
    about = f"{change.shape} | {change.zone} {change.moment:%Y-%m-%dT%H:%MZ}"
    for at in change.affected():
        slots = (slot for slot in change.once_a_day(at) if abs(slot - change.moment) <= 6 * HOUR)
        yield f"{about} | daily {at:%H:%M} | {shown(slots, change)}"
    for kind, names in KINDS.items():
        near = 2 * HOUR if kind == "quarter-hourly" else 6 * HOUR
        slots = (slot for slot in change.with_the_clock(names) if abs(slot - change.moment) <= near)
        yield f"{about} | {kind} | {shown(slots, change)}"


def shown(slots: Iterable[datetime], change: Change) -> str:
    """Slots by the clock of the zone; `'` marks those after the change."""
    zone = ZoneInfo(change.zone)
    return " ".join(f"{slot.astimezone(zone):%H:%M}{chr(39) * (slot >= change.moment)}" for slot in slots)


def _changes_of(zone: str) -> Iterator[Change]:
    clock = ZoneInfo(zone)

    def offset(moment: datetime) -> timedelta:
        return moment.astimezone(clock).utcoffset() or timedelta(0)

    looks = range(0, (LAST - FIRST).days + STEP_DAYS + 1, STEP_DAYS)
    for start, end in pairwise(datetime.combine(FIRST, time(), UTC) + timedelta(days=count) for count in looks):
        old, new = offset(start), offset(end)
        if old != new:
            yield Change(zone, _first_with(new, start, end, offset), old, new)


def _first_with(new: timedelta, start: datetime, end: datetime, offset: Callable[[datetime], timedelta]) -> datetime:
    while end - start > MINUTE:
        middle = start + (end - start) // (2 * MINUTE) * MINUTE
        start, end = (start, middle) if offset(middle) == new else (middle, end)
    return end


if __name__ == "__main__":
    for _, first in sorted(shapes().items()):
        print(*golden_rows(first), sep="\n")
