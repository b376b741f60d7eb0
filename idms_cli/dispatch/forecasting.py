"""The jobs as they are now, and how long they took so far: what a forecast of who will wait for whom goes by."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from idms_cli.dispatch.claim import data_locks
from idms_cli.dispatch.reading import Checked
from idms_cli.history.rows import Pause
from idms_cli.jobs.job import Job
from idms_cli.jobs.meetings import Habit
from idms_cli.jobs.occurrences import Later, Resting, Starts, Timetable
from idms_cli.modules import Work

GUESS_S = 300.0
"""How long a job takes that never ran."""


def habits_of(
    checked: Sequence[Checked],
    usual_s: Mapping[str, float],
    *,
    idle: Collection[str] = (),
    pauses: Iterable[Pause] = (),
) -> Sequence[Habit]:
    """When the jobs start that run on their own, what they touch, and how long they usually take (`usual_s`, seconds).

    A job after another one starts when that one usually ends. Jobs that are broken, disabled or without a schedule meet
    nobody, nor do those that are `idle` for another reason than their file; one that is paused starts after its pause.
    """
    paused = {pause.job: pause.until for pause in pauses}
    away = {*idle, *(job for job, until in paused.items() if until is None)}
    resting = {job: until for job, until in paused.items() if until is not None}
    at_work = {
        each.name: each
        for each in checked
        if each.job and each.job.enabled and not each.problems and each.name not in away
    }
    return [
        Habit(name, timetable, _touches(each.job, each.work), usual_s.get(name, GUESS_S), not each.job.upstream)
        for name, each in at_work.items()
        if each.job and each.work and (timetable := _timetable(each, at_work, usual_s, resting))
    ]


def _timetable(
    each: Checked, at_work: Mapping[str, Checked], usual_s: Mapping[str, float], resting: Mapping[str, datetime]
) -> Timetable | None:
    """None for a job that starts by hand only, or comes after one that does not run."""
    following: list[str] = []
    while each.job and each.job.upstream:
        following.append(each.name)
        if each.job.upstream not in at_work:
            return None
        each = at_work[each.job.upstream]
    if not each.occurrences:
        return None
    found, first = _rested(Starts(each.occurrences), each.name, resting), each.name
    for name in reversed(following):
        found = Later(found, timedelta(seconds=usual_s.get(first, GUESS_S)))
        found, first = _rested(found, name, resting), name
    return found


def _rested(starts: Timetable, job: str, resting: Mapping[str, datetime]) -> Timetable:
    return Resting(starts, resting[job]) if job in resting else starts


def _touches(job: Job, work: Work) -> dict[str, bool]:
    touches: dict[str, bool] = {}
    for lock in data_locks(job, work):
        touches[lock.resource] = touches.get(lock.resource, False) or lock.write
    return touches
