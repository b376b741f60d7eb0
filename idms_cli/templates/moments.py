"""What templates may say of a run: its slot, its id, the clock, in the job's zone."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

OCCASION = ("job", "run", "slot", "now", "today")
"""The names of what `occasion` makes."""

SAMPLE_TIME = datetime(2026, 12, 31, 23, 59, 58, tzinfo=UTC)
"""The slot of a template that is tried without a run."""


class Moment(dict[str, str]):
    """A moment in its parts, all text; by itself the whole of it."""

    def __str__(self) -> str:
        return self["iso"]


def moment(at: datetime, zone: ZoneInfo | None = None) -> Moment:
    """`date` is 2026-12-31, `time` 235958, `week` the one of ISO 8601; in the zone, else as it is."""
    if at.tzinfo is None and zone is not None:
        raise ValueError("a moment without a zone")
    local = at if zone is None else at.astimezone(zone)
    return Moment(
        iso=local.isoformat(timespec="seconds"),
        date=f"{local.year:04}-{local:%m-%d}",
        time=f"{local:%H%M%S}",
        year=f"{local.year:04}",
        month=f"{local:%m}",
        day=f"{local:%d}",
        hour=f"{local:%H}",
        minute=f"{local:%M}",
        second=f"{local:%S}",
        weekday=f"{local:%u}",
        week=f"{local:%V}",
        zone=getattr(local.tzinfo, "key", ""),
    )


def time_of(parts: Mapping[str, str]) -> datetime | None:
    """The time of a `Moment`, in its zone; also of one that was kept as JSON. None for any other mapping."""
    try:
        at = datetime.fromisoformat(parts["iso"])
        return at.astimezone(ZoneInfo(parts["zone"])) if parts.get("zone") else at
    except (KeyError, TypeError, ValueError):
        return None


def occasion(*, job: str, run: int, slot: datetime, now: datetime, zone: ZoneInfo) -> dict[str, Any]:
    """All values of a run: `slot` is its nominal moment (of a run by hand, when it was started), `now` when it began.

    Raises `ValueError` for a time without a zone.
    """
    began = moment(now, zone)
    return {"job": job, "run": {"id": run}, "slot": moment(slot, zone), "now": began, "today": began["date"]}


def sample_occasion(job: str = "job", zone: ZoneInfo | None = None) -> dict[str, Any]:
    """Values to try a template with."""
    return occasion(job=job, run=1, slot=SAMPLE_TIME, now=SAMPLE_TIME, zone=zone or ZoneInfo("UTC"))
