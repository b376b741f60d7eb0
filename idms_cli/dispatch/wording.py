"""Short words for people: a time of day, and what a run waits for."""

from datetime import datetime
from zoneinfo import ZoneInfo

from idms_cli.modules import DataLock


def time_of_day(moment: datetime, now: datetime, zone: ZoneInfo) -> str:
    """`02:15` in the zone; with the date when that is not today: `30 Nov 23:15`."""
    local, today = moment.astimezone(zone), now.astimezone(zone).date()
    if local.date() == today:
        return f"{local:%H:%M}"
    year = "" if local.year == today.year else f" {local.year}"
    return f"{local.day} {local:%b}{year} {local:%H:%M}"


def name_of(lock: DataLock) -> str:
    """`activity on live` for `imis:live/activity`; a file's path; the name that `locks:` of a job has."""
    kind, _, name = lock.resource.partition(":")
    if kind == "imis":
        connection, _, entity = name.partition("/")
        return f"{entity} on {connection}"
    return name if kind == "file" else f"the lock {name}"
