"""When the jobs of the simulated year are due, found by looking at the clock of their zone at every minute.

Slow on purpose, and sharing nothing with idms: it follows the words of the README and of cron(8).
"""

from array import array
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property
from hashlib import sha256
from zoneinfo import ZoneInfo

from tests.dispatch.year.schedules import DAY, HOLIDAYS, MINUTE, WINDOWS, Rules, Times, When, day_of, reading_of

BEFORE, AFTER = 45 * DAY, 42 * DAY
"""So much more is looked at: for what is moved, for months that are long, for clocks that are ahead."""


@dataclass(frozen=True, order=True)
class Occurrence:
    """A slot, when it is acted upon, and why it will not run; in seconds since 1970."""

    acts_at: int
    slot: int
    skip: str = field(default="", compare=False)


class Clock:
    """What the clock of a zone shows at each minute of a span."""

    def __init__(self, zone: str, span: range) -> None:
        self._zone = ZoneInfo(zone)
        self.shown: dict[int, array[int]] = defaultdict(lambda: array("q"))
        """Minute of the day -> the moments at which it is shown."""
        self.skipped: dict[int, int] = {}
        """Reading that is never shown (seconds) -> the moment at which the clock jumped over it."""
        before = self.reading(span[0]) - MINUTE
        for moment in span:
            reading = self.reading(moment)
            self.shown[reading % DAY // MINUTE].append(moment)
            for missing in range(before + MINUTE, reading, MINUTE):
                self.skipped[missing] = moment
            before = reading

    def reading(self, moment: int) -> int:
        return reading_of(moment, self._zone)

    def day(self, moment: int) -> date:
        return day_of(self.reading(moment))

    def midnight(self, day: date) -> int:
        return int(datetime(day.year, day.month, day.day, tzinfo=self._zone).timestamp())

    @cached_property
    def once(self) -> dict[int, int]:
        """Reading -> the one moment at which a fixed time runs: the first of two, and right after a gap."""
        moments = sorted((moment for shown in self.shown.values() for moment in shown), reverse=True)
        return {**{self.reading(moment): moment for moment in moments}, **self.skipped}


class Almanac:
    """All that is due in a span of time."""

    def __init__(self, start: int, end: int) -> None:
        """From `start` to `end`, in seconds since 1970."""
        self._span = range(start - BEFORE, end + AFTER, MINUTE)
        self._clocks: dict[str, Clock] = {}
        self._known: dict[tuple[Rules, str], list[Occurrence]] = {}

    def occurrences(self, rules: Rules, job: str) -> list[Occurrence]:
        """Those of a job with times of its own, by when they act."""
        if (rules, job) not in self._known:
            self._known[rules, job] = self._count_out(rules, job)
        return self._known[rules, job]

    def _count_out(self, rules: Rules, job: str) -> list[Occurrence]:
        nominal = {slot for times in rules.times for slot in self._slots(times)}
        placed = dict(self._place(slot, rules) for slot in sorted(nominal))
        by_act: dict[int, list[Occurrence]] = defaultdict(list)
        for slot, skip in sorted(placed.items()):
            acts_at = _out_of_windows(slot + share(job, rules.jitter) * MINUTE, rules.windows)
            by_act[acts_at].append(Occurrence(acts_at, slot, skip))
        return sorted(one for together in by_act.values() for one in _latest(together))

    def _clock(self, zone: str) -> Clock:
        if zone not in self._clocks:
            self._clocks[zone] = Clock(zone, self._span)
        return self._clocks[zone]

    def _slots(self, times: Times) -> Iterator[int]:
        clock = self._clock(times.zone)
        for word in times.words:
            found = self._at_intervals(word, clock, times.first) if word.every_s else _by_the_clock(word, clock)
            for slot in found:
                day = clock.day(slot)
                if (times.first is None or day >= times.first) and (times.last is None or day <= times.last):
                    yield slot

    def _at_intervals(self, word: When, clock: Clock, first: date | None) -> Iterator[int]:
        start = clock.midnight(first or date(2000, 1, 1))
        return (moment for moment in self._span if (moment - start) % word.every_s == 0)

    def _place(self, slot: int, rules: Rules) -> tuple[int, str]:
        """Where holidays move a slot to, and whether they cancel it."""
        clock = self._clock(rules.times[0].zone)
        if not rules.then or clock.day(slot) not in HOLIDAYS:
            return slot, ""
        if rules.then == "skip":
            return slot, "holiday"
        reading, step = clock.reading(slot), DAY if rules.then == "next" else -DAY
        while day_of(reading) in HOLIDAYS:
            reading += step
        return clock.once.get(reading, slot), ""  # what leaves the span stays at its edge, where nobody looks


def share(job: str, jitter: int) -> int:
    """The minutes of jitter of a job: always the same for its name."""
    return int.from_bytes(sha256(job.encode()).digest()[:8], "big") % (jitter + 1)


def _by_the_clock(word: When, clock: Clock) -> Iterator[int]:
    for minute in word.times:
        seen = set()
        for moment in clock.shown[minute]:
            reading = clock.reading(moment)
            if word.has_day(day_of(reading)) and (word.follows_clock or reading not in seen):
                seen.add(reading)
                yield moment
    for reading, moment in clock.skipped.items() if not word.follows_clock else ():
        if reading % DAY // MINUTE in word.times and word.has_day(day_of(reading)):
            yield moment


def _out_of_windows(moment: int, windows: tuple[str, ...]) -> int:
    while any(WINDOWS[name].has(moment) for name in windows):
        moment += MINUTE
    return moment


def _latest(together: list[Occurrence]) -> Iterator[Occurrence]:
    """Of those that would act at the end of one window the latest stands for all."""
    able = [one for one in together if not one.skip]
    for one in together:
        is_replaced = not one.skip and one is not able[-1]
        yield Occurrence(one.acts_at, one.slot, "window") if is_replaced else one


def moment_of(text: str) -> int:
    """A moment in UTC, in seconds since 1970."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())
