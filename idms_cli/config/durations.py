"""Durations as people write them: `30s`, `5m`, `2h`, `1d`, `1h30m`."""

import re
from datetime import timedelta

from idms_cli.config.problems import BadValue

_FORM = re.compile(r"(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,9})s)?", re.ASCII)
_EXAMPLES = "write a number and a unit: 30s, 5m, 2h, 1d, or together 1h30m"


def parse_duration(text: object) -> timedelta:
    """The duration that `text` names: days, hours, minutes and seconds in this order, each at most once.

    Raises `BadValue` for anything else; a bare number too, because nobody can tell its unit.
    """
    match = _FORM.fullmatch(text) if isinstance(text, str) and text else None
    if match is None:
        raise BadValue("a duration is wanted here", hint=_EXAMPLES)
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def format_duration(duration: timedelta) -> str:
    """The duration in whole seconds, in the form that `parse_duration` reads: `1d2h`, `45s`, `0s`.

    Less than a second is shown in milliseconds (`350ms`), for people only; a negative duration gets a minus.
    """
    if duration < timedelta(0):
        return f"-{format_duration(-duration)}"
    if timedelta(0) < duration < timedelta(seconds=1):
        return f"{duration // timedelta(milliseconds=1)}ms"
    minutes, seconds = divmod(int(duration.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = ((days, "d"), (hours, "h"), (minutes, "m"), (seconds, "s"))
    return "".join(f"{number}{unit}" for number, unit in parts if number) or "0s"
