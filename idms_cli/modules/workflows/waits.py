"""What a step can wait for: a moment, a file at its place, a query whose rows meet a condition; each is looked at."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol
from zoneinfo import ZoneInfo

from idms_cli.config.durations import format_duration
from idms_cli.errors import InputError
from idms_cli.files.origins import Access, Found, open_origin
from idms_cli.files.origins.address import Address
from idms_cli.files.origins.options import OriginOptions
from idms_cli.jobs.wallclock import moments_of
from idms_cli.modules.workflows.shapes import Condition
from idms_cli.modules.workflows.views import RowsView
from idms_cli.rows.query import QueryOptions, Reading, read_query
from idms_cli.rows.spool import Spooled
from idms_cli.templates.moments import time_of

if TYPE_CHECKING:
    from idms_cli.imis.site import Site

_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)", re.ASCII)
UNTIL = "Write a time of day (07:00), a moment (2026-12-31 07:00), or {{ slot|shift('2h') }}."


class Look(NamedTuple):
    """What a look found."""

    is_there: bool
    what: str
    """In a few words; of what is not there yet, why."""
    output: Any = None
    rows: Path | None = None
    number: int = 0
    """Of its rows."""


class Awaited(Protocol):
    """Something to wait for."""

    def look(self) -> Look:
        """Raises `Unreachable` for what can pass, and other `IdmsError`s for what cannot."""


def moment_of(given: Any, zone: ZoneInfo, *, after: datetime) -> datetime:
    """The moment that a text or value means, in UTC: a time of day is the first one after `after` by the zone's clock.

    Raises `InputError`.
    """
    if isinstance(given, Mapping):
        at = time_of(given)
        if at is not None:
            return _in_utc(at, zone)
    text = given.strip() if isinstance(given, str) else ""
    if parts := _CLOCK.fullmatch(text):
        local = after.astimezone(zone)
        for day in (local.date(), local.date() + timedelta(days=1)):
            reading = datetime(day.year, day.month, day.day, int(parts[1]), int(parts[2]))  # noqa: DTZ001 - of a clock
            at = moments_of(reading, zone, follows_clock=False)[0]
            if at >= after:
                return at
    try:
        return _in_utc(datetime.fromisoformat(text), zone)
    except ValueError:
        raise InputError("this is no moment to wait until", hint=UNTIL) from None


def _in_utc(at: datetime, zone: ZoneInfo) -> datetime:
    return at.astimezone(UTC) if at.tzinfo else moments_of(at, zone, follows_clock=False)[0]


@dataclass(frozen=True)
class Moment:
    """Until then."""

    at: datetime
    zone: ZoneInfo
    now: Callable[[], float]

    def look(self) -> Look:
        shown = f"{self.at.astimezone(self.zone):%Y-%m-%d %H:%M:%S %Z}"
        return Look(self.now() >= self.at.timestamp(), shown, {"at": self.at.astimezone(self.zone).isoformat()})


@dataclass
class Arrival:
    """A file, complete as far as one can tell."""

    address: Address
    options: OriginOptions
    directory: Path
    now: Callable[[], float]
    newer_than: timedelta | None = None
    stable_for: timedelta | None = None
    _seen: dict[str, tuple[Found, float]] = field(default_factory=dict)
    """Each file as it is since when."""

    def look(self) -> Look:
        with open_origin(Access(self.address, self.options, self.directory)) as origin:
            found = sorted(origin.find(), key=lambda one: one.name)
        if not found:
            return Look(False, f"{self.address.shown} is not there")
        good = [one for one in found if self._is_new(one)]
        if not good:
            return Look(False, f"{self.address.of(found[0].name)} is there, but too old")
        growing = next((one for one in good if not self._is_still(one)), None)
        if growing is not None:
            return Look(False, f"{self.address.of(growing.name)} is there, and may not be complete")
        first = good[0]
        modified = None if first.modified is None else first.modified.isoformat()
        told = {"path": self.address.of(first.name), "name": first.name, "size": first.size, "modified": modified}
        return Look(True, str(told["path"]), {**told, "files": [one.name for one in good]})

    def _is_new(self, found: Found) -> bool:
        if self.newer_than is None:
            return True
        age_s = None if found.modified is None else self.now() - found.modified.timestamp()
        return age_s is not None and age_s <= self.newer_than.total_seconds()

    def _is_still(self, found: Found) -> bool:
        """Nobody changed it for so long: by its own time, else as long as we have looked."""
        if self.stable_for is None:
            return True
        before = self._seen.get(found.name)
        if before is None or not before[0].is_like(found):
            before = (found, self.now())
            self._seen[found.name] = before
        since = before[1] if found.modified is None else found.modified.timestamp()
        return self.now() - since >= self.stable_for.total_seconds()


@dataclass(frozen=True)
class Answer:
    """A query whose rows meet a condition."""

    site: "Site"
    options: QueryOptions
    condition: Condition
    values: Mapping[str, Any]
    path: Path
    reading: Reading

    def look(self) -> Look:
        self.path.with_name(f"{self.path.name}.columns").unlink(missing_ok=True)
        rows: Spooled = read_query(self.site, self.options, self.path, self.reading)
        holds = self.condition.holds({**self.values, "rows": RowsView(rows)})
        what = f"{self.options.query} has {rows.count:,} row{'' if rows.count == 1 else 's'}"
        return Look(holds, what if holds else f"{what}, and the condition does not hold", None, self.path, rows.count)


def waited(limit: timedelta, why: str) -> str:
    """The failure of a wait that was too long."""
    return f"waited {format_duration(limit)}: {why}"
