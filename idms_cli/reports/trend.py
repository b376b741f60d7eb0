"""How a job's last runs compare: how often in a row it went badly, and its durations and rows as lines of bars."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from idms_cli.history.rows import OPEN, moment
from idms_cli.history.statistics import Past
from idms_cli.reports.sparkline import BAD, sparkline
from idms_cli.reports.wording import Clock

SHOWN = 10
"""Runs in a line of bars."""
MOST_COUNTED = 1000
"""Runs that are looked at to count those in a row."""

BAD_ENDS = ("partial", "failed", "held")
"""Verdicts that somebody has to look at. What a person cancelled counts neither way."""


@dataclass(frozen=True)
class Trend:
    """The last runs of a job that are over, oldest first, and how many of the newest went badly."""

    runs: Sequence[Past] = ()
    bad_in_a_row: int = 0
    failed_in_a_row: bool = True
    """All of those failed: none was partial or held."""
    bad_since: datetime | None = None
    """When the first of them began."""

    @property
    def durations(self) -> str:
        """A bar for each run; `x` for one that failed."""
        return self._bars([run.took_s for run in self.runs])

    @property
    def rows(self) -> str:
        """A bar for the rows that each run read; `x` for one that failed."""
        return self._bars([run.read for run in self.runs])

    def streak(self, clock: Clock) -> str:
        """`failed 3 times in a row since Fri 27 Nov 06:00`; empty for less than two."""
        if self.bad_in_a_row < 2:
            return ""
        times = (
            f"{self.bad_in_a_row:,} times" if self.bad_in_a_row < MOST_COUNTED else f"{MOST_COUNTED:,} times or more"
        )
        word = "failed" if self.failed_in_a_row else "not well"
        return f"{word} {times} in a row, since {clock.moment(self.bad_since)}"

    def as_data(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "bad_in_a_row": self.bad_in_a_row,
            "bad_since": self.bad_since.isoformat() if self.bad_since else None,
            "recent": [_past_data(run) for run in self.runs],
        }

    def _bars(self, numbers: Sequence[float | None]) -> str:
        if not self.runs:
            return "-"
        bars = sparkline(numbers)
        return "".join(BAD if run.status == "failed" else bar for run, bar in zip(self.runs, bars, strict=True))


def trend_of(newest: Iterable[Past], *, shown: int = SHOWN) -> Trend:
    """From a job's runs, newest first; no more of them are taken than are needed."""
    recent: list[Past] = []
    bad: list[Past] = []
    is_streak = True
    for run in islice(newest, MOST_COUNTED):
        if run.status in OPEN:
            continue
        if len(recent) < shown:
            recent.append(run)
        if is_streak and run.status in BAD_ENDS:
            bad.append(run)
        elif run.status in ("completed", "skipped"):
            is_streak = False
        if not is_streak and len(recent) == shown:
            break
    return Trend(
        tuple(reversed(recent)),
        len(bad),
        failed_in_a_row=all(run.status == "failed" for run in bad),
        bad_since=moment(bad[-1].at) if bad else None,
    )


def _past_data(run: Past) -> dict[str, Any]:
    began = moment(run.at)
    return {
        "run": run.id,
        "ended_as": run.status,
        "began_at": began.isoformat() if began else None,
        "duration_s": run.took_s,
        "rows": run.read,
    }
