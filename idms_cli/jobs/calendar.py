"""What a calendar says: which days are holidays, and until when a moment is inside one of its windows. No I/O."""

import json
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from hashlib import sha256
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from idms_cli.config.clocktimes import WeekWindow, parse_week_window
from idms_cli.jobs.days import ANY_DAY, cron_weekday
from idms_cli.jobs.wallclock import moments_of


class Span(NamedTuple):
    """A stretch of time, without its end. Moments are UTC."""

    start: datetime
    end: datetime


@dataclass(frozen=True)
class Calendar:
    """Whole days, weekly windows and single stretches of time, by the clock of a zone."""

    name: str
    zone: ZoneInfo
    days: Mapping[date, str] = field(default_factory=dict)
    """Whole days, each with its name; '' for none of its own."""
    weekly: tuple[str, ...] = ()
    """Texts that `parse_week_window` reads."""
    spans: tuple[Span, ...] = ()
    """Ascending and apart from each other."""

    def day(self, day: date) -> str | None:
        """The name of what makes this whole day special; None when nothing does."""
        if day in self.days:
            return self.days[day] or self.name
        return self.name if cron_weekday(day) in self._whole_weekdays else None

    @property
    def has_days(self) -> bool:
        """Whether it has any whole days."""
        return bool(self.days or self._whole_weekdays)

    @property
    def is_always(self) -> bool:
        """Whether nothing is left of a week."""
        if self._whole_weekdays >= ANY_DAY:
            return True
        monday = datetime(2001, 1, 1, tzinfo=UTC)  # of any week without a clock change
        spans = sorted(
            span for shift in range(-8, 9) for span in self._weekly_of(monday.date() + timedelta(shift), UTC)
        )
        covered = merged(spans)
        return any(span.start <= monday and span.end >= monday + timedelta(days=7) for span in covered)

    def span_at(self, moment: datetime) -> Span | None:
        """The window that the moment is in, joined with those that touch it on the way to its end; None if in none."""
        found = list(self._at(moment))
        if not found:
            return None
        return Span(min(span.start for span in found), max(span.end for span in found))

    def to_text(self) -> str:
        """All of it as JSON, from which `from_text` makes the same calendar."""
        days = {day.isoformat(): name for day, name in sorted(self.days.items())}
        spans = [[int(span.start.timestamp()), int(span.end.timestamp())] for span in self.spans]
        whole = {"name": self.name, "timezone": str(self.zone), "days": days, "weekly": self.weekly, "spans": spans}
        return json.dumps(whole, ensure_ascii=False)

    @classmethod
    def from_text(cls, text: str) -> "Calendar":
        whole: dict[str, Any] = json.loads(text)
        days = {date.fromisoformat(day): name for day, name in whole["days"].items()}
        spans = tuple(Span(*(datetime.fromtimestamp(end, UTC) for end in span)) for span in whole["spans"])
        return cls(whole["name"], ZoneInfo(whole["timezone"]), days, tuple(whole["weekly"]), spans)

    @property
    def mark(self) -> str:
        """Another text for every other content."""
        return sha256(self.to_text().encode()).hexdigest()[:16]

    @cached_property
    def _windows(self) -> tuple[WeekWindow, ...]:
        return tuple(map(parse_week_window, self.weekly))

    @cached_property
    def _whole_weekdays(self) -> frozenset[int]:
        return frozenset().union(*(window.weekdays for window in self._windows if window.start is None))

    @cached_property
    def _starts(self) -> Sequence[datetime]:
        return [span.start for span in self.spans]

    def _at(self, moment: datetime) -> Iterator[Span]:
        today = moment.astimezone(self.zone).date()
        around = (today - timedelta(days=1), today, today + timedelta(days=1))
        days = (_whole(day, self.zone) for day in around if self.day(day) is not None)
        weekly = (span for day in around for span in self._weekly_of(day, self.zone))
        before = bisect_right(self._starts, moment)
        single = self.spans[before - 1 : before] if before else ()
        for spans in (days, weekly, single):
            yield from (span for span in spans if span.start <= moment < span.end)

    def _weekly_of(self, day: date, zone: ZoneInfo | Any) -> Iterator[Span]:
        for window in self._windows:
            if cron_weekday(day) not in window.weekdays:
                continue
            if window.start is None or window.end is None:
                yield _whole(day, zone)
                continue
            last = day if window.end > window.start else day + timedelta(days=1)
            span = Span(_moment(day, window.start, zone, first=True), _moment(last, window.end, zone, first=False))
            if span.start < span.end:
                yield span


def _whole(day: date, zone: Any) -> Span:
    return Span(*(_moment(at, time(), zone, first=True) for at in (day, day + timedelta(days=1))))


def _moment(day: date, at: time, zone: Any, *, first: bool) -> datetime:
    """When the clock shows this. Of a time that comes twice the first or the last; one that is skipped is its end."""
    reading = datetime.combine(day, at)
    found = moments_of(reading, zone, follows_clock=True) or moments_of(reading, zone, follows_clock=False)
    if not found:  # a day that the zone left out
        return reading.replace(tzinfo=zone).astimezone(UTC)
    return found[0 if first else -1]


def merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The same stretches, those that touch made one, ascending."""
    found: list[Span] = []
    for span in sorted(spans):
        if found and span.start <= found[-1].end:
            found[-1] = Span(found[-1].start, max(found[-1].end, span.end))
        else:
            found.append(span)
    return tuple(found)
