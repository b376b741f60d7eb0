"""The calendars of idms.yaml, read when a job needs them."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

from idms_cli.config.calendars import CalendarOptions
from idms_cli.config.clocktimes import parse_dates
from idms_cli.config.problems import BadValue
from idms_cli.jobs.calendar import Calendar, Span

YEARS_BACK, YEARS_AHEAD = 1, 2
"""Of an .ics file the events of so many years around the present one count; they are read anew each year."""


class Calendars:
    """Calendars by name, each read once."""

    def __init__(self, options: Mapping[str, CalendarOptions], directory: Path, zone: ZoneInfo, *, year: int) -> None:
        """Paths in `options` start from `directory`; `zone` is of those that name none; `year` is the present one."""
        self._options = options
        self._directory = directory
        self._zone = zone
        self._span = (date(year - YEARS_BACK, 1, 1), date(year + YEARS_AHEAD, 12, 31))
        self._found: dict[str, Calendar | BadValue] = {}

    def get(self, name: str) -> Calendar:
        """The calendar of that name, which must be in `options`. Raises `BadValue` when its file cannot be read."""
        if name not in self._found:
            try:
                self._found[name] = self._read(name, self._options[name])
            except BadValue as error:
                self._found[name] = error
        found = self._found[name]
        if isinstance(found, BadValue):
            raise found
        return found

    def texts(self) -> dict[str, str]:
        """Those that were read so far, as `Calendar.to_text` writes them, by name."""
        return {name: found.to_text() for name, found in self._found.items() if isinstance(found, Calendar)}

    def _read(self, name: str, options: CalendarOptions) -> Calendar:
        zone = options.zone(self._zone)
        days: dict[date, str] = {}
        spans: tuple[Span, ...] = ()
        if options.file is not None:
            from idms_cli.jobs.ics import read_ics  # noqa: PLC0415  loads libraries that are rarely needed

            days, spans = read_ics(self._directory / options.file, *self._span, zone)
        for text in options.dates or ():
            named = options.dates[text] if isinstance(options.dates, dict) else ""
            days |= dict.fromkeys(parse_dates(text), named)
        weekly = (options.weekly,) if isinstance(options.weekly, str) else options.weekly or ()
        return Calendar(name, zone, days, tuple(weekly), spans)
