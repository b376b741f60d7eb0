"""An iCalendar file (RFC 5545) becomes the whole days and the stretches of time that its events cover.

icalendar reads it and recurring-ical-events counts out what comes again; both are heavy, and are loaded for this only.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from idms_cli.config.foreign import harmless, shortened
from idms_cli.config.problems import BadValue
from idms_cli.jobs.calendar import Span, merged

MAX_BYTES = 4 * 1024 * 1024
EXTRA = "pip install 'idms-cli[calendars]'"

_NOT_ICS = "send an iCalendar file: its first line is BEGIN:VCALENDAR, its last END:VCALENDAR"


def read_ics(path: Path, first: date, last: date, zone: ZoneInfo) -> tuple[dict[date, str], tuple[Span, ...]]:
    """The whole days, by name, and the other stretches of time of all events from `first` to `last`.

    An event without a zone of its own is by the clock of `zone`. One that covers a day from midnight to midnight makes
    a whole day, as Outlook writes them; cancelled ones do not count. Raises `BadValue` for a file that is none.
    """
    days: dict[date, str] = {}
    spans = []
    for event in _events(path, first, last):
        if str(event.get("STATUS", "")).upper() == "CANCELLED":
            continue
        name = shortened(harmless(str(event.get("SUMMARY", "")).strip()))
        covered, span = _covered(event, zone)
        for day in covered:
            days.setdefault(day, name)
        if span:
            spans.append(span)
    return days, merged(spans)


def _events(path: Path, first: date, last: date) -> list[Any]:
    text = _text(path)
    try:
        import icalendar  # noqa: PLC0415  heavy, and rarely needed
        import recurring_ical_events  # noqa: PLC0415
    except ImportError:
        raise BadValue("reading an .ics file needs one more package", hint=EXTRA) from None
    try:
        calendar = icalendar.Calendar.from_ical(text)
        _refuse_what_comes_too_often(calendar, path)
        found = list(recurring_ical_events.of(calendar).between(first, last + timedelta(days=1)))
    except BadValue:
        raise
    except Exception as error:  # two libraries, and neither says which errors it may raise
        detail = shortened(harmless(str(error)))
        raise BadValue(f"{path} is not an iCalendar file: {detail}", hint=_NOT_ICS) from None
    return found


def _refuse_what_comes_too_often(calendar: Any, path: Path) -> None:
    """A rule that comes every second would be counted out for hours."""
    for event in calendar.walk("VEVENT"):
        rules = event.get("RRULE", [])
        for rule in rules if isinstance(rules, list) else [rules]:
            frequent = {str(word).upper() for word in rule.get("FREQ", [])} & {"SECONDLY", "MINUTELY", "HOURLY"}
            if frequent or any(key in rule for key in ("BYSECOND", "BYMINUTE", "BYHOUR")):
                name = shortened(harmless(str(event.get("SUMMARY", "an event"))))
                raise BadValue(
                    f"{path}: '{name}' comes more than once a day",
                    hint="leave it out, or write it as weekly: in idms.yaml",
                )


def _text(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise BadValue(f"{path} cannot be read: {error.strerror}", hint="check the path under calendars:") from None
    if len(data) > MAX_BYTES:
        raise BadValue(f"{path} is larger than {MAX_BYTES // 1024**2} MiB", hint="leave out what is past")
    if b"BEGIN:VCALENDAR" not in data:
        raise BadValue(f"{path} is not an iCalendar file", hint=_NOT_ICS)
    return data


def _covered(event: Any, zone: ZoneInfo) -> tuple[list[date], Span | None]:
    """The whole days of an event, or else the stretch of time that it takes."""
    if not isinstance(event.start, datetime):
        return list(_days(event.start, max(event.end, event.start + timedelta(days=1)))), None
    span = Span(_moment(event.start, zone), _moment(event.end, zone))
    start, end = (moment.astimezone(zone) for moment in span)
    if span.start < span.end and start.time() == end.time() == time():
        return list(_days(start.date(), end.date())), None
    return [], span if span.start < span.end else None


def _days(first: date, end: date) -> Iterator[date]:
    """From the first day to the one before `end`."""
    return (first + timedelta(days=count) for count in range((end - first).days))


def _moment(at: datetime, zone: ZoneInfo) -> datetime:
    return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
