"""A schedule that comes again after the same real time, whatever the clock on the wall does."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from idms_cli.config.durations import format_duration
from idms_cli.jobs.slots import Due, in_utc, refuse_empty

_END = datetime(2999, 12, 31, tzinfo=UTC)


@dataclass(frozen=True)
class Interval:
    """All moments that are a multiple of the step away from the anchor, before it as well."""

    step: timedelta
    anchor: datetime
    """Aware."""
    zone: ZoneInfo

    def next_after(self, moment: datetime) -> datetime | None:
        slot = self._at_or_before(in_utc(moment)) + self.step
        return slot if slot < _END else None

    def due(self, after: datetime, until: datetime, *, newest: int = 1000) -> Due:
        refuse_empty(newest)
        first, last = self._at_or_before(in_utc(after)) + self.step, self._at_or_before(min(in_utc(until), _END))
        count = max(0, (last - first) // self.step + 1)
        slots = tuple(last - self.step * back for back in reversed(range(min(count, newest))))
        return Due(slots) if count <= newest else Due(slots, older=(first, slots[0] - self.step))

    def describe(self) -> str:
        return f"every {format_duration(self.step)} ({self.zone})"

    def _at_or_before(self, moment: datetime) -> datetime:
        anchor = self.anchor.astimezone(UTC)
        return anchor + (moment - anchor) // self.step * self.step
