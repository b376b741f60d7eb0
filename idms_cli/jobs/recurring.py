"""A schedule that names readings of the wall clock becomes the moments at which it is due."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from idms_cli.jobs.slots import Due, in_utc, newest_of, refuse_empty
from idms_cli.jobs.wallclock import highest_reading, lowest_reading, moments_of


class Readings(Protocol):
    """What a schedule says of the wall clock, without a zone. Readings are naive and in whole minutes."""

    @property
    def follows_clock(self) -> bool:
        """Whether this repeats with the clock, rather than naming times of day (cron(8): wildcard jobs)."""

    def after(self, reading: datetime) -> Iterator[datetime]:
        """The readings later than the given one, ascending."""

    def before(self, reading: datetime) -> Iterator[datetime]:
        """The readings earlier than the given one, descending."""

    def describe(self) -> str:
        """In short words: `weekdays 02:15`."""


@dataclass(frozen=True)
class Recurring:
    """The moments of all readings, so that what is due cannot depend on where one starts to look."""

    readings: Readings
    zone: ZoneInfo

    def next_after(self, moment: datetime) -> datetime | None:
        moment = in_utc(moment)
        soonest: datetime | None = None
        for reading in self.readings.after(_whole_minute(lowest_reading(moment, self.zone))):
            if soonest is not None and reading > highest_reading(soonest, self.zone):
                break
            for slot in self._slots_of(reading):
                if slot > moment and (soonest is None or slot < soonest):
                    soonest = slot
        return soonest

    def due(self, after: datetime, until: datetime, *, newest: int = 1000) -> Due:
        refuse_empty(newest)
        after, until = in_utc(after), in_utc(until)
        found: set[datetime] = set()
        floor = lowest_reading(after, self.zone)
        start = _whole_minute(highest_reading(until, self.zone)) + timedelta(minutes=1)
        for reading in self.readings.before(start):
            if reading <= floor:
                break
            found.update(slot for slot in self._slots_of(reading) if after < slot <= until)
            if len(found) > newest:
                floor = max(floor, lowest_reading(sorted(found)[-newest - 1], self.zone))
        return newest_of(found, newest, self, after)

    def describe(self) -> str:
        return f"{self.readings.describe()} ({self.zone})"

    def _slots_of(self, reading: datetime) -> tuple[datetime, ...]:
        return moments_of(reading, self.zone, follows_clock=self.readings.follows_clock)


def _whole_minute(reading: datetime) -> datetime:
    return reading.replace(second=0, microsecond=0)
