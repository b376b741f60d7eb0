"""What is usual for a job by its own past, and which of a run's numbers are not."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from statistics import median
from typing import Any

from idms_cli.history.rows import Run
from idms_cli.history.statistics import Past
from idms_cli.reports.wording import duration, some

LOOKED_AT = 20
"""The last runs that ended well or partly."""
MOST_READ = 200
"""Runs that are looked at to find those."""
LEAST_RUNS = 5
"""Of fewer nobody can say what is usual."""
FACTOR = 2.0
LEAST_ROWS = 10
LEAST_S = 5.0
"""Smaller differences come by themselves."""

ENDED_WELL = ("completed", "partial")
OWN_WORK = ("run", "backfill")
"""Intents of runs that do what the job file says, all of it."""


@dataclass(frozen=True)
class Usual:
    """The medians of a job's last good runs; None where they are too few."""

    took_s: float | None = None
    rows: int | None = None
    runs: int = 0

    def marks(self, run: Run) -> frozenset[str]:
        """What is unusual of a run: `took`, `rows`."""
        if run.status not in ENDED_WELL or run.dry_run or run.intent not in OWN_WORK or run.row_limit is not None:
            return frozenset()
        numbers = {
            "took": (run.duration_s, self.took_s, LEAST_S),
            "rows": (run.counts.get("read"), self.rows, LEAST_ROWS),
        }
        return frozenset(name for name, (number, usual, least) in numbers.items() if _is_far(number, usual, least))

    @property
    def told(self) -> str:
        """`12 s and 1,300 rows`; empty where nobody can say."""
        took = "" if self.took_s is None else duration(self.took_s)
        rows = "" if self.rows is None else some(self.rows, "row")
        return " and ".join(filter(None, (took, rows)))

    def as_data(self) -> dict[str, Any]:
        """As JSON."""
        return {"of_runs": self.runs, "duration_s": self.took_s, "rows": self.rows}


def usual_of(newest: Iterable[Past]) -> Usual:
    """From a job's runs, newest first."""
    good = list(islice((run for run in islice(newest, MOST_READ) if run.status in ENDED_WELL), LOOKED_AT))
    took = [run.took_s for run in good if run.took_s is not None]
    rows = [run.read for run in good if run.read is not None]
    return Usual(
        median(took) if len(took) >= LEAST_RUNS else None,
        round(median(rows)) if len(rows) >= LEAST_RUNS else None,
        len(good),
    )


def _is_far(number: float | None, usual: float | None, least: float) -> bool:
    if number is None or usual is None or abs(number - usual) < least:
        return False
    return number > usual * FACTOR or number < usual / FACTOR
