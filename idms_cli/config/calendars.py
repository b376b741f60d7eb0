"""The `calendars:` of idms.yaml: days and hours that schedules heed."""

from typing import Annotated, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, model_validator

from idms_cli.config.checked import Section
from idms_cli.config.clocktimes import parse_dates, parse_week_window
from idms_cli.config.fields import ListOf, RelativePath, TimeZone
from idms_cli.config.problems import BadValue


def _check_dates(text: str) -> str:
    parse_dates(text)
    return text


def _check_window(text: str) -> str:
    parse_week_window(text)
    return text


DatesText = Annotated[str, AfterValidator(_check_dates)]
WindowText = Annotated[str, AfterValidator(_check_window)]


class CalendarOptions(Section):
    """One calendar: what its file, its dates and its weekly times say, together."""

    file: RelativePath | None = None
    """iCalendar (.ics)."""
    dates: ListOf[DatesText] | dict[DatesText, str] | None = None
    """Whole days, or stretches of them; as a mapping each with its name."""
    weekly: WindowText | ListOf[WindowText] | None = None
    """Times of every week, or whole weekdays."""
    timezone: TimeZone | None = Field(default=None, description="By whose clock; the one of idms.yaml if not said.")

    @model_validator(mode="after")
    def _need_something(self) -> Self:
        if self.file is None and not self.dates and not self.weekly:
            raise BadValue(
                "the calendar is empty",
                hint='write file: holidays.ics, dates: [2026-12-25], or weekly: "sun 02:00-04:00"',
            )
        return self

    def zone(self, default: ZoneInfo) -> ZoneInfo:
        """By whose clock its days and hours are."""
        return self.timezone or default
