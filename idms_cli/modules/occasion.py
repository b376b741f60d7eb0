"""What templates may say of a run: its slot, its id, the clock. Kept in its directory: the same at each attempt."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from idms_cli.config.replacing import replace_file
from idms_cli.modules import RunContext

FILE_NAME = "values.json"

SAMPLE_TIME = datetime(2026, 12, 31, 23, 59, 58, tzinfo=UTC)
"""The slot of a template that is tried without a run."""


class Moment(dict[str, str]):
    """A moment in its parts, all text; by itself the whole of it."""

    def __str__(self) -> str:
        return self["iso"]


def moment_in(at: datetime, zone: ZoneInfo) -> Moment:
    """`{{ slot.date }}` is 2026-12-31, `time` 235958; `iso` has the offset of the zone."""
    local = at.astimezone(zone)
    return Moment(
        iso=local.isoformat(timespec="seconds"),
        date=f"{local:%Y-%m-%d}",
        time=f"{local:%H%M%S}",
        year=f"{local:%Y}",
        month=f"{local:%m}",
        day=f"{local:%d}",
        hour=f"{local:%H}",
        minute=f"{local:%M}",
        second=f"{local:%S}",
        weekday=f"{local:%u}",
        week=f"{local:%V}",
    )


def values_for(job: str, run: int, slot: datetime, now: datetime, zone: ZoneInfo) -> dict[str, Any]:
    """All values of a run; `slot` is its moment, `now` when it began."""
    began = moment_in(now, zone)
    return {"job": job, "run": {"id": run}, "slot": moment_in(slot, zone), "now": began, "today": began["date"]}


def sample_values(job: str, zone: ZoneInfo) -> dict[str, Any]:
    """Values to try a template with."""
    return values_for(job, 1, SAMPLE_TIME, SAMPLE_TIME, zone)


def kept_values(context: RunContext) -> Mapping[str, Any]:
    """The values of this run; settled, on disk, when it first asks. A run by hand has the time of its creation."""
    path = context.directory / FILE_NAME
    if not path.exists():
        now = datetime.fromtimestamp(context.clock.now(), UTC)
        slot = context.slot or context.created_at or now
        values = values_for(context.job, context.run_id, slot, now, context.zone)
        replace_file(path, json.dumps(values).encode())
    return read_values(path)


def read_values(path: Path) -> dict[str, Any]:
    """What `kept_values` wrote. Raises `OSError`."""
    values: dict[str, Any] = json.loads(path.read_bytes())
    return {**values, "slot": Moment(values["slot"]), "now": Moment(values["now"])}
