"""The jobs as they are now, and how long they took so far, become a forecast of who will wait for whom."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from idms_cli.dispatch.reading import Checked
from idms_cli.jobs.meetings import DAYS, Forecast, Habit, forecast
from idms_cli.jobs.occurrences import Starts
from idms_cli.modules import Work

GUESS_S = 300.0
"""How long a job takes that never ran."""


def forecast_jobs(
    checked: Sequence[Checked],
    usual_s: Mapping[str, float],
    now: datetime,
    *,
    days: int = DAYS,
    about: Collection[str] = (),
) -> Forecast:
    """Which of the jobs will meet on the same data; `usual_s` are the seconds that a job's runs usually take.

    With `about` only the meetings of these jobs. Jobs that are broken, disabled or without a schedule meet nobody.
    """
    habits = [
        Habit(each.name, Starts(each.occurrences), _touches(each.work), usual_s.get(each.name, GUESS_S))
        for each in checked
        if each.job and each.work and each.occurrences and each.job.enabled and not each.problems
    ]
    return forecast(habits, now, days=days, about=about)


def _touches(work: Work) -> dict[str, bool]:
    touches: dict[str, bool] = {}
    for lock in work.locks():
        touches[lock.resource] = touches.get(lock.resource, False) or lock.write
    return touches
