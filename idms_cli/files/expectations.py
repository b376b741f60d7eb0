"""Which of the files that are there a run takes, and what to say when there is none: pure, no I/O."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from idms_cli.config.durations import format_duration
from idms_cli.errors import Unreachable
from idms_cli.files.origins import Found
from idms_cli.files.origins.address import Address

_OLDEST = datetime.min.replace(tzinfo=UTC)


class NotThere(Unreachable):
    """There is no file for the run to read: missing, late, or not complete."""


def missing(address: Address) -> NotThere:
    """Nothing is where the job says."""
    if address.is_pattern:
        return NotThere(
            f"missing: no file fits {address.shown}", hint="Check the path, and whether its sender is late."
        )
    what = f"{address.shown}: there is no such file"
    return NotThere(f"missing: {what}.", hint="Check the path, and whether the file has arrived.")


def unfinished(names: Sequence[str], ending: str) -> NotThere:
    """Files without the one beside them that says they are complete."""
    more = f" and {len(names) - 1:,} more" if len(names) > 1 else ""
    return NotThere(
        f"missing: {names[0]}{ending} is not there, so {names[0]}{more} may not be complete",
        hint="`expect: {done: ...}` waits for it. Is its sender still writing?",
    )


def recent(files: Iterable[Found], newer_than: timedelta | None, now: datetime) -> list[Found]:
    """Those that are not too old. Raises `NotThere` when that is none of them; there must be one."""
    found = list(files)
    if newer_than is None:
        return found
    good = [one for one in found if one.modified is not None and now - one.modified <= newer_than]
    if good:
        return good
    newest = max(found, key=lambda one: one.modified or _OLDEST)
    if newest.modified is None:
        raise NotThere(
            f"late: nobody says how old {newest.name} is", hint="Leave `newer_than:` out, and use expect: changed."
        )
    raise NotThere(
        f"late: the newest, {newest.name}, is from {newest.modified.astimezone(UTC):%Y-%m-%d %H:%M} UTC, "
        f"older than {format_duration(newer_than)}",
        hint="Ask its sender for the new one.",
    )


def in_order(files: Iterable[Found], order: str) -> list[Found]:
    """By name, or the oldest first (`time`)."""
    if order == "time":
        return sorted(files, key=lambda one: (one.modified or _OLDEST, one.name))
    return sorted(files, key=lambda one: one.name)


def still_to_wait(found: Found, stable_for: timedelta | None, now: datetime) -> timedelta:
    """How long to wait before looking whether the file is still the same; nothing when its age alone says it."""
    if stable_for is None:
        return timedelta(0)
    if found.modified is None:
        return stable_for
    return min(max(stable_for - (now - found.modified), timedelta(0)), stable_for)


def growing(name: str, stable_for: timedelta) -> Unreachable:
    """The file changed while the run waited for that not to happen."""
    return Unreachable(
        f"growing: {name} is still being written: it was not the same for {format_duration(stable_for)}",
        hint="Start the job later, or have the sender use another name until the file is complete.",
    )


def lacking(name: str, wanted: Iterable[str], columns: Sequence[str]) -> Unreachable | None:
    """Columns that were expected and are not there."""
    lost = [column for column in wanted if column not in columns]
    if not lost:
        return None
    return Unreachable(
        f"columns: {name} lacks {', '.join(lost)}; it has {', '.join(columns)}",
        hint="Ask its sender what has changed, or correct `expect: {columns: ...}`.",
    )
