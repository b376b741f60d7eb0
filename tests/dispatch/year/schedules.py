"""What the job files of the simulated year say of when: as text for idms, and as plain sets of readings of a clock."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from zoneinfo import ZoneInfo

MINUTE, HOUR, DAY = 60, 3600, 86_400

HOLIDAYS = frozenset(
    date.fromisoformat(day)
    for day in (
        *("2026-09-07", "2026-10-26", "2026-11-02", "2026-11-03", "2026-12-25", "2027-01-01", "2027-02-15"),
        *("2027-03-15", "2027-03-29", "2027-04-05", "2027-05-31", "2027-06-18", "2027-07-05", "2027-08-02"),
    )
)
"""At least one in each month that is lived through."""

CALENDARS = f"""\
calendars:
  holidays: {{dates: [{", ".join(map(str, sorted(HOLIDAYS)))}], timezone: UTC}}
  sundays: {{weekly: sun, timezone: UTC}}
  nightly: {{weekly: "mon-fri 22:00-02:00", timezone: Europe/London}}
  sunday-night: {{weekly: "sun 01:00-04:00", timezone: America/New_York}}
"""


def any_day(day: date) -> bool:
    del day
    return True


@dataclass(frozen=True)
class When:
    """A word of a schedule: how it is written, and which readings of the clock it means."""

    text: str
    times: frozenset[int] = frozenset()
    """Minutes of the day."""
    has_day: Callable[[date], bool] = any_day
    follows_clock: bool = False
    every_s: int = 0
    """Again after so many seconds, whatever the clock shows."""


@dataclass(frozen=True)
class Times:
    """Words by the clock of one zone, with ends."""

    words: tuple[When, ...]
    zone: str
    first: date | None = None
    last: date | None = None

    @property
    def text(self) -> str:
        ends = [f"{word}: {day}" for word, day in (("from", self.first), ("until", self.last)) if day]
        return ", ".join([*(word.text for word in self.words), f"timezone: {self.zone}", *ends])


@dataclass(frozen=True)
class Rules:
    """All that a job file says of when."""

    times: tuple[Times, ...] = ()
    """By the clock of the first of them holidays are counted."""
    jitter: int = 0
    """Minutes."""
    then: str = ""
    """What becomes of slots on holidays; empty: nothing."""
    windows: tuple[str, ...] = ()
    after: str = ""
    accept: tuple[str, ...] = ("completed",)

    @property
    def text(self) -> str:
        if self.after:
            return f"after: {{job: {self.after}, accept: [{', '.join(self.accept)}]}}"
        parts = [f"any: [{', '.join(f'{{{times.text}}}' for times in self.times)}]", f"timezone: {self.times[0].zone}"]
        parts += [f"jitter: {self.jitter}m"] if self.jitter else []
        parts += [f"holidays: {{calendar: holidays, then: {self.then}}}"] if self.then else []
        parts += [f"not_during: [{', '.join(self.windows)}]"] if self.windows else []
        return ", ".join(parts)


@dataclass(frozen=True)
class Window:
    """Hours of some weekdays (1 is Monday), by the clock of a zone; those before `start` are of the next morning."""

    zone: ZoneInfo
    weekdays: range
    start: int = 0
    end: int = 24

    def has(self, moment: int) -> bool:
        reading = reading_of(moment, self.zone)
        hour, today, yesterday = reading % DAY // HOUR, day_of(reading), day_of(reading - DAY)
        if self.start < self.end:
            return today.isoweekday() in self.weekdays and self.start <= hour < self.end
        is_evening = today.isoweekday() in self.weekdays and hour >= self.start
        return is_evening or (yesterday.isoweekday() in self.weekdays and hour < self.end)


WINDOWS = {
    "sundays": Window(ZoneInfo("UTC"), range(7, 8)),
    "nightly": Window(ZoneInfo("Europe/London"), range(1, 6), 22, 2),
    "sunday-night": Window(ZoneInfo("America/New_York"), range(7, 8), 1, 4),
}


def reading_of(moment: int, zone: ZoneInfo) -> int:
    """What the clock of the zone shows, as seconds since 1970 of a clock that never changes."""
    offset = datetime.fromtimestamp(moment, zone).utcoffset()
    assert offset is not None
    return moment + int(offset.total_seconds())


def day_of(reading: int) -> date:
    return _day(reading // DAY)


@cache
def _day(number: int) -> date:
    return datetime.fromtimestamp(number * DAY, UTC).date()
