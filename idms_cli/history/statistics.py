"""What many runs amount to: by job, by hour, over time; each question one query over an index."""

from collections.abc import Iterator
from typing import NamedTuple

from idms_cli.history.database import Database
from idms_cli.history.rows import Run

BY_HOUR = """
SELECT CAST(coalesce(started_at, created_at) / 3600 AS INTEGER) * 3600 AS hour, status, count(*) AS runs FROM run
WHERE coalesce(started_at, created_at) >= ? AND NOT dry_run GROUP BY 1, 2 ORDER BY 1"""
TOTALS = """
SELECT job, count(*) AS runs, sum(status = 'completed') AS completed, sum(status = 'partial') AS partial,
       sum(status = 'failed') AS failed,
       total(counts ->> 'inserted') + total(counts ->> 'updated') + total(counts ->> 'deleted') AS written,
       total(counts ->> 'rejected') AS rejected
FROM run WHERE coalesce(started_at, created_at) >= ? AND NOT dry_run GROUP BY job"""
RECENT = "SELECT * FROM run WHERE job = ? AND NOT dry_run ORDER BY id DESC LIMIT ?"
NEWEST = """
SELECT id, status, coalesce(started_at, created_at) AS at, ended_at - started_at AS took_s, counts ->> 'read' AS "read"
FROM run WHERE job = ? AND NOT dry_run AND intent IN ('run', 'backfill') ORDER BY id DESC"""
SINCE = """
SELECT id, job, status, coalesce(started_at, created_at) AS at, ended_at - started_at AS took_s FROM run
WHERE coalesce(started_at, created_at) >= ? AND NOT dry_run
ORDER BY coalesce(started_at, created_at)"""

LAST_GOOD = """
WITH RECURSIVE name (job) AS (
  SELECT min(job) FROM run
  UNION ALL SELECT (SELECT min(job) FROM run WHERE job > name.job) FROM name WHERE name.job IS NOT NULL
)
SELECT job, (SELECT ended_at FROM run WHERE run.job = name.job AND status = 'completed' AND NOT dry_run
             ORDER BY id DESC LIMIT 1) AS ended_at
FROM name WHERE job IS NOT NULL"""

BY_DAY = """
SELECT job, CAST((:until - coalesce(started_at, created_at)) / 86400 AS INTEGER) AS ago, count(*) AS runs,
       sum(status IN ('failed', 'partial', 'held')) AS bad, total(counts ->> 'read') AS "read",
       total(counts ->> 'inserted') + total(counts ->> 'updated') + total(counts ->> 'deleted')
         + total(counts ->> 'delivered') AS changed,
       total(counts ->> 'rejected') AS rejected
FROM run
WHERE coalesce(started_at, created_at) >= :since AND coalesce(started_at, created_at) < :until
  AND NOT dry_run AND intent = 'run'
GROUP BY 1, 2 ORDER BY 1, 2"""


class Past(NamedTuple):
    """What is needed of a run to compare others with it."""

    id: int
    status: str
    at: float
    """When it began, UTC seconds."""
    took_s: float | None
    """From start to end; None where it has no end, or never began."""
    read: int | None
    """Rows; None for a run that told none."""


class JobDay(NamedTuple):
    """The runs of a job in a stretch of 24 hours."""

    job: str
    ago: int
    """0: the last 24 hours before the moment that was asked about; 1: those before."""
    runs: int
    bad: int
    read: int
    changed: int
    rejected: int


class Began(NamedTuple):
    """A run, as far as a drawing of many needs it."""

    run: int
    job: str
    status: str
    at: float
    """When it began, or was created; UTC seconds."""
    took_s: float | None
    """None while it has not ended."""


class Hour(NamedTuple):
    """The runs of one status that began in an hour of UTC."""

    at: int
    """UTC seconds."""
    status: str
    runs: int


class Totals(NamedTuple):
    """What a job's runs amount to."""

    job: str
    runs: int
    completed: int
    partial: int
    failed: int
    written: int
    """Records inserted, updated and deleted."""
    rejected: int


class Statistics:
    """Questions over all runs but dry ones. Moments are UTC seconds."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def by_hour(self, since: float) -> Iterator[Hour]:
        """How many runs of each status began in each hour, in the order of time."""
        for row in self._database.connection.execute(BY_HOUR, (since,)):
            yield Hour(row["hour"], row["status"], row["runs"])

    def totals(self, since: float) -> dict[str, Totals]:
        """What each job's runs since a moment amount to."""
        rows = self._database.connection.execute(TOTALS, (since,))
        return {row["job"]: Totals(row["job"], *map(int, tuple(row)[1:])) for row in rows}

    def by_day(self, until: float, *, days: int) -> Iterator[JobDay]:
        """What each job's runs amount to in each of the stretches of 24 hours before a moment, newest first."""
        for row in self._database.connection.execute(BY_DAY, {"since": until - days * 86_400, "until": until}):
            yield JobDay(row["job"], *map(int, tuple(row)[1:]))

    def last_good(self) -> dict[str, float]:
        """When the last run of each job that completed ended, UTC seconds; none for a job without one."""
        rows = self._database.connection.execute(LAST_GOOD)
        return {row["job"]: row["ended_at"] for row in rows if row["ended_at"] is not None}

    def recent(self, job: str, number: int) -> list[Run]:
        """The newest runs of a job, oldest first."""
        rows = self._database.connection.execute(RECENT, (job, number)).fetchall()
        return [Run.of(row) for row in reversed(rows)]

    def newest(self, job: str) -> Iterator[Past]:
        """The runs of a job, newest first, without those that do something with another run (retry, undo).

        Read one by one: who asks says how many.
        """
        for row in self._database.connection.execute(NEWEST, (job,)):
            yield Past(*row)

    def since(self, moment: float) -> Iterator[Began]:
        """What ran since a moment, oldest first."""
        for row in self._database.connection.execute(SINCE, (moment,)):
            yield Began(*row)
