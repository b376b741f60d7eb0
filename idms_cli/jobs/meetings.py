"""Which jobs will meet on the same data, from their schedules and how long they usually take; and when they would not.

Pure: no clock, no history, no files. What is known of a job comes in as a `Habit`.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain

from idms_cli.jobs.occurrences import Timetable

DAYS = 14
"""How far one looks ahead, unless told otherwise."""

MOST_STARTS = 64
"""Starts of one job that are looked at; of a job that starts more often, the first stretch stands for the rest."""

MOST_LOOKS = 4000
"""Starts of seldom jobs that are compared with those of frequent ones."""

MOST_ENCOUNTERS = 1_000_000
"""Jobs found at work by the start of another one; after so many, the rest of the time is taken to go on like that."""

MOST_MEETINGS = 500
"""Pairs that are told, and for which a free time is looked for."""

STEP_MIN = 5
FARTHEST_MIN = 12 * 60
"""A free time is looked for in such steps, else by the minute, and up to so much later."""

_DAY_MIN = 24 * 60
_ALL_DAY = (1 << _DAY_MIN) - 1


@dataclass(frozen=True)
class Habit:
    """A job as its neighbours see it."""

    job: str
    timetable: Timetable
    touches: Mapping[str, bool]
    """What it reads and writes: resource -> whether it writes."""
    lasts_s: float
    """How long a run usually takes."""
    is_movable: bool = True
    """It has times of its own, and does not come after another job."""


@dataclass(frozen=True)
class Suggestion:
    """A shift of one job that lets it meet nobody."""

    job: str
    later_min: int
    """By how many minutes it would start later."""
    start: datetime
    """Its next start then, UTC."""


@dataclass(frozen=True)
class Meeting:
    """Two jobs that will want the same data at the same time; one of them then waits."""

    first: str
    """The one that has the data when they meet for the first time."""
    second: str
    resource: str
    at: datetime
    """When that is, UTC."""
    times: int
    exact: bool
    """False where both start so often that `times` is an estimate."""
    suggestion: Suggestion | None = None


@dataclass(frozen=True)
class Forecast:
    """The meetings, the most frequent first, and how many pairs more there are."""

    meetings: tuple[Meeting, ...] = ()
    more: int = 0


@dataclass(frozen=True)
class _Visits:
    """A job's habit with the starts that were looked at."""

    habit: Habit
    starts: Sequence[datetime]
    until: datetime
    is_frequent: bool
    """There are more starts than were looked at, which go up to `until`."""

    @property
    def lasts(self) -> timedelta:
        return timedelta(seconds=self.habit.lasts_s)

    def minutes(self) -> int:
        """The minutes of the day (UTC) at which it is at work, as bits."""
        length = min(_DAY_MIN, int(self.habit.lasts_s // 60) + 2)  # it may begin late in its minute
        begins = {start.hour * 60 + start.minute for start in self.starts}
        if self.is_frequent and self.starts and self.until - self.starts[0] < timedelta(days=1):
            begins = {minute % 60 + 60 * hour for minute in begins for hour in range(24)}
        bits = 0
        for minute in begins:
            bits |= _turned((1 << length) - 1, minute)
        return bits


def forecast(habits: Sequence[Habit], now: datetime, *, days: int = DAYS, about: Collection[str] = ()) -> Forecast:
    """The pairs of jobs that will meet in the `days` after `now`; only those with a job of `about`, if that names any.

    That who waits makes others wait in turn is not followed. The work is bounded, however often a job starts.
    """
    end = now + timedelta(days=days)
    visits = [_visits(habit, now, end) for habit in habits]
    found = [
        meeting
        for resource, sharing in _by_resource(visits).items()
        for meeting in _meetings(resource, sharing, now, end)
        if not about or meeting.first in about or meeting.second in about
    ]
    found.sort(key=lambda one: (-one.times, one.at, one.first, one.second, one.resource))
    told = _with_suggestions(found[:MOST_MEETINGS], visits)
    return Forecast(tuple(told), len(found) - len(told))


@dataclass
class _Met:
    """What is known of a pair while the time is gone through; the jobs by their numbers."""

    at: datetime
    first: int
    second: int
    times: int = 0


def _visits(habit: Habit, now: datetime, end: datetime) -> _Visits:
    """All starts until the end, or the first ones of a job that starts often; never much more than are kept."""
    day = habit.timetable.due(now, min(end, now + timedelta(days=1)), newest=MOST_STARTS)
    if day.older:
        until = now + (day.slots[-1] - day.slots[0]) * (MOST_STARTS / (MOST_STARTS - 1))
    elif day.slots:
        until = min(end, now + timedelta(days=max(1, MOST_STARTS // len(day.slots))))
    else:
        until = end
    due = habit.timetable.due(now, until, newest=MOST_STARTS)
    return _Visits(habit, due.slots, until, is_frequent=until < end or due.older is not None)


def _by_resource(visits: Iterable[_Visits]) -> dict[str, list[_Visits]]:
    """Who shares what: only data that somebody writes, and that several touch."""
    found: dict[str, list[_Visits]] = {}
    for each in visits:
        for resource in each.habit.touches:
            found.setdefault(resource, []).append(each)
    return {
        resource: sharing
        for resource, sharing in found.items()
        if len(sharing) > 1 and any(each.habit.touches[resource] for each in sharing)
    }


def _meetings(resource: str, sharing: Sequence[_Visits], now: datetime, end: datetime) -> Iterator[Meeting]:
    seldom = [each for each in sharing if not each.is_frequent]
    frequent = [each for each in sharing if each.is_frequent]
    yield from _swept(resource, seldom, (now, end), end)
    if frequent:
        until = min(each.until for each in frequent)
        yield from _swept(resource, frequent, (now, until), end)
        yield from _looked_up(resource, frequent, seldom)


def _swept(
    resource: str, visits: Sequence[_Visits], span: tuple[datetime, datetime], end: datetime
) -> Iterator[Meeting]:
    """The pairs among jobs whose starts are all known in a span of time, which stands for all up to the `end`."""
    now, until = span
    starts = sorted((start, number) for number, each in enumerate(visits) for start in each.starts if start <= until)
    at_work: list[tuple[datetime, int]] = []
    met: dict[tuple[int, int], _Met] = {}
    encounters = 0
    for start, number in starts:
        if encounters > MOST_ENCOUNTERS:
            until = start
            break
        at_work = [(ends, other) for ends, other in at_work if ends > start]
        encounters += len(at_work)
        for _, other in at_work:
            if other != number and _conflict(resource, visits[other], visits[number]):
                pair = (other, number) if other < number else (number, other)
                met.setdefault(pair, _Met(start, other, number)).times += 1
        at_work.append((start + visits[number].lasts, number))
    scale = (end - now) / (until - now)
    for each in met.values():
        first, second = visits[each.first].habit.job, visits[each.second].habit.job
        yield Meeting(first, second, resource, each.at, round(each.times * scale), exact=until == end)


def _looked_up(resource: str, frequent: Sequence[_Visits], seldom: Sequence[_Visits]) -> Iterator[Meeting]:
    """The pairs of a frequent job and a seldom one: around each start of the seldom one."""
    looks = MOST_LOOKS
    for often in frequent:
        for other in seldom:
            if not _conflict(resource, often, other) or looks <= 0:
                continue
            looks -= len(other.starts)
            meets = [met for start in other.starts if (met := _met(often, other, start)) is not None]
            if not meets:
                continue
            at, often_first = meets[0]
            names = [often.habit.job, other.habit.job]
            first, second = names if often_first else reversed(names)
            yield Meeting(first, second, resource, at, len(meets), exact=True)


def _met(often: _Visits, other: _Visits, start: datetime) -> tuple[datetime, bool] | None:
    """When the two meet around a start of the seldom one, and whether the frequent one was there first."""
    due = often.habit.timetable.due(start - often.lasts, start, newest=1)
    if due.slots:
        return start, True
    due = often.habit.timetable.due(start, start + other.lasts, newest=1)
    return (due.slots[0], False) if due.slots else None


def _conflict(resource: str, one: _Visits, other: _Visits) -> bool:
    return one.habit.touches[resource] or other.habit.touches[resource]


def _with_suggestions(meetings: Sequence[Meeting], visits: Sequence[_Visits]) -> list[Meeting]:
    by_job = {each.habit.job: each for each in visits}
    at_work = {name: each.minutes() for name, each in by_job.items()}
    free: dict[str, Suggestion | None] = {}
    told = []
    for meeting in meetings:
        pair = sorted((by_job[meeting.second], by_job[meeting.first]), key=lambda each: (_density(each), each.lasts))
        movable = [each for each in pair if each.habit.is_movable]  # rather the one that starts less often
        for each in movable:
            if each.habit.job not in free:
                free[each.habit.job] = _free_time(each, at_work, visits)
        suggestion = next(filter(None, (free[each.habit.job] for each in movable)), None)
        told.append(replace(meeting, suggestion=suggestion))
    return told


def _density(visits: _Visits) -> tuple[bool, int]:
    return visits.is_frequent, len(visits.starts)


def _free_time(job: _Visits, at_work: Mapping[str, int], visits: Sequence[_Visits]) -> Suggestion | None:
    """The smallest shift to later after which the job meets nobody on any of its data."""
    busy, touches = 0, job.habit.touches
    for other in visits:
        shared = touches.keys() & other.habit.touches.keys()
        if other is not job and any(_conflict(resource, job, other) for resource in shared):
            busy |= at_work[other.habit.job]
    own = at_work[job.habit.job]
    by_the_minute = range(1, FARTHEST_MIN + 1)
    for later in chain(by_the_minute[STEP_MIN - 1 :: STEP_MIN], by_the_minute):
        if not _turned(own, later) & busy:
            return Suggestion(job.habit.job, later, job.starts[0] + timedelta(minutes=later))
    return None


def _turned(bits: int, minutes: int) -> int:
    """The minutes of a day, so much later; what leaves at midnight comes in again."""
    return ((bits << minutes) | (bits >> (_DAY_MIN - minutes))) & _ALL_DAY
