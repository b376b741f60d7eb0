"""Pauses: who wants a job not to run, from when to when, and why. Those that are over stay as they were."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from idms_cli.history.database import Database
from idms_cli.history.rows import Pause

BEGIN = "INSERT INTO pause (job, since, until, why, who) VALUES (?, ?, ?, ?, ?)"
END = """
UPDATE pause SET ended_at = max(:now, since), ended_by = :who
WHERE job = :job AND ended_at IS NULL AND (until IS NULL OR until > :now)"""
MOVE = """
UPDATE pause SET job = :new WHERE job = :old AND ended_at IS NULL AND (until IS NULL OR until > :now)"""
OF_JOB = """
SELECT * FROM pause WHERE job = :job AND since <= :until AND coalesce(until, :after) >= :after
  AND coalesce(ended_at, :after) >= :after ORDER BY since, id"""
NOT_OVER = """
SELECT * FROM pause WHERE ended_at IS NULL AND (until IS NULL OR until > ?) ORDER BY since, id"""


class Pauses:
    """The pauses in the history. All moments are UTC seconds."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, job: str, now: int, *, until: int | None, why: str, who: str) -> None:
        """Pause a job; the pause that it is in already ends with that."""
        with self._database.write() as connection:
            connection.execute(END, {"job": job, "now": now, "who": who})
            connection.execute(BEGIN, (job, now, until, why, who))

    def end(self, job: str, now: int, *, who: str) -> bool:
        """End the pause that a job is in; False when it is in none."""
        with self._database.write() as connection:
            return bool(connection.execute(END, {"job": job, "now": now, "who": who}).rowcount)

    def move(self, old: str, new: str, now: int) -> None:
        """The file of a paused job has another name now: it stays paused under that."""
        with self._database.write() as connection:
            connection.execute(MOVE, {"old": old, "new": new, "now": now})

    def of(self, job: str, after: int, until: int) -> list[Pause]:
        """The pauses that touch a span of time."""
        return self._list(OF_JOB, {"job": job, "after": after, "until": until})

    def began(self, pause: Pause) -> datetime:
        """Since when a job is paused without a break: a pause may have taken the place of an earlier one."""
        since = pause.since
        for one in reversed(self.of(pause.job, 0, int(since.timestamp()))):
            if one.ended_at == since:
                since = one.since
        return since

    def not_over(self, now: int) -> dict[str, Pause]:
        """The pause that each paused job is in, by job."""
        return {pause.job: pause for pause in self._list(NOT_OVER, (now,))}

    def _list(self, sql: str, parameters: Mapping[str, Any] | tuple[Any, ...]) -> list[Pause]:
        return [Pause.of(row) for row in self._database.connection.execute(sql, parameters)]
