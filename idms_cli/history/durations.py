"""How long a job's runs usually take."""

from collections.abc import Iterable
from math import ceil

from idms_cli.history.database import Database

LOOKED_AT = 10
"""The last good runs of a job that count."""

TOOK = """
SELECT ended_at - started_at AS took FROM run
WHERE job = ? AND status IN ('completed', 'partial') AND NOT dry_run AND intent = 'run' AND row_limit IS NULL
  AND started_at IS NOT NULL AND ended_at IS NOT NULL AND decided_at IS NULL
ORDER BY id DESC LIMIT ?"""


def usual_durations(database: Database, jobs: Iterable[str]) -> dict[str, float]:
    """Seconds that nine of ten of a job's last good runs did not exceed; without the jobs that never ran well."""
    found = {}
    for job in jobs:
        took = sorted(row["took"] for row in database.connection.execute(TOOK, (job, LOOKED_AT)))
        if took:
            found[job] = max(0.0, took[ceil(0.9 * len(took)) - 1])
    return found
