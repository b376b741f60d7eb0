"""How dates are written: ISO 8601, or a format in the words of strptime."""

import re
from collections.abc import Callable
from datetime import datetime

DateReader = Callable[[str], datetime | None]
"""The wall-clock time that a text says, None when it is none. Without a zone."""

# No other shapes of ISO 8601 (20260131, 2026-W05, an offset): what looks like a date there may be a number.
_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?)?")
_TRIED = datetime.fromisoformat("2001-02-03")


class NotAFormat(ValueError):
    """The text is no format that tells a whole date; the message says why."""


def read_iso(text: str) -> datetime | None:
    """The time in `2026-01-31`, `2026-01-31T08:30` and `2026-01-31 08:30:15`; None for anything else."""
    moment = text.strip()
    if _ISO.fullmatch(moment) is None:
        return None
    try:
        return datetime.fromisoformat(moment)
    except ValueError:
        return None


def reader_of(date_format: str) -> DateReader:
    """Reads dates in one format. Two-digit years are as strptime has them: 69 to 99 are 1969 to 1999.

    Raises `NotAFormat`. Space around a date does not count.
    """
    _check(date_format)

    def read(text: str) -> datetime | None:
        try:
            return _parsed(text.strip(), date_format)
        except ValueError:
            return None

    return read


def _parsed(text: str, date_format: str) -> datetime:
    return datetime.strptime(text, date_format)  # noqa: DTZ007  (the site keeps wall-clock times without a zone)


def _check(date_format: str) -> None:
    directives = set(re.findall("%(.)", date_format, re.DOTALL))
    if directives & {"z", "Z"}:
        raise NotAFormat("a zone cannot be taken from a file, since the site keeps times without one")
    if not directives & {"Y", "y"}:
        raise NotAFormat("it has no year (%Y or %y)")
    try:
        read_back = _parsed(_TRIED.strftime(date_format), date_format)
    except (ValueError, re.error) as error:
        raise NotAFormat(str(error)) from error
    if read_back != _TRIED:
        raise NotAFormat("it does not tell a whole date: year, month and day")
