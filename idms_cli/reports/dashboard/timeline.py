"""Today and the coming day as a line of characters for each job, as wide as there is room."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

MARKS = {
    "completed": "o",
    "partial": "!",
    "held": "!",
    "failed": "x",
    "interrupted": "x",
    "cancelled": "c",
    "running": ">",
    "pending": "~",
    "skipped": "-",
    "coming": ".",
}
WORST_FIRST = "x!>~c-o."
LEGEND = "o well  ! partial/held  x failed  c cancelled  - skipped  > runs  . to come"
NOW = "|"
LEAST_CELLS = 24
LABEL_EVERY = 8
"""Cells between the hours that are written above."""


@dataclass(frozen=True)
class Lane:
    """What one job did since the day began, and will do: moments (UTC seconds), each with the status it stands for."""

    job: str
    marks: Sequence[tuple[float, str]] = ()
    goes_on: bool = False
    """More slots come after the last one, too many to be listed."""
    is_calm: bool = True


@dataclass(frozen=True)
class Timeline:
    """All lanes, from the beginning of today to the end of the coming 24 hours."""

    begin: datetime
    now: datetime
    end: datetime
    zone: ZoneInfo
    lanes: Sequence[Lane] = field(default_factory=tuple)

    def lines(self, width: int) -> list[str]:
        """Hours above, then a line for each lane, those in trouble first."""
        names = min(max((len(lane.job) for lane in self.lanes), default=0), max(8, width // 3))
        cells = max(LEAST_CELLS, width - names - 1)
        text = [f"{'':{names}} {self._hours(cells)}"]
        return text + [f"{_cut(lane.job, names):{names}} {self._cells(lane, cells)}" for lane in self.lanes]

    def _cells(self, lane: Lane, cells: int) -> str:
        found: dict[int, str] = {}
        for at, status in lane.marks:
            place, mark = self._place(at, cells), MARKS.get(status, "o")
            if place not in found or WORST_FIRST.index(mark) < WORST_FIRST.index(found[place]):
                found[place] = mark
        if lane.goes_on:
            last = max(found, default=0)
            found |= dict.fromkeys(range(last + 1, cells), MARKS["coming"])
        found.setdefault(self._place(self.now.timestamp(), cells), NOW)
        return "".join(found.get(place, " ") for place in range(cells)).rstrip()

    def _hours(self, cells: int) -> str:
        """The hours by the clock, as many as there is room for; midnight with its day."""
        line = [" "] * (cells + 4)
        hours = (self.end - self.begin).total_seconds() / 3600
        step = next((step for step in (1, 2, 3, 6, 12) if step * cells / hours >= LABEL_EVERY), 24)
        moment, free = self.begin, 0
        while moment < self.end:
            local = moment.astimezone(self.zone)
            place = self._place(moment.timestamp(), cells)
            if local.hour % step == 0 and local.minute == 0 and place >= free:
                label = f"{local:%a}" if local.hour == 0 else f"{local:%H}h"
                line[place : place + len(label)] = label
                free = place + len(label) + 1
            moment += timedelta(minutes=30)
        return "".join(line)[:cells].rstrip()

    def _place(self, at: float, cells: int) -> int:
        share = (at - self.begin.timestamp()) / (self.end - self.begin).total_seconds()
        return min(cells - 1, max(0, int(share * cells)))


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
