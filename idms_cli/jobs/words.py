"""The words of `schedule:` beside `cron` and `at`: `hourly`, `daily`, `weekly`, `monthly`, `every`.

Each reads its text into a schedule, or raises ScheduleError. What is different from month to month (the 31st, the 5th
Friday) is refused, because nobody can tell whether the short months were meant to be left out.
"""

import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

from idms_cli.config.clocktimes import WEEKDAYS, parse_times, parse_weekdays
from idms_cli.config.durations import parse_duration
from idms_cli.config.foreign import shortened
from idms_cli.config.problems import BadValue
from idms_cli.jobs.crontab import ScheduleError
from idms_cli.jobs.days import ANY_DAY, LAST, WORKING_DAYS, DayTimes, InMonth, OnWeekdays
from idms_cli.jobs.interval import Interval
from idms_cli.jobs.recurring import Recurring
from idms_cli.jobs.schedule import cron, one_time
from idms_cli.jobs.slots import Schedule

_MINUTE_FORM: Final = "Write the minute of the hour, 0 to 59: `hourly: 15`, or `hourly: [0, 30]`."
_MINUTE: Final = re.compile(r":?([0-5]?\d)", re.ASCII)
_DAYS_AND_TIMES: Final = re.compile(r"(?P<days>.*?)\s*(?P<times>\d{1,2}:\d\d[\d:,\s]*)", re.ASCII)
_PLACE: Final = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?", re.ASCII)
_PLACES: Final = {"last": LAST, "first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5}
_SURE: Final = {"date": 28, "weekday": 20, "one weekday": 4}
"""How far one can count in every month: dates, days from Monday to Friday, and one day of the week."""
_EPOCH: Final = date(2000, 1, 1)

T = TypeVar("T")


def hourly(text: str, zone: ZoneInfo) -> Schedule:
    """Every hour at one or more minutes: `15`, `:15`, `0, 30`. Repeats with the clock, as cron's `0 * * * *` does."""
    minutes = set()
    for part in text.split(","):
        match = _MINUTE.fullmatch(part.strip())
        if match is None:
            raise ScheduleError(f"'{shortened(part.strip())}' is not a minute of the hour", hint=_MINUTE_FORM)
        minutes.add(int(match[1]))
    return cron(f"{','.join(map(str, sorted(minutes)))} * * * *", zone)


def daily(text: str, zone: ZoneInfo) -> Schedule:
    """Every day at one or more times: `02:15`, `06:00, 18:00`."""
    return Recurring(DayTimes(OnWeekdays(), _read(parse_times, text)), zone)


def weekly(text: str, zone: ZoneInfo) -> Schedule:
    """On weekdays at one or more times: `mon 06:00`, `mon-fri 06:00, 18:00`, `weekdays 06:00`."""
    days, times = _split(text, "`mon 06:00`, `mon,thu 06:00`, `mon-fri 06:00, 18:00`")
    return Recurring(DayTimes(OnWeekdays(_read(parse_weekdays, days)), times), zone)


def monthly(text: str, zone: ZoneInfo) -> Schedule:
    """On days of the month at one or more times: `15 07:00`, `last 23:00`, `3rd fri 07:00`, `last weekday 18:00`."""
    days, times = _split(text, "`15 07:00`, `last 23:00`, `3rd fri 07:00`, `last weekday 18:00`")
    return Recurring(DayTimes(_in_month(days), times), zone)


def every(text: str, zone: ZoneInfo, *, anchor: datetime | None = None) -> Schedule:
    """Again and again after the same real time, counted from the anchor: `15m`, `2h`, `3d`.

    Without an anchor it is midnight of 1 January 2000 in the zone, so that `15m` is on the quarter-hour. The spacing
    stays the same when the clock changes, so that in a zone with summer time `2h` is on even hours for half the year.
    """
    step = _read(parse_duration, text)
    if step < timedelta(minutes=1) or step % timedelta(minutes=1):
        raise ScheduleError(
            f"'{shortened(text)}' is not in whole minutes, and run-due looks once a minute",
            hint="Write whole minutes, hours or days: `15m`, `2h`, `3d`.",
        )
    if step > timedelta(days=366):
        raise ScheduleError(
            f"'{shortened(text)}' is longer than a year",
            hint="Write at most `366d`, or the moments themselves as a list of `at:`.",
        )
    return Interval(step, anchor or datetime.combine(_EPOCH, time(), zone), zone)


WORDS: Final[dict[str, Callable[[str, ZoneInfo], Schedule]]] = {
    "cron": cron,
    "at": one_time,
    "hourly": hourly,
    "daily": daily,
    "weekly": weekly,
    "monthly": monthly,
    "every": every,
}


def _read(parse: Callable[[str], T], text: str) -> T:
    try:
        return parse(text)
    except BadValue as error:
        raise ScheduleError(str(error), hint=error.hint) from None


def _split(text: str, examples: str) -> tuple[str, tuple[time, ...]]:
    """The days and the times of `mon 06:00`; both must be there."""
    match = _DAYS_AND_TIMES.fullmatch(text.strip())
    if match is None:
        raise ScheduleError(f"'{shortened(text)}' has no time of day at its end", hint=f"Write {examples}.")
    if not match["days"]:
        raise ScheduleError(f"'{shortened(text)}' does not say on which day", hint=f"Write {examples}.")
    if _DAYS_AND_TIMES.match(match["days"]):
        raise ScheduleError(
            f"'{shortened(text)}' has days after a time of day",
            hint="Write a list, a text for each of its days: `[mon 06:00, fri 18:00]`, `[1st mon 07:00, last 08:00]`.",
        )
    return match["days"].lower(), _read(parse_times, match["times"])


def _in_month(text: str) -> InMonth:
    places, _, kind = text.partition(" ") if "," not in text else _after_last_place(text)
    weekdays, name = _kind(kind.strip(), text)
    return InMonth(frozenset(_place(part.strip(), name, kind.strip()) for part in places.split(",")), weekdays)


def _after_last_place(text: str) -> tuple[str, str, str]:
    """`1st, 3rd fri` into its places and what they count."""
    head, comma, tail = text.rpartition(",")
    place, space, kind = tail.strip().partition(" ")
    return f"{head}{comma}{place}", space, kind


def _kind(word: str, text: str) -> tuple[frozenset[int], str]:
    if word in ("", "day"):
        return ANY_DAY, "date"
    if word in ("weekday", "weekdays"):
        return WORKING_DAYS, "weekday"
    found = _weekdays(word)
    if len(found) != 1:
        raise ScheduleError(
            f"'{shortened(text)}' is not a day of the month",
            hint=f"Write a number (`15`), `last`, or a place and {', '.join(WEEKDAYS)} or weekday: `3rd fri`.",
        )
    return found, "one weekday"


def _weekdays(word: str) -> frozenset[int]:
    try:
        return parse_weekdays(word)
    except BadValue:
        return frozenset()


def _place(word: str, kind: str, shown: str) -> int:
    match = _PLACE.fullmatch(word)
    place = _PLACES.get(word) or (int(match[1]) if match else 0)
    if place == 0:
        raise ScheduleError(
            f"'{shortened(word)}' is not a place in the month", hint="Write a number (`15`, `3rd`), `first` or `last`."
        )
    if place > _SURE[kind]:
        raise ScheduleError(
            f"not every month has '{shortened(f'{word} {shown}'.strip())}'", hint=_way_out(place, kind, shown)
        )
    return place


def _way_out(place: int, kind: str, shown: str) -> str:
    if kind == "date" and place <= 31:
        return f'Write `last` for the last day of every month; `cron: "0 7 {place} * *"` leaves the short months out.'
    return f"Write `last {shown}`." if kind != "date" else "Write a day from 1 to 28, or `last`."
