"""A history of many jobs and a year of runs, made in SQLite at once: for the page that shows it."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from idms_cli.history.rows import JobRow
from idms_cli.history.store import Store

NOW = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)
RUN = """
INSERT INTO run (job, due, by_hand, foreground, dry_run, intent, connection, options, definition, locks, priority, pool,
                 late_s, status, reason, hint, created_at, started_at, ended_at, attempt, retried, stop_reason,
                 stop_force, source, to_follow, counts)
VALUES (?, ?, 0, 0, 0, 'run', '', '{}', ?, '[]', 0, '', 0, ?, '', '', ?, ?, ?, 1, 0, '', 0, '[]', '[]', ?)"""


def fill(state: Path, jobs: int = 300, *, busy: bool = False) -> Store:
    """Jobs that ran each day for a year, or `busy`: in the last day each 15 minutes. The caller closes the store."""
    store = Store(state)
    digest = store.runs.remember("j.yaml", "module: import")
    with store.database.write() as connection:
        connection.executemany(RUN, _daily(digest, jobs))
        if busy:
            connection.executemany(RUN, _each_quarter(digest, jobs))
    return store


def named(jobs: int = 300, cron: str = "15 2 * * *") -> dict[str, JobRow]:
    """The jobs of such a history."""
    schedule = json.dumps({"any": [{"cron": [cron]}]})
    names = [f"job-{job:03}" for job in range(jobs)]
    return {name: JobRow(name, f"{name}.yaml", "", f"What {name} does", "import", True, schedule) for name in names}


def _daily(digest: str, jobs: int) -> Iterator[tuple[object, ...]]:
    for day in range(365):
        for job in range(jobs):
            start = NOW - timedelta(days=364 - day, minutes=job)
            status = ("completed", "partial", "failed")[(day * 7 + job) % 50 % 3 if (day + job) % 17 == 0 else 0]
            counts = {"read": 100 + day, "inserted": day % 7, "rejected": 3 * (status == "partial")}
            yield _run(job, digest, status, (start, 5 + day % 11), counts)


def _each_quarter(digest: str, jobs: int) -> Iterator[tuple[object, ...]]:
    for quarter in range(95, 0, -1):
        for job in range(jobs):
            start = NOW - timedelta(minutes=15 * quarter + 1)
            yield _run(job, digest, "completed", (start, 30 + job % 7), {"read": 1000 + job, "updated": quarter})


def _run(
    job: int, digest: str, status: str, when: tuple[datetime, float], counts: dict[str, int]
) -> tuple[object, ...]:
    """`when` it began, and how many seconds it took."""
    at = when[0].timestamp()
    return f"job-{job:03}", int(at), digest, status, at, at, at + when[1], json.dumps(counts)
