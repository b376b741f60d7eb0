"""Which days a schedule means: every one, some weekdays, or places in a month such as the last or the 3rd Friday."""

from calendar import monthrange
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final, Protocol

from idms_cli.jobs.wording import ordinal, weekday_words

LAST: Final = -1
"""The last of a month, where others are counted from 1."""
ANY_DAY: Final = frozenset(range(7))
WORKING_DAYS: Final = frozenset(range(1, 6))
_LAST_DATE: Final = date(2999, 12, 31)
_FIRST_DATE: Final = date(1969, 12, 1)


class Days(Protocol):
    """A set of dates."""

    def has(self, day: date) -> bool:
        """Whether the date is one of them."""

    def describe(self) -> str:
        """In short words: `weekdays`, `monthly on the last Fri`."""


@dataclass(frozen=True)
class OnWeekdays:
    """Days of the week, by cron's numbers (0 is Sunday)."""

    weekdays: frozenset[int] = ANY_DAY

    def has(self, day: date) -> bool:
        return cron_weekday(day) in self.weekdays

    def describe(self) -> str:
        return weekday_words(self.weekdays)


@dataclass(frozen=True)
class InMonth:
    """Places in a month, counted over all its days or over those of some weekdays: 15, LAST, the 3rd Friday."""

    places: frozenset[int]
    weekdays: frozenset[int] = ANY_DAY

    def has(self, day: date) -> bool:
        if cron_weekday(day) not in self.weekdays:
            return False
        return self._count(day, date(day.year, day.month, 1)) in self.places or (
            LAST in self.places and self._count(_end_of_month(day), day) == 1
        )

    def describe(self) -> str:
        places = sorted(self.places, key=lambda place: (place == LAST, place))
        what = {ANY_DAY: "", WORKING_DAYS: " weekday"}.get(self.weekdays, " " + weekday_words(self.weekdays))
        named = [("last" + (what or " day")) if place == LAST else ordinal(place) + what for place in places]
        return f"monthly on the {', '.join(named)}"

    def _count(self, day: date, start: date) -> int:
        """How many days of these weekdays there are from `start` to `day`."""
        weeks, rest = divmod((day - start).days + 1, 7)
        first = cron_weekday(start)
        return weeks * len(self.weekdays) + sum((first + step) % 7 in self.weekdays for step in range(rest))


@dataclass(frozen=True)
class DayTimes:
    """The readings of the wall clock at these times of these days. Implements `Readings`."""

    days: Days
    times: tuple[time, ...]
    """Ascending."""

    follows_clock: bool = False

    def after(self, reading: datetime) -> Iterator[datetime]:
        day = max(reading.date(), _FIRST_DATE)
        while day <= _LAST_DATE:
            if self.days.has(day):
                yield from (found for found in self._on(day, self.times) if found > reading)
            day += timedelta(days=1)

    def before(self, reading: datetime) -> Iterator[datetime]:
        day = min(reading.date(), _LAST_DATE)
        while day >= _FIRST_DATE:
            if self.days.has(day):
                yield from (found for found in self._on(day, self.times[::-1]) if found < reading)
            day -= timedelta(days=1)

    def describe(self) -> str:
        times = ", ".join(f"{at:%H:%M}" for at in self.times)
        days = self.days.describe()
        return f"{days}, {times}" if " on " in days else f"{days} {times}"

    def _on(self, day: date, times: Collection[time]) -> Iterator[datetime]:
        return (datetime.combine(day, at) for at in times)


def cron_weekday(day: date) -> int:
    """0 for Sunday to 6 for Saturday."""
    return day.isoweekday() % 7


def _end_of_month(day: date) -> date:
    return day.replace(day=monthrange(day.year, day.month)[1])
