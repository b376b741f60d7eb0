"""What the history lets go: old runs with their slots, definitions that no run has any more; a few at a time."""

import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

from idms_cli.history.database import Database

KEPT_OF_A_JOB = 5
"""So many of its newest runs each job keeps, however old: `status`, and what is usual, look at them."""

REMOVABLE = """
SELECT id FROM run
WHERE coalesce(started_at, created_at) < :before AND status NOT IN ('pending', 'running', 'interrupted', 'held')
  AND id < coalesce((SELECT id FROM run AS newer WHERE newer.job = run.job ORDER BY id DESC LIMIT 1 OFFSET :kept), 0)
  AND NOT EXISTS (SELECT 1 FROM run AS later WHERE later.of_run = run.id)
  AND NOT EXISTS (SELECT 1 FROM run AS other WHERE other.batch = run.id AND other.id <> run.id)
  AND NOT EXISTS (SELECT 1 FROM trial WHERE trial.run = run.id)
ORDER BY coalesce(started_at, created_at) LIMIT :limit"""
ENDED = """
SELECT id, ended_at FROM run
WHERE id IN (SELECT value FROM json_each(?)) AND status NOT IN ('pending', 'running', 'interrupted', 'held')
  AND NOT EXISTS (SELECT 1 FROM run AS later
                  WHERE later.of_run = run.id AND later.status IN ('pending', 'running', 'interrupted', 'held'))"""
KNOWN = "SELECT id FROM run WHERE id IN (SELECT value FROM json_each(?))"
FORGET_SLOTS_OF = "DELETE FROM slot WHERE run IN (SELECT value FROM json_each(?))"
UNLINK = "UPDATE slot SET made_up_by = NULL WHERE made_up_by IN (SELECT value FROM json_each(?))"
FORGET_STEPS = "DELETE FROM step WHERE run IN (SELECT value FROM json_each(?))"
FORGET_RUNS = "DELETE FROM run WHERE id IN (SELECT value FROM json_each(?))"
JOBS_WITH_SLOTS = """
WITH RECURSIVE name (job) AS (
  SELECT min(job) FROM slot
  UNION ALL SELECT (SELECT min(job) FROM slot WHERE job > name.job) FROM name WHERE name.job IS NOT NULL
) SELECT job FROM name WHERE job IS NOT NULL"""
FORGET_SKIPPED = """
DELETE FROM slot WHERE job = :job AND due IN (
  SELECT due FROM slot WHERE job = :job AND coalesce(until, due) < :before AND run IS NULL AND made_up_by IS NULL
  ORDER BY due LIMIT :limit)"""
FORGET_TRIALS = "DELETE FROM trial WHERE at < ? AND (job, digest) NOT IN (SELECT name, digest FROM job)"
FORGET_DEFINITIONS = "DELETE FROM definition WHERE hash NOT IN (SELECT definition FROM run)"
FORGET_INCIDENTS = "DELETE FROM incident WHERE until < ?"
FORGET_MESSAGES = "DELETE FROM message WHERE ended_at < ?"
FORGET_TROUBLES = "DELETE FROM trouble WHERE closed_at < ?"
NTH_NEWEST = """
SELECT coalesce(started_at, created_at) FROM run ORDER BY coalesce(started_at, created_at) DESC LIMIT 1 OFFSET ?"""
AT = "SELECT at FROM upkeep WHERE name = ?"
SET = "INSERT INTO upkeep (name, at) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET at = excluded.at"
UNSET = "DELETE FROM upkeep WHERE name = ?"


class Ended(NamedTuple):
    """A run that is over."""

    run: int
    at: float
    """UTC seconds."""


