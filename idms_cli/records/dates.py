"""How dates are written in a file: ISO 8601, or a format in the words of strptime."""

import re
from collections.abc import Callable
from datetime import datetime

from idms_cli.files import Plain
from idms_cli.records.forms import Mended, by_form

DateReader = Callable[[str], datetime | None]
"""The wall-clock time that a text says, None when it is none. Without a zone, as the site keeps it."""

# No other shapes of ISO 8601 (20260131, 2026-W05, an offset): what looks like a date there may be a number.
_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?)?")
# The site's own form may have seven digits, and an offset that says nothing (A12).
_OF_SITE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(?:\.[0-9]{1,6})?)[0-9]*(?:Z|[+-][0-9]{2}:[0-9]{2})?")
_TRIED = datetime.fromisoformat("2001-02-03")


class NotAFormat(ValueError):
    """The text is no format that tells a whole date; the message says why."""


def date_reader(date_format: str | None = None) -> DateReader:
    """Reads dates in one format, else `2026-01-31`, `2026-01-31T08:30` and `2026-01-31 08:30:15`.

    Raises `NotAFormat`. Two-digit years are as strptime has them: 69 to 99 are 1969 to 1999. Space around a date does
    not count. A cell that is a date in its file is one whatever the format, and may have more digits and an offset, as
    sites write it; for one that was mended see `by_form`.
    """
    if date_format is None:
        return _read_iso
    _check(date_format)

    def read(text: str) -> datetime | None:
        try:
            return _parsed(text.strip(), date_format)
        except ValueError:
            return None

    return by_form(read, _read_iso)


def _read_iso(text: str) -> datetime | None:
    moment = text.strip()
    if _ISO.fullmatch(moment) is None:
        of_site = _OF_SITE.fullmatch(moment) if isinstance(text, Plain | Mended) else None
        if of_site is None:
            return None
        moment = of_site[1]
    try:
        return datetime.fromisoformat(moment)
    except ValueError:
        return None


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
