"""A cron expression in short plain words where it is a common one, and as its own text where it is not."""

from collections.abc import Collection

from idms_cli.jobs.crontab import Crontab

_WEEKDAYS = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MOST_TIMES = 4
_MOST_DAYS = 4


def in_words(table: Crontab) -> str:
    """Say when the expression is due: `weekdays 02:15`, `every 15 minutes`, or `cron 0 4 8-14 * 2`."""
    days = _days(table)
    repeats, times = _repeats(table), _times(table)
    if days is None or (repeats is None and times is None):
        return f"cron {table.text}"
    if repeats is not None:
        return repeats if days == "daily" else f"{repeats}, {days}"
    return f"{days}, {times}" if " on " in days else f"{days} {times}"


def _repeats(table: Crontab) -> str | None:
    """Words for what comes again within the day, if the spacing is even."""
    minutes, hours = table.minutes, table.hours
    every_hour = hours == tuple(range(24))
    if every_hour and len(minutes) == 60:
        return "every minute"
    if every_hour and len(minutes) == 1:
        return f"hourly at :{minutes[0]:02}"
    if every_hour and _is_even(minutes, 60):
        return f"every {60 // len(minutes)} minutes"
    if table.starred[1] and len(minutes) == 1 and _is_even(hours, 24):
        return f"every {24 // len(hours)} hours at :{minutes[0]:02}"
    return None


def _is_even(numbers: tuple[int, ...], size: int) -> bool:
    """Whether the numbers divide the hour or the day evenly, beginning at 0."""
    return len(numbers) > 1 and size % len(numbers) == 0 and numbers == tuple(range(0, size, size // len(numbers)))


def _times(table: Crontab) -> str | None:
    """The times of day, if they are few."""
    if len(table.minutes) * len(table.hours) > _MOST_TIMES:
        return None
    return ", ".join(f"{hour:02}:{minute:02}" for hour in table.hours for minute in table.minutes)


def _days(table: Crontab) -> str | None:
    """The days, if they are limited by weekday or by date but not by both."""
    every_date, every_weekday, every_month = len(table.days) == 31, len(table.weekdays) == 7, len(table.months) == 12
    if not table.needs_both_days and (every_date or every_weekday):
        every_date = every_weekday = True
    if every_date and every_month:
        return "daily" if every_weekday else weekday_words(table.weekdays)
    if every_weekday and len(table.days) <= _MOST_DAYS:
        return _dates(table, every_month=every_month)
    return None


def _dates(table: Crontab, *, every_month: bool) -> str | None:
    if every_month:
        return "monthly on the " + ", ".join(map(ordinal, table.days))
    if len(table.months) == 1 and len(table.days) == 1:
        return f"yearly on {table.days[0]} {_MONTHS[table.months[0] - 1]}"
    return None


def weekday_words(days: Collection[int]) -> str:
    """Weekdays by cron's numbers: `daily`, `weekdays`, `Mon, Thu`."""
    from_monday = sorted(days, key=lambda day: (day - 1) % 7)
    if from_monday == [1, 2, 3, 4, 5]:
        return "weekdays"
    return "daily" if len(from_monday) == 7 else ", ".join(_WEEKDAYS[day] for day in from_monday)


def ordinal(number: int) -> str:
    """`1st`, `2nd`, `15th`."""
    if number in (11, 12, 13):
        return f"{number}th"
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"
