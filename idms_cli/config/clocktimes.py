"""Times of day, weekdays and dates as people write them: `02:15`, `mon-fri`, `2026-12-24 to 2026-12-31`."""

import re
from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Final

from idms_cli.config.foreign import shortened
from idms_cli.config.problems import BadValue
from idms_cli.config.spelling import nearest

WEEKDAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
"""By cron's number: 0 is Sunday."""
_GROUPS: Final = {"weekdays": (1, 2, 3, 4, 5), "weekends": (0, 6)}
_LONG: Final = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_TIME: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)", re.ASCII)
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_WINDOW: Final = re.compile(r"(?P<days>[^\d]*?)(?:\s+(?P<start>[\d:]+)\s*-\s*(?P<end>[\d:]+))?", re.ASCII)
_LONGEST_SPAN: Final = timedelta(days=366)


def parse_times(text: str) -> tuple[time, ...]:
    """One or more times of day, `06:00, 18:00`: ascending, each once. Raises `BadValue`."""
    return tuple(sorted({_time(part.strip()) for part in text.split(",")}))


def parse_weekdays(text: str) -> frozenset[int]:
    """Weekdays by cron's numbers, `mon`, `mon-fri,sun`, `weekdays`; `fri-mon` is a range. Raises `BadValue`."""
    found: set[int] = set()
    for part in text.split(","):
        word = part.strip().lower()
        if word in _GROUPS:
            found.update(_GROUPS[word])
            continue
        first, _, last = word.partition("-")
        start = _weekday(first.strip())
        found.update((start + step) % 7 for step in range((_weekday((last or first).strip()) - start) % 7 + 1))
    return frozenset(found)


def parse_date(text: str) -> date:
    """A day such as `2026-12-25`. Raises `BadValue`."""
    if _DATE.fullmatch(text.strip()):
        try:
            return date.fromisoformat(text.strip())
        except ValueError:
            raise BadValue(f"'{shortened(text)}' is not in the calendar", hint="check month and day") from None
    raise BadValue(f"'{shortened(text)}' is not a date", hint="write year, month and day: 2026-12-25")


def parse_dates(text: str) -> tuple[date, ...]:
    """A day, or all days of `2026-12-24 to 2026-12-31`. Raises `BadValue`."""
    first, to, last = text.partition(" to ")
    if not to:
        return (parse_date(text),)
    start, end = parse_date(first), parse_date(last)
    if not timedelta(0) <= end - start <= _LONGEST_SPAN:
        raise BadValue(
            f"'{shortened(text)}' is not a span of days", hint="write the first day, to, the last day, within a year"
        )
    return tuple(start + timedelta(days=count) for count in range((end - start).days + 1))


def _time(text: str) -> time:
    match = _TIME.fullmatch(text)
    if match is None:
        raise BadValue(
            f"'{shortened(text)}' is not a time of day", hint="write hours and minutes, 00:00 to 23:59: 06:00"
        )
    return time(int(match[1]), int(match[2]))


def _weekday(word: str) -> int:
    for names in (WEEKDAYS, _LONG):
        if word in names:
            return names.index(word)
    near = nearest(word, (*WEEKDAYS, *_GROUPS))
    hint = f"did you mean '{near}'?" if near else f"write {', '.join(WEEKDAYS)}, a range (mon-fri) or weekdays"
    raise BadValue(f"'{shortened(word)}' is not a weekday", hint=hint)


@dataclass(frozen=True)
class WeekWindow:
    """A stretch of every week by the clock on the wall, or whole weekdays."""

    weekdays: frozenset[int]
    """By cron's numbers: the days on which it begins."""
    start: time | None = None
    """None for whole days."""
    end: time | None = None
    """Not later than `start`: it ends on the day after."""


def parse_week_window(text: str) -> WeekWindow:
    """`sun 02:00-04:00`, `mon-fri 22:00-02:00`, or whole days: `sat,sun`. Raises `BadValue`."""
    match = _WINDOW.fullmatch(text.strip())
    if match is None or not match["days"]:
        raise BadValue(
            f"'{shortened(text)}' is not a time of the week",
            hint='write "sun 02:00-04:00", "mon-fri 22:00-02:00", or whole days: "sat,sun"',
        )
    weekdays = parse_weekdays(match["days"])
    if match["start"] is None:
        return WeekWindow(weekdays)
    if match["start"] == "00:00" and match["end"] == "24:00":
        return WeekWindow(weekdays)
    start, end = _time(match["start"]), time(0) if match["end"] == "24:00" else _time(match["end"])
    if start == end:
        raise BadValue(
            f"'{shortened(text)}' ends when it begins", hint="for whole days, leave the times out: " + match["days"]
        )
    return WeekWindow(weekdays, start, end)
