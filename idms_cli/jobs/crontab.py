"""What a cron expression says: crontab(5) text read into sets of minutes, hours, days, months and weekdays.

The grammar is that of crontab(5) in Debian's cron: five fields of lists, ranges, steps and three-letter names, or one
of the `@` words. What other programs add (seconds, `?`, `L`, `W`, `#`, `H`, `R`) and what they read in different ways
(a range that runs backwards, a step on a single number) is refused with a hint instead of being guessed.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from idms_cli.config.problems import BadValue

_FORM: Final = (
    "Write five fields, minute hour day-of-month month weekday: `15 2 * * 1-5` is 02:15 from Monday to Friday."
)
_WORDS: Final = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_ITEM: Final = re.compile(r"(?P<first>\*|[a-z0-9]+)(?:-(?P<last>[a-z0-9]+))?(?:/(?P<step>[0-9]+))?")
_NUMBER: Final = re.compile(r"[0-9]+")
_LONGEST_QUOTE: Final = 60
# Notations of Quartz, Jenkins and croniter: what they are, and how to do without.
_FOREIGN: Final = (
    (re.compile(r".*\?.*"), "`?` is Quartz notation", "Write `*` instead."),
    (re.compile(r".*#.*"), "`#` is Quartz notation for the n-th weekday of a month", "Name days of the month instead."),
    (
        re.compile(r"[hr](\(.*\))?(/.*)?"),
        "`H` and `R` leave the time to chance",
        "Choose a fixed number, such as `17`.",
    ),
    (
        re.compile(r"lw?|wl|l-?\d+|w\d+|(\d+|[a-z]{3})l|\d+w"),
        "`L` and `W` are Quartz notation for the last day and the nearest weekday",
        "Name the days as numbers: `1` is the first day of a month, and `28` exists in every month.",
    ),
)


class ScheduleError(BadValue):
    """A schedule that cannot be meant. `str(error)` says what is wrong with which value, `hint` what to write."""


@dataclass(frozen=True)
class _Field:
    """One of the five fields: its name, the numbers it takes, and how many different ones there are."""

    name: str
    low: int
    high: int
    size: int
    names: Mapping[str, int]


_FIELDS: Final = (
    _Field("minute", 0, 59, 60, {}),
    _Field("hour", 0, 23, 24, {}),
    _Field("day-of-month", 1, 31, 31, {}),
    _Field("month", 1, 12, 12, {name: number for number, name in enumerate(_MONTHS, start=1)}),
    _Field("weekday", 0, 7, 7, {name: number for number, name in enumerate(_WEEKDAYS)}),  # 0 and 7 are both Sunday
)


@dataclass(frozen=True)
class Crontab:
    """The meaning of one expression. Numbers ascend; weekdays go from 0 (Sunday) to 6.

    A field is "starred" when its text begins with `*`, whatever follows: cron looks at the first character only
    (`DOM_STAR`, `MIN_STAR` and so on in entry.c of Vixie cron, Debian's cron and cronie).
    """

    text: str
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[int, ...]
    months: tuple[int, ...]
    weekdays: tuple[int, ...]
    starred: tuple[bool, bool, bool, bool, bool]

    @property
    def follows_clock(self) -> bool:
        """Whether this repeats with the clock, rather than naming times of day (cron(8): wildcard jobs)."""
        return self.starred[0] or self.starred[1]

    @property
    def needs_both_days(self) -> bool:
        """Whether day-of-month and weekday must both match; where both are restricted, either is enough."""
        return self.starred[2] or self.starred[4]

    @property
    def normal_form(self) -> str:
        """The same moments in the plainest notation, `*` or a list of numbers per field, which no program misreads."""
        numbers = (self.minutes, self.hours, self.days, self.months, self.weekdays)
        return " ".join(
            "*" if starred and len(values) == field.size else ",".join(map(str, values))
            for field, values, starred in zip(_FIELDS, numbers, self.starred, strict=True)
        )


def read_crontab(text: str) -> Crontab:
    """Read one cron expression, or raise ScheduleError naming the field and the value that is wrong."""
    words = re.findall(r"[^ \t\r\n]+", text)
    if not words:
        raise ScheduleError("the cron expression is empty", hint=_FORM)
    if words[0].startswith("@"):
        words = _expand_word(text, words).split()
    if len(words) != len(_FIELDS):
        raise _wrong_count(text, len(words))
    minutes, hours, days, months, weekdays = (_numbers(field, word) for field, word in zip(_FIELDS, words, strict=True))
    minute, hour, day, month, weekday = (word.startswith("*") for word in words)
    return Crontab(
        text=" ".join(text.split()),
        minutes=minutes,
        hours=hours,
        days=days,
        months=months,
        weekdays=tuple(sorted({number % 7 for number in weekdays})),
        starred=(minute, hour, day, month, weekday),
    )


def _expand_word(text: str, words: list[str]) -> str:
    word = words[0].lower()
    if word == "@reboot":
        raise ScheduleError(
            "'@reboot' is not a time: idms is called anew every minute and knows of no start of the machine",
            hint="Name a time, or let the machine's start call `idms run JOB`.",
        )
    if len(words) > 1 or word not in _WORDS:
        raise ScheduleError(
            f"{_quoted(text)} is not one of the words that cron knows", hint=f"Write one of {_listed(_WORDS)}."
        )
    return _WORDS[word]


def _wrong_count(text: str, count: int) -> ScheduleError:
    message = f"{_quoted(text)} has {count} field{'s' if count > 1 else ''}, and a cron expression has five"
    if count in (6, 7):
        return ScheduleError(
            message, hint="Quartz puts seconds first and may end with a year: leave both out. " + _FORM
        )
    return ScheduleError(message, hint=_FORM)


def _numbers(field: _Field, text: str) -> tuple[int, ...]:
    """All numbers that one field names, ascending."""
    return tuple(sorted({number for item in text.split(",") for number in _item(field, item)}))


def _item(field: _Field, text: str) -> range:
    """One item of a field's list: `*`, `5`, `mon`, `1-5`, each range with or without `/step`."""
    if not text:
        raise ScheduleError(f"the {field.name} field has a comma with nothing beside it", hint="Remove the comma.")
    match = _ITEM.fullmatch(text.lower())
    if match is None or (match["first"] == "*" and match["last"]):
        raise _unreadable(field, text)
    low, high = _ends(field, text, match)
    if match["step"] is None:
        return range(low, high + 1)
    step = _step(field, text, match["step"])
    if match["first"] != "*" and match["last"] is None:
        alone, repeated = f"`{low}` for that one alone", f"`{low}-{field.high}/{step}` for each step from there"
        raise ScheduleError(
            f"{_quoted(text)} in the {field.name} field has a step on a single number, which programs read differently",
            hint=f"Write {alone}." if low == field.high else f"Write {alone}, or {repeated}.",
        )
    return range(low, high + 1, step)


def _ends(field: _Field, text: str, match: re.Match[str]) -> tuple[int, int]:
    if match["first"] == "*":
        return field.low, field.high
    low = _number(field, text, match["first"])
    high = low if match["last"] is None else _number(field, text, match["last"])
    if low > high:
        raise _backwards(field, text, low, high)
    return low, high


def _number(field: _Field, text: str, value: str) -> int:
    if value in field.names:
        return field.names[value]
    if not _NUMBER.fullmatch(value):
        raise _unreadable(field, text)
    number = _small_number(value)
    if not field.low <= number <= field.high:
        raise ScheduleError(
            f"{_quoted(text)} is outside the {field.name} field's range",
            hint=f"Write a number from {field.low} to {field.high}.",
        )
    return number


def _small_number(digits: str) -> int:
    """The number, or 100 for all those that no field has room for."""
    return int(digits) if len(digits.lstrip("0")) <= 2 else 100


def _step(field: _Field, text: str, value: str) -> int:
    step = _small_number(value)
    if step == 0:
        raise ScheduleError(
            f"{_quoted(text)} in the {field.name} field has a step of 0", hint=f"Write a step from 1 to {field.size}."
        )
    if step > field.size:
        raise ScheduleError(
            f"{_quoted(text)} in the {field.name} field has a step that is longer than the field",
            hint="A step starts anew with every hour, day, month, year or week. "
            f"Write a step from 1 to {field.size}, or name the numbers.",
        )
    return step


def _backwards(field: _Field, text: str, low: int, high: int) -> ScheduleError:
    if field.name == "weekday" and high == 0:
        hint = f"Sunday is also 7: write `{low}-7`."
    else:
        hint = f"Write two ranges: `{low}-{field.high},{field.low}-{high}`."
    return ScheduleError(f"{_quoted(text)} in the {field.name} field runs backwards", hint=hint)


def _unreadable(field: _Field, text: str) -> ScheduleError:
    """The error for an item that crontab(5) does not have, with the way out where its notation is known."""
    for notation, what, hint in _FOREIGN:
        if notation.fullmatch(text.lower()):
            return ScheduleError(
                f"{_quoted(text)} in the {field.name} field: {what}, which crontab(5) does not have", hint=hint
            )
    names = f", names (`{next(iter(field.names))}`)" if field.names else ""
    return ScheduleError(
        f"{_quoted(text)} in the {field.name} field is not a number, a range or a step",
        hint=f"Write `*`, numbers from {field.low} to {field.high} (`1,3`){names}, a range (`1-5`) or a step (`*/2`).",
    )


def _listed(words: Mapping[str, object]) -> str:
    return ", ".join(words)


def _quoted(text: str) -> str:
    return repr(text if len(text) <= _LONGEST_QUOTE else text[:_LONGEST_QUOTE] + "...")
