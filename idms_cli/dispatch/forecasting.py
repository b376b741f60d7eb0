"""The jobs as they are now, and how long they took so far: what a forecast of who will wait for whom goes by."""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta

from idms_cli.dispatch.claim import data_locks
from idms_cli.dispatch.reading import Checked
from idms_cli.jobs.job import Job
from idms_cli.jobs.meetings import Habit
from idms_cli.jobs.occurrences import Later, Starts, Timetable
from idms_cli.modules import Work

GUESS_S = 300.0
"""How long a job takes that never ran."""


def habits_of(
    checked: Sequence[Checked], usual_s: Mapping[str, float], *, idle: Collection[str] = ()
) -> Sequence[Habit]:
    """When the jobs start that run on their own, what they touch, and how long they usually take (`usual_s`, seconds).

    A job after another one starts when that one usually ends. Jobs that are broken, disabled or without a schedule meet
    nobody, nor do those that are `idle`: disabled other than by their file.
    """
    at_work = {
        each.name: each
        for each in checked
        if each.job and each.job.enabled and not each.problems and each.name not in idle
    }
    return [
        Habit(name, timetable, _touches(each.job, each.work), usual_s.get(name, GUESS_S), not each.job.upstream)
        for name, each in at_work.items()
        if each.job and each.work and (timetable := _timetable(each, at_work, usual_s))
    ]


def _timetable(each: Checked, at_work: Mapping[str, Checked], usual_s: Mapping[str, float]) -> Timetable | None:
    """None for a job that starts by hand only, or comes after one that does not run."""
    later_s = 0.0
    while each.job and each.job.upstream:
        later_s += usual_s.get(each.job.upstream, GUESS_S)
        if each.job.upstream not in at_work:
            return None
        each = at_work[each.job.upstream]
    if not each.occurrences:
        return None
    starts = Starts(each.occurrences)
    return Later(starts, timedelta(seconds=later_s)) if later_s else starts


def _touches(job: Job, work: Work) -> dict[str, bool]:
    touches: dict[str, bool] = {}
    for lock in data_locks(job, work):
        touches[lock.resource] = touches.get(lock.resource, False) or lock.write
    return touches
