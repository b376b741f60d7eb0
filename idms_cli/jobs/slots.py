"""What every schedule promises: its slots after a moment, and those of a span of time."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol


@dataclass(frozen=True)
class Due:
    """What a span of time owes: the newest slots, ascending, and the first and last of those that were cut off."""

    slots: tuple[datetime, ...]
    older: tuple[datetime, datetime] | None = None


class Schedule(Protocol):
    """A set of moments. Every moment given must be aware (else ValueError); every moment returned is in UTC."""

    def next_after(self, moment: datetime) -> datetime | None:
        """The first slot strictly after the moment; None when there will be none."""

    def due(self, after: datetime, until: datetime, *, newest: int = 1000) -> Due:
        """The slots later than `after` and not later than `until`: all, or the `newest` ones where there are more."""

    def describe(self) -> str:
        """The schedule in short words, with its zone: `weekdays 02:15 (America/New_York)`."""


def newest_of(found: Iterable[datetime], newest: int, schedule: Schedule, after: datetime) -> Due:
    """The newest of what was found, where all that is newer than the newest but one more is known to be there."""
    slots = sorted(found)
    if len(slots) <= newest:
        return Due(tuple(slots))
    last_cut = slots[-newest - 1]
    return Due(tuple(slots[-newest:]), older=(schedule.next_after(after) or last_cut, last_cut))


def in_utc(moment: datetime) -> datetime:
    """The same moment in UTC. Raises ValueError for a naive one."""
    if moment.utcoffset() is None:
        raise ValueError(f"a schedule counts in aware datetimes, and {moment!r} has no zone")
    return moment.astimezone(UTC)


def refuse_empty(newest: int) -> None:
    """Raises ValueError for a limit that would let nothing through."""
    if newest < 1:
        raise ValueError(f"newest must be at least 1, not {newest}")
