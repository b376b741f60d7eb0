"""A job's rules applied to its schedule: holidays move or cancel slots, jitter and windows put them off."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import Final

from idms_cli.config.durations import format_duration
from idms_cli.jobs.calendar import Calendar
from idms_cli.jobs.holidays import Holidays, Placed
from idms_cli.jobs.occurrences import DueOccurrences, Occurrence
from idms_cli.jobs.slots import Schedule, in_utc, refuse_empty

_JUST: Final = timedelta(microseconds=1)
_LONGEST_WINDOW: Final = timedelta(days=366)


@dataclass(frozen=True)
class Ruled:
    """The occurrences of a schedule under these rules. Implements `Occurrences`.

    A slot is first placed (holidays), then put off by the jitter, and last to the end of the window that it would act
    in. Of several slots that would act at the end of one window, the latest runs and stands for all.
    """

    schedule: Schedule
    jitter: timedelta = timedelta(0)
    holidays: Holidays | None = None
    windows: Sequence[Calendar] = ()

    def next_after(self, moment: datetime) -> Occurrence | None:
        return next(iter(self._together_after(in_utc(moment))[-1:]), None)

    def due(self, after: datetime, until: datetime, *, newest: int = 1000) -> DueOccurrences:
        refuse_empty(newest)
        after, until = in_utc(after), in_utc(until)
        first, last = self._source(self._placed_after(after)), self._last_source(until - self.jitter)
        number = newest
        while True:
            raw = self.schedule.due(first, last, newest=number)
            found = [one for one in self._occurrences(raw.slots) if after < one.acts_at <= until]
            if raw.older is None:
                break
            certain = self._latest_of(raw.older[1])  # whatever was cut off has acted by then
            found = [one for one in found if one.acts_at > certain]
            if len(found) > newest:
                break
            number *= 4
        if len(found) <= newest:
            return DueOccurrences(tuple(found))
        oldest = found[0] if raw.older is None else self._together_after(after)[0]
        return DueOccurrences(tuple(found[-newest:]), (oldest.slot, found[-newest - 1].slot))

    def moved(self, after: datetime, until: datetime) -> Placed | None:
        """Where the first slot later than `after` and not later than `until` went, if that is off a holiday."""
        slots = self.schedule.due(in_utc(after), in_utc(until)).slots
        placed = self._place(slots[0]) if slots else None
        return placed if placed and placed.slot != slots[0] else None

    def describe(self) -> str:
        told = [self.schedule.describe()]
        if self.jitter:
            told.append(f"{format_duration(self.jitter)} later (jitter)")
        if self.holidays:
            told.append(self.holidays.describe())
        if self.windows:
            told.append(f"not during {', '.join(calendar.name for calendar in self.windows)}")
        return ", ".join(told)

    def _together_after(self, moment: datetime) -> tuple[Occurrence, ...]:
        """The occurrences that act first after the moment: more than one only at the end of a window."""
        floor = self._placed_after(moment)
        soonest: datetime | None = None
        slot = self.schedule.next_after(self._source(floor))
        while slot is not None and (soonest is None or slot <= self._last_source(soonest)):
            placed = self._place(slot).slot
            if placed > floor and (soonest is None or placed < soonest):
                soonest = placed
            slot = self.schedule.next_after(slot)
        if soonest is None:
            return ()
        acts_at = self._put_off(soonest)[0]
        return self.due(acts_at - _JUST, acts_at).occurrences

    def _occurrences(self, slots: Iterable[datetime]) -> list[Occurrence]:
        """Ascending by `acts_at`; of those that act together all but the last are replaced by it."""
        found: dict[datetime, Occurrence] = {}
        for slot in slots:
            placed = self._place(slot)
            if placed.slot not in found or placed.slot == slot:  # its own slot counts before one that moved there
                found[placed.slot] = self._occurrence(placed)
        together = groupby(sorted(found.values()), key=lambda one: one.acts_at)
        return [one for _, group in together for one in self._latest_for_all(list(group))]

    def _latest_for_all(self, together: list[Occurrence]) -> list[Occurrence]:
        able = [one for one in together if not one.skip]
        if len(able) < 2:
            return together
        window = next(filter(None, (self._put_off(one.slot)[1] for one in able)))
        reason = f"window: a later slot took its place at the end of {window}"
        return [one if one.skip or one is able[-1] else replace(one, skip=reason, note="") for one in together]

    def _occurrence(self, placed: Placed) -> Occurrence:
        acts_at, window = self._put_off(placed.slot)
        if placed.skip:
            return Occurrence(acts_at, placed.slot, placed.skip)
        if acts_at - placed.slot > _LONGEST_WINDOW:
            return Occurrence(acts_at, placed.slot, f"window: {window} has no end within a year")
        deferred = f"deferred to the end of {window}" if window else ""
        return Occurrence(acts_at, placed.slot, note="; ".join(filter(None, (placed.note, deferred))))

    def _place(self, slot: datetime) -> Placed:
        return self.holidays.place(slot) if self.holidays else Placed(slot)

    def _put_off(self, slot: datetime) -> tuple[datetime, str]:
        """When a slot acts, and the name of the window that it waited for last, if any."""
        moment, name = slot + self.jitter, ""
        while moment - slot <= _LONGEST_WINDOW + self.jitter:
            spans = [(calendar, calendar.span_at(moment)) for calendar in self.windows]
            ends = [(span.end, calendar.name) for calendar, span in spans if span]
            if not ends:
                break
            moment, name = max(ends)
        return moment, name

    def _placed_after(self, moment: datetime) -> datetime:
        """A moment after which exactly those slots are placed that act after `moment`."""
        start = moment
        while moment - start <= _LONGEST_WINDOW + self.jitter:
            spans = [span for calendar in self.windows if (span := calendar.span_at(start))]
            if not spans:
                break
            start = min(span.start for span in spans) - _JUST
        return start - self.jitter

    def _source(self, moment: datetime) -> datetime:
        return self.holidays.before_first(moment) if self.holidays else moment

    def _last_source(self, moment: datetime) -> datetime:
        return self.holidays.last(moment) if self.holidays else moment

    def _latest_of(self, moment: datetime) -> datetime:
        return self._put_off(self.holidays.latest_of(moment) if self.holidays else moment)[0]
