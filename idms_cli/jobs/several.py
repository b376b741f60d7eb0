"""Schedules made of others: several at once, and one that begins and ends."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from idms_cli.jobs.slots import Due, Schedule, in_utc, refuse_empty

_JUST = timedelta(microseconds=1)


def all_of(schedules: Sequence[Schedule]) -> Schedule:
    """The slots of all these schedules; one that several share is one slot."""
    return schedules[0] if len(schedules) == 1 else _Several(tuple(schedules))


def between(schedule: Schedule, first: datetime | None, last: datetime | None, *, words: str) -> Schedule:
    """The slots of the schedule from `first` to `last`, both included; None is without end. `words` tell the ends."""
    return schedule if first is None and last is None else _Between(schedule, first, last, words)


@dataclass(frozen=True)
class _Several:
    schedules: tuple[Schedule, ...]

    def next_after(self, moment: datetime) -> datetime | None:
        found = (schedule.next_after(moment) for schedule in self.schedules)
        return min((slot for slot in found if slot is not None), default=None)

    def due(self, after: datetime, until: datetime, *, newest: int = 1000) -> Due:
        refuse_empty(newest)
        parts = [schedule.due(after, until, newest=newest) for schedule in self.schedules]
        slots = sorted({slot for part in parts for slot in part.slots})
        # What a part cut off is older than `newest` slots of its own, so also than those of all parts together.
        cut = [*slots[:-newest], *(part.older[1] for part in parts if part.older)]
        if not cut:
            return Due(tuple(slots))
        return Due(tuple(slots[-newest:]), older=(self.next_after(after) or min(cut), max(cut)))

    def describe(self) -> str:
        told = [schedule.describe() for schedule in self.schedules]
        zone = told[-1][told[-1].rfind(" (") :]
        if zone and all(each.endswith(zone) for each in told):
            told = [each.removesuffix(zone) for each in told[:-1]] + told[-1:]
        return "; ".join(told)


@dataclass(frozen=True)
class _Between:
    schedule: Schedule
    first: datetime | None
    last: datetime | None
    words: str

    def next_after(self, moment: datetime) -> datetime | None:
        slot = self.schedule.next_after(self._from(moment))
        return None if slot is None or (self.last is not None and slot > self.last) else slot

    def due(self, after: datetime, until: datetime, *, newest: int = 1000) -> Due:
        until = in_utc(until) if self.last is None else min(in_utc(until), self.last)
        return self.schedule.due(self._from(after), until, newest=newest)

    def describe(self) -> str:
        return f"{self.schedule.describe()} {self.words}"

    def _from(self, moment: datetime) -> datetime:
        return in_utc(moment) if self.first is None else max(in_utc(moment), self.first - _JUST)