class Retention:
    """What may go, and its removal; each method is one short transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def next_at(self) -> float | None:
        """When the next step is due, UTC seconds; None before the first one."""
        return self._at("next")

    @property
    def horizon(self) -> float | None:
        """What began before this moment may have been let go, UTC seconds; None while nothing was."""
        return self._at("horizon")

    def plan(self, at: float) -> None:
        """When the next step is to be."""
        with self._database.write() as connection:
            connection.execute(SET, ("next", at))

    @property
    def digest_at(self) -> float | None:
        """When the next digest is due, UTC seconds; None while none is wanted."""
        return self._at("digest")

    def plan_digest(self, at: float | None) -> None:
        """When the next digest is to be; None: never."""
        self._plan("digest", at)

    @property
    def report_at(self) -> float | None:
        """When the report page is made anew, UTC seconds; None while nobody wants that."""
        return self._at("report")

    def plan_report(self, at: float | None) -> None:
        """When the report page is to be made anew; None: never."""
        self._plan("report", at)

    def count_limit(self, most: int) -> float | None:
        """The moment before which runs are more than `most`; None while they are fewer."""
        row = self._database.connection.execute(NTH_NEWEST, (most - 1,)).fetchone()
        return None if row is None else float(row[0])

    def removable(self, before: float, limit: int) -> list[int]:
        """Runs that began before a moment and that nothing needs any more, oldest first."""
        parameters = {"before": before, "limit": limit, "kept": KEPT_OF_A_JOB - 1}
        return [row["id"] for row in self._database.connection.execute(REMOVABLE, parameters)]

    def ended(self, runs: Sequence[int]) -> list[Ended]:
        """Of these runs those that are over, and that no run which is not is about."""
        rows = self._database.connection.execute(ENDED, (_listed(runs),))
        return sorted(Ended(row["id"], row["ended_at"] or 0.0) for row in rows)

    def unknown(self, runs: Sequence[int]) -> list[int]:
        """Of these ids those that no run has."""
        known = {row["id"] for row in self._database.connection.execute(KNOWN, (_listed(runs),))}
        return [run for run in runs if run not in known]

    def forget(self, runs: Sequence[int], before: float) -> None:
        """Remove runs and their slots, and say from when on the history is whole."""
        with self._database.write() as connection:
            for statement in (FORGET_SLOTS_OF, UNLINK, FORGET_STEPS, FORGET_RUNS):
                connection.execute(statement, (_listed(runs),))
            self._move_horizon(connection, before)

    def forget_skipped(self, before: float, limit: int) -> int:
        """Remove slots from before a moment in which nothing ran; the number of rows."""
        removed = 0
        jobs = [row["job"] for row in self._database.connection.execute(JOBS_WITH_SLOTS)]
        for job in jobs:
            if removed >= limit:
                break
            with self._database.write() as connection:
                parameters = {"job": job, "before": before, "limit": limit - removed}
                removed += connection.execute(FORGET_SKIPPED, parameters).rowcount
        if removed:
            with self._database.write() as connection:
                self._move_horizon(connection, before)
        return removed

    def forget_rest(self, before: float) -> None:
        """Remove what only runs that are gone had: job files as they were, tests that were passed, old silences."""
        with self._database.write() as connection:
            connection.execute(FORGET_TRIALS, (before,))
            for statement in (FORGET_INCIDENTS, FORGET_MESSAGES, FORGET_TROUBLES):
                connection.execute(statement, (before,))
            connection.execute(FORGET_DEFINITIONS)

    def _plan(self, name: str, at: float | None) -> None:
        with self._database.write() as connection:
            if at is None:
                connection.execute(UNSET, (name,))
            else:
                connection.execute(SET, (name, at))

    def _at(self, name: str) -> float | None:
        row = self._database.connection.execute(AT, (name,)).fetchone()
        return None if row is None else float(row["at"])

    def _move_horizon(self, connection: sqlite3.Connection, before: float) -> None:
        if before > (self.horizon or 0.0):
            connection.execute(SET, ("horizon", before))


def _listed(runs: Sequence[int]) -> str:
    return f"[{','.join(map(str, runs))}]"
