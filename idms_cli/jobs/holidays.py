"""What a job does on holidays: its slot is skipped, or moves to the day before or after that is none."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final, Literal, NamedTuple
from zoneinfo import ZoneInfo

from idms_cli.jobs.calendar import Calendar
from idms_cli.jobs.slots import in_utc
from idms_cli.jobs.wallclock import moments_of

Then = Literal["skip", "previous", "next"]
DAY: Final = timedelta(days=1)
_JUST: Final = timedelta(microseconds=1)
_FARTHEST: Final = 366
"""Days; a slot that finds no day that is none within a year is skipped."""
_STEP: Final = {"previous": -1, "skip": 0, "next": 1}
_WORDS: Final = {
    "skip": "skipped on days of",
    "previous": "moved to the day before on days of",
    "next": "moved to the next day on days of",
}


class Placed(NamedTuple):
    """Where a slot ends up."""

    slot: datetime
    skip: str = ""
    note: str = ""
    holiday: str = ""
    """What it was moved off."""


@dataclass(frozen=True)
class Holidays:
    """Days, by the clock of the job's zone, on which a slot cannot stay."""

    calendars: Sequence[Calendar]
    then: Then
    zone: ZoneInfo

    def place(self, slot: datetime) -> Placed:
        """Where a slot goes: to the same time, by the clock on the wall, of the nearest day that is no holiday."""
        local = slot.astimezone(self.zone)
        name = self._name(local.date())
        if name is None:
            return Placed(slot)
        day = self._free_day(local.date())
        reading = local.replace(tzinfo=None, fold=0)
        moments = () if day is None else moments_of(reading + (day - reading.date()), self.zone, follows_clock=False)
        if not moments:
            return Placed(slot, skip=f"holiday: {name}")
        return Placed(moments[0], note=f"moved from {local:%a %Y-%m-%d %H:%M} ({name})", holiday=name)

    def before_first(self, moment: datetime) -> datetime:
        """A moment before every slot that is placed after `moment`."""
        day = self._day(moment)
        if self.then != "next":
            return moment
        start = day
        while self._name(start - DAY) is not None and day - start < _FARTHEST * DAY:
            start -= DAY
        return moment if start == day and self._name(day) is None else min(moment, self._midnight(start) - _JUST)

    def last(self, moment: datetime) -> datetime:
        """A moment that no slot is after which is placed up to `moment`."""
        day = self._day(moment)
        if self.then != "previous":
            return moment
        end = day
        while self._name(end + DAY) is not None and end - day < _FARTHEST * DAY:
            end += DAY
        return moment if end == day and self._name(day) is None else max(moment, self._midnight(end + DAY) - _JUST)

    def latest_of(self, moment: datetime) -> datetime:
        """A moment that no slot up to `moment` is placed after."""
        day = self._free_day(self._day(moment)) if self.then == "next" else None
        return moment if day is None else max(moment, self._midnight(day + DAY) - _JUST)

    def describe(self) -> str:
        return f"{_WORDS[self.then]} {', '.join(calendar.name for calendar in self.calendars)}"

    def _name(self, day: date) -> str | None:
        return next(filter(None, (calendar.day(day) for calendar in self.calendars)), None)

    def _free_day(self, day: date) -> date | None:
        """The nearest day that is no holiday; None when slots do not move, or there is none within a year."""
        step = _STEP[self.then]
        for count in range(_FARTHEST if step else 0):
            candidate = day + count * step * DAY
            if self._name(candidate) is None:
                return candidate
        return None

    def _day(self, moment: datetime) -> date:
        return moment.astimezone(self.zone).date()

    def _midnight(self, day: date) -> datetime:
        return in_utc(datetime.combine(day, time(), self.zone))
