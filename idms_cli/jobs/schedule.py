"""When a job is due: the moments of a cron expression or of one fixed time, by the clock of a zone.

No clock is read here: moments come in and go out in UTC. A recurring schedule is the set of moments of all readings of
the wall clock that its expression names, so that what is due cannot depend on where one starts to look. croniter walks
the readings, without a zone (with one, croniter 7 fires `30 1 * * *` twice in autumn); `wallclock` makes moments of
them.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from idms_cli.jobs.crontab import Crontab, ScheduleError, read_crontab
from idms_cli.jobs.recurring import Recurring
from idms_cli.jobs.slots import Due, Schedule, in_utc, refuse_empty
from idms_cli.jobs.wallclock import moments_of
from idms_cli.jobs.wording import in_words

if TYPE_CHECKING:
    from croniter import croniter

__all__ = ["Due", "Schedule", "ScheduleError", "cron", "one_time"]

_ANY_START: Final = datetime.fromisoformat("2000-01-01")  # croniter looks 50 years ahead; the calendar repeats after 28
_YEARS: Final = range(1970, 3000)
_ONE_TIME: Final = re.compile(
    r"(?P<reading>\d{4}-\d\d-\d\d[ T]([01]\d|2[0-3]):\d\d(:\d\d)?) ?(?P<offset>Z|[+-](0\d|1[0-4]):?[0-5]\d)?", re.ASCII
)


def cron(expression: str, zone: ZoneInfo) -> Schedule:
    """The schedule of a crontab(5) expression by the clock of a zone.

    Where day-of-month and weekday are both restricted, either is enough; where one of them begins with `*`, both must
    match (crontab(5) of Debian). Raises ScheduleError for what crontab(5) has not, and for a date that never comes.
    """
    from croniter import croniter  # noqa: PLC0415  a tick with nothing to do must not pay for it

    table = read_crontab(expression)
    walker = croniter(table.normal_form, _ANY_START, day_or=not table.needs_both_days)
    if next(_walk(walker.get_next, _ANY_START), None) is None:
        raise ScheduleError(
            f"{table.text!r} never comes: no month that it names has such a day",
            hint="Look at the day-of-month and month fields: February has 28 or 29 days, four months have 30.",
        )
    return Recurring(_CronReadings(table, walker), zone)


def one_time(text: str, zone: ZoneInfo) -> Schedule:
    """The schedule of one moment: `2026-12-01 06:00` on the clock of the zone, or with an offset or `Z` of its own.

    As with cron, a time that the clock skips counts right after the gap, and of one that comes twice the first counts.
    Raises ScheduleError for what is no date and time, and for a day that the zone left out.
    """
    match = _ONE_TIME.fullmatch(text.strip())
    if not match:
        raise ScheduleError(
            f"{text!r} is not a date and time",
            hint="Write year, month, day and time, such as `2026-12-01 18:00`; `Z` or `+02:00` may follow.",
        )
    try:
        written = datetime.fromisoformat(match["reading"] + (match["offset"] or ""))
    except ValueError:
        written = None
    if written is None or written.year not in _YEARS:
        raise ScheduleError(
            f"{text!r} is not in the calendar of {_YEARS[0]} to {_YEARS[-1]}",
            hint="Check the year, the month, the day of the month and the minute.",
        )
    moments = (written.astimezone(UTC),) if match["offset"] else moments_of(written, zone, follows_clock=False)
    if not moments:
        raise ScheduleError(
            f"{text!r} never was: the clock of {zone} left that day out", hint="Write another day, or add an offset."
        )
    return _OneTime(moments[0], zone)


@dataclass(frozen=True)
class _OneTime:
    moment: datetime
    zone: ZoneInfo

    def next_after(self, moment: datetime) -> datetime | None:
        return self.moment if in_utc(moment) < self.moment else None

    def due(self, after: datetime, until: datetime, *, newest: int = 1000) -> Due:
        refuse_empty(newest)
        return Due((self.moment,) if in_utc(after) < self.moment <= in_utc(until) else ())

    def describe(self) -> str:
        local = self.moment.astimezone(self.zone).replace(tzinfo=None)
        return f"once, {local.isoformat(' ').removesuffix(':00')} ({self.zone})"


@dataclass(frozen=True)
class _CronReadings:
    """The readings of a cron expression, walked by croniter without a zone."""

    table: Crontab
    walker: "croniter" = field(repr=False, compare=False)  # its position is set anew in every step

    @property
    def follows_clock(self) -> bool:
        return self.table.follows_clock

    def after(self, reading: datetime) -> Iterator[datetime]:
        return _walk(self.walker.get_next, reading)

    def before(self, reading: datetime) -> Iterator[datetime]:
        return _walk(self.walker.get_prev, reading)

    def describe(self) -> str:
        return in_words(self.table)


def _walk(step: Callable[..., datetime], reading: datetime) -> Iterator[datetime]:
    """The readings that croniter finds in one direction, without the one given, until none comes for 50 years."""
    from croniter import CroniterBadDateError  # noqa: PLC0415  as in cron()

    while True:
        try:
            reading = step(datetime, start_time=reading)
        except CroniterBadDateError:
            return
        yield reading
