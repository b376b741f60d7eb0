"""What becomes of a schedule's slots: when each is acted upon, and which of them will not run, and why.

A schedule is a set of nominal moments. A job's other rules move, defer or cancel them; what comes out is a set of
occurrences, and that is what a tick works with. Nothing here reads a clock, a file or the history.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from idms_cli.jobs.slots import Due, Schedule


@dataclass(frozen=True, order=True)
class Occurrence:
    """One slot of a job, and what its rules make of it. Sorts by the moment at which it is decided."""

    acts_at: datetime
    """When a tick decides it: its own moment, later by the job's jitter, or the end of a window. UTC."""
    slot: datetime
    """What the slot is called, and what templates and file names see: the nominal moment. UTC.

    A slot that was moved off a holiday is called by the moment that it was moved to.
    """
    skip: str = ""
    """Why it will not run, as the reason of its verdict: `holiday: Christmas Day`; empty when it may run."""
    note: str = ""
    """What was done to it, for people: `moved from Fri 2026-12-25 02:15 (Christmas Day)`."""


@dataclass(frozen=True)
class DueOccurrences:
    """What a span of time owes: the newest occurrences, ascending, and the first and last slot of those cut off."""

    occurrences: tuple[Occurrence, ...]
    older: tuple[datetime, datetime] | None = None


class Occurrences(Protocol):
    """A job's occurrences, by the moment at which they act. Moments must be aware (else ValueError).

    Also the occurrences that will be skipped are there: at `acts_at` they get their verdict.
    """

    def next_after(self, moment: datetime) -> Occurrence | None:
        """The first that acts strictly after the moment; None when there will be none."""

    def due(self, after: datetime, until: datetime, *, newest: int = 1000) -> DueOccurrences:
        """Those that act later than `after` and not later than `until`: all, or the `newest` where there are more."""

    def describe(self) -> str:
        """The schedule and its rules in short words, with the zone."""


@dataclass(frozen=True)
class Plain:
    """The occurrences of a schedule without further rules: each slot acts at its own moment."""

    schedule: Schedule

    def next_after(self, moment: datetime) -> Occurrence | None:
        slot = self.schedule.next_after(moment)
        return None if slot is None else Occurrence(slot, slot)

    def due(self, after: datetime, until: datetime, *, newest: int = 1000) -> DueOccurrences:
        due = self.schedule.due(after, until, newest=newest)
        return DueOccurrences(tuple(Occurrence(slot, slot) for slot in due.slots), due.older)

    def describe(self) -> str:
        return self.schedule.describe()


@dataclass(frozen=True)
class Starts:
    """When runs of a job start: as `Schedule.due`, but of what acts and is not skipped."""

    occurrences: Occurrences

    def due(self, after: datetime, until: datetime, *, newest: int = 1000) -> Due:
        """The starts later than `after` and not later than `until`, or the `newest` where there are more."""
        found = self.occurrences.due(after, until, newest=newest)
        return Due(tuple(one.acts_at for one in found.occurrences if not one.skip), found.older)


class Timetable(Protocol):
    """When a job starts: a `Schedule`, or what else can tell the same."""

    def due(self, after: datetime, until: datetime, *, newest: int = 1000) -> Due:
        """The starts later than `after` and not later than `until`: all, or the `newest` where there are more."""


@dataclass(frozen=True)
class Later:
    """The starts of a job that waits for the end of another one: so much after that one's."""

    first: Timetable
    by: timedelta

    def due(self, after: datetime, until: datetime, *, newest: int = 1000) -> Due:
        found = self.first.due(after - self.by, until - self.by, newest=newest)
        older = (found.older[0] + self.by, found.older[1] + self.by) if found.older else None
        return Due(tuple(slot + self.by for slot in found.slots), older)


@dataclass(frozen=True)
class Resting:
    """The starts of a job that is paused until a moment."""

    timetable: Timetable
    until: datetime

    def due(self, after: datetime, until: datetime, *, newest: int = 1000) -> Due:
        after = max(after, self.until - timedelta(microseconds=1))
        return self.timetable.due(after, until, newest=newest) if after < until else Due(())


@dataclass(frozen=True)
class Following:
    """The occurrences of a job that comes after another one: those that the other's runs have made, and no others."""

    words: str
    known: tuple[Occurrence, ...]
    """Ascending."""
    stretch: tuple[datetime, datetime] | None = None
    """A stretch of the other's slots that were cut off, and never ran."""
    answered_until: datetime | None = None
    """Once these are decided, no slot up to here is open; None where that cannot be said of any."""

    def next_after(self, moment: datetime) -> None:
        del moment

    def due(self, after: datetime, until: datetime, *, newest: int = 1000) -> DueOccurrences:
        """All that are known: what is due is told by what was answered to, not by a moment."""
        del after, until, newest
        return DueOccurrences(self.known, self.stretch)

    def describe(self) -> str:
        return self.words
