"""Whom a start that is still to come will meet on the same data, so that it can be marked where it is listed.

Pure, as `meetings`, which tells of pairs of jobs and when they would not meet; here each start is looked at.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from idms_cli.jobs.meetings import Habit

MOST_STARTS = 200
"""Starts of another job that are kept; one that starts more often is asked anew for each start that is listed."""

MOST_LOOKS = 4000
"""So often such a frequent job is asked; after that, meetings with these are not marked any more."""

_JUST = timedelta(microseconds=1)


@dataclass(frozen=True)
class Conflict:
    """Another job that will be at work on the same data."""

    other: str
    resource: str
    waits: bool
    """Whether the start that was looked at comes later, and so has to wait; else the other one has to."""


@dataclass(frozen=True)
class _Neighbour:
    """Another job on the same data, and its starts while the listed ones are at work."""

    habit: Habit
    resource: str
    starts: Sequence[datetime] | None
    """None for one that starts too often: it is asked about each listed start."""

    def met(self, habit: Habit, start: datetime) -> tuple[datetime, Conflict] | None:
        """Its first start that meets one of `habit`: it is still at work then, or comes while that one is."""
        after, until = start - _lasts(self.habit), start + _lasts(habit) - _JUST
        at = self._asked(after, until) if self.starts is None else _first(self.starts, after, until)
        if at is None:
            return None
        return at, Conflict(self.habit.job, self.resource, waits=(at, self.habit.job) < (start, habit.job))

    def _asked(self, after: datetime, until: datetime) -> datetime | None:
        due = self.habit.timetable.due(after, until, newest=1)
        return due.older[0] if due.older else next(iter(due.slots), None)


def conflicts(
    habits: Sequence[Habit], starts: Iterable[tuple[str, datetime]]
) -> Mapping[tuple[str, datetime], Conflict]:
    """For each start (job, moment in UTC) that will meet another job on its data, the first one that it meets.

    How long a start lasts is what its job's habit says; jobs without one meet nobody. The work is bounded.
    """
    by_job = {habit.job: habit for habit in habits}
    listed = [(by_job[job], start) for job, start in starts if job in by_job]
    neighbours = _neighbours(habits, listed)
    found: dict[tuple[str, datetime], Conflict] = {}
    looks = MOST_LOOKS
    for habit, start in listed:
        met: list[tuple[datetime, Conflict]] = []
        for other in neighbours[habit.job]:
            if other.starts is None:
                if met or looks <= 0:
                    break  # nothing but frequent ones is left
                looks -= 1
            met += filter(None, [other.met(habit, start)])
        if met:
            found[habit.job, start] = min(met, key=lambda one: (one[0], one[1].other))[1]
    return found


def _neighbours(
    habits: Sequence[Habit], listed: Sequence[tuple[Habit, datetime]]
) -> Mapping[str, Sequence[_Neighbour]]:
    """Of each listed job those that cannot be at work beside it, the frequent ones last."""
    if not listed:
        return {}
    sharing: dict[str, list[Habit]] = {}
    for habit in habits:
        for resource in habit.touches:
            sharing.setdefault(resource, []).append(habit)
    longest = max(map(_lasts, habits))
    since, until = min(start for _, start in listed) - longest, max(start for _, start in listed) + longest
    starts: dict[str, Sequence[datetime] | None] = {}
    found: dict[str, list[_Neighbour]] = {}
    for habit in {habit.job: habit for habit, _ in listed}.values():
        others = _others(habit, sharing)
        for other in others:
            if other not in starts:
                due = others[other][0].timetable.due(since, until, newest=MOST_STARTS)
                starts[other] = None if due.older else due.slots
        each = [_Neighbour(other, resource, starts[other.job]) for other, resource in others.values()]
        found[habit.job] = sorted(each, key=lambda one: (one.starts is None, one.habit.job))
    return found


def _others(habit: Habit, sharing: Mapping[str, Sequence[Habit]]) -> Mapping[str, tuple[Habit, str]]:
    """Each other job that cannot be at work beside this one, and what it is about."""
    found: dict[str, tuple[Habit, str]] = {}
    for resource, writes in habit.touches.items():
        for other in sharing[resource]:
            if other is not habit and (writes or other.touches[resource]):
                found.setdefault(other.job, (other, resource))
    return found


def _first(starts: Sequence[datetime], after: datetime, until: datetime) -> datetime | None:
    """The first of them later than `after` and not later than `until`."""
    place = bisect_right(starts, after)
    return starts[place] if place < len(starts) and starts[place] <= until else None


def _lasts(habit: Habit) -> timedelta:
    return timedelta(seconds=habit.lasts_s)
