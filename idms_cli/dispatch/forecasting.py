"""The jobs as they are now, and how long they took so far: what a forecast of who will wait for whom goes by."""

from collections.abc import Collection, Mapping, Sequence

from idms_cli.dispatch.claim import data_locks
from idms_cli.dispatch.reading import Checked
from idms_cli.jobs.job import Job
from idms_cli.jobs.meetings import Habit
from idms_cli.jobs.occurrences import Starts
from idms_cli.modules import Work

GUESS_S = 300.0
"""How long a job takes that never ran."""


def habits_of(
    checked: Sequence[Checked], usual_s: Mapping[str, float], *, idle: Collection[str] = ()
) -> Sequence[Habit]:
    """When the jobs start that run on their own, what they touch, and how long they usually take (`usual_s`, seconds).

    Jobs that are broken, disabled or without a schedule meet nobody, nor do those that are `idle`: disabled other than
    by their file.
    """
    return [
        Habit(each.name, Starts(each.occurrences), _touches(each.job, each.work), usual_s.get(each.name, GUESS_S))
        for each in checked
        if each.job and each.work and each.occurrences and each.job.enabled
        if not each.problems and each.name not in idle
    ]


def _touches(job: Job, work: Work) -> dict[str, bool]:
    touches: dict[str, bool] = {}
    for lock in data_locks(job, work):
        touches[lock.resource] = touches.get(lock.resource, False) or lock.write
    return touches
