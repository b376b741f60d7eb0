"""Runs: created once, started once, ended once.

Every change of a run's status is one statement that names the status it expects, so that two processes which want
the same change cannot both make it.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from hashlib import sha256
from typing import Any

from idms_cli.history.database import Database
from idms_cli.history.rows import NewRun, Run, Wanted

REMEMBER = "INSERT INTO definition (hash, path, text) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
DEFINITION = "SELECT path, text FROM definition WHERE hash = ?"
CREATE = """
INSERT INTO run (job, due, by_hand, foreground, dry_run, intent, of_run, row_limit, definition, locks, timeout_s,
                 late_s, status, reason, hint, created_at, attempt, counts)
VALUES (:job, :due, :by_hand, :foreground, :dry_run, :intent, :of_run, :row_limit, :definition, :locks, :timeout_s,
        :late_s, 'pending', '', '', :now, 1, '{}')"""
START = """
UPDATE run SET status = 'running', reason = '', started_at = coalesce(started_at, ?),
               attempt = attempt + (status = 'interrupted')
WHERE id = ? AND status IN ('pending', 'interrupted')"""
WAIT = "UPDATE run SET reason = ? WHERE id = ? AND status IN ('pending', 'interrupted')"
END = """
UPDATE run SET status = :status, reason = :reason, hint = :hint, exit_code = :exit_code, counts = :counts,
               ended_at = :now
WHERE id = :id AND status IN ('pending', 'running', 'interrupted')"""
INTERRUPT = """
UPDATE run SET status = 'interrupted', foreground = 0, reason = ?, counts = ?
WHERE id = ? AND status = 'running'"""
APPROVE = """
UPDATE run SET status = 'pending', foreground = 1, reason = '', hint = '', exit_code = NULL, ended_at = NULL,
               decided_by = ?, decided_at = ?
WHERE id = ? AND status = 'held'"""
REFUSE = """
UPDATE run SET status = 'cancelled', reason = ?, hint = '', decided_by = ?, decided_at = ?
WHERE id = ? AND status = 'held'"""
LET_GO = """
UPDATE run SET foreground = 0
WHERE id = ? AND (status = 'interrupted' OR (status = 'pending' AND decided_by IS NOT NULL))"""
CARRIED_OUT = """
SELECT id FROM run WHERE intent = 'apply' AND of_run = ? AND (status IN ('pending', 'running', 'interrupted')
  OR json_extract(counts, '$.inserted') + json_extract(counts, '$.updated') + json_extract(counts, '$.deleted') > 0)
LIMIT 1"""
TAKE_OVER = "UPDATE run SET foreground = 1 WHERE id = ? AND status = 'interrupted'"
USUAL = """
SELECT json_extract(counts, '$.read') FROM run
WHERE job = ? AND status IN ('completed', 'partial') AND NOT dry_run AND intent = 'run' AND row_limit IS NULL
ORDER BY id DESC LIMIT ?"""
RUNNING = "SELECT count(*) FROM run WHERE status = 'running'"
ONE = "SELECT * FROM run WHERE id = ?"
OPEN_RUNS = "SELECT * FROM run WHERE status IN ('pending', 'running', 'interrupted') ORDER BY id"
OPEN_OF_JOB = """
SELECT * FROM run WHERE job = ? AND status IN ('pending', 'running', 'interrupted') AND NOT dry_run
  AND intent != 'backfill'
ORDER BY id LIMIT 1"""
AHEAD = """
SELECT * FROM run
WHERE job = :job AND id != :id AND NOT dry_run
  AND (status = 'running' OR (id < :id AND due IS NOT NULL AND status IN ('pending', 'interrupted')))
ORDER BY id LIMIT 1"""
OF_SLOT = "SELECT * FROM run WHERE job = ? AND due = ? AND NOT dry_run AND intent IN ('run', 'backfill') ORDER BY id"
OF_SLOTS = """
SELECT * FROM run
WHERE job = ? AND due BETWEEN ? AND ? AND NOT dry_run AND intent IN ('run', 'backfill') ORDER BY id"""
LAST_OF_EACH_JOB = """
SELECT * FROM run WHERE id IN (SELECT max(id) FROM run WHERE NOT dry_run GROUP BY job)"""
HISTORY = """
SELECT * FROM run
WHERE (:job IS NULL OR job = :job) AND (:status IS NULL OR status = :status)
  AND (:since IS NULL OR created_at >= :since)
ORDER BY id DESC LIMIT :limit"""

LARGEST_ID = 2**63 - 1
"""SQLite counts no further."""


def definition_hash(path: str, text: str) -> str:
    """The hash by which a job file's text is kept."""
    return sha256(f"{path}\0{text}".encode()).hexdigest()


class Runs:
    """The runs in the history. Methods that take a `sqlite3.Connection` belong inside `Database.write()`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def remember(self, path: str, text: str) -> str:
        """Keep a job file's text as this run's definition; returns its hash."""
        with self._database.write() as connection:
            return self.keep(connection, path, text)

    def keep(self, connection: sqlite3.Connection, path: str, text: str) -> str:
        """The same inside a transaction."""
        digest = definition_hash(path, text)
        connection.execute(REMEMBER, (digest, path, text))
        return digest

    def definition(self, run: Run) -> tuple[str, str]:
        """The path and the text of the job file as this run uses it."""
        row = self._database.connection.execute(DEFINITION, (run.definition,)).fetchone()
        return row["path"], row["text"]

    def create(self, connection: sqlite3.Connection, new: NewRun, now: float) -> int:
        """A pending run; returns its id."""
        fields = {**asdict(new), "locks": json.dumps(new.locks), "now": now}
        row_id = connection.execute(CREATE, fields).lastrowid
        assert row_id is not None  # noqa: S101 - an INSERT has one
        return row_id

    def start(self, connection: sqlite3.Connection, run_id: int, now: float) -> bool:
        """Pending or interrupted becomes running; False when somebody else was first."""
        return bool(connection.execute(START, (now, run_id)).rowcount)

    def running(self, connection: sqlite3.Connection) -> int:
        return int(connection.execute(RUNNING).fetchone()[0])

    def approve(self, connection: sqlite3.Connection, run_id: int, who: str, now: float) -> bool:
        """A held run may go on, under the hand of who approved it; False when it is not held (any more)."""
        return bool(connection.execute(APPROVE, (who, now, run_id)).rowcount)

    def refuse(self, run_id: int, who: str, now: float) -> bool:
        """A held run will not go on; False when it is not held (any more)."""
        with self._database.write() as connection:
            return bool(connection.execute(REFUSE, (f"rejected by {who}", who, now, run_id)).rowcount)

    def let_go(self, run_id: int) -> bool:
        """A run that was approved or interrupted before is no longer in anybody's hands: a tick may go on with it."""
        with self._database.write() as connection:
            return bool(connection.execute(LET_GO, (run_id,)).rowcount)

    def take_over(self, connection: sqlite3.Connection, run_id: int) -> bool:
        """An interrupted run goes on under somebody's hand; False when it is not interrupted (any more)."""
        return bool(connection.execute(TAKE_OVER, (run_id,)).rowcount)

    def carried_out(self, connection: sqlite3.Connection, plan: int) -> int | None:
        """The run that applied the plan which the dry run `plan` made, if it wrote anything or is about to."""
        row = connection.execute(CARRIED_OUT, (plan,)).fetchone()
        return None if row is None else int(row["id"])

    def usual_rows(self, job: str, *, runs: int = 5) -> int | None:
        """The median number of rows that the last good runs of a job read; None when there was none."""
        read = sorted(row[0] for row in self._database.connection.execute(USUAL, (job, runs)) if row[0] is not None)
        return read[len(read) // 2] if read else None

    def wait(self, run_id: int, reason: str) -> None:
        """Say why a run does not start yet."""
        with self._database.write() as connection:
            connection.execute(WAIT, (reason, run_id))

    def end(self, run_id: int, now: float, result: Mapping[str, Any]) -> bool:
        """Record the outcome (`status`, `reason`, `hint`, `exit_code`, `counts`), once."""
        fields = {"reason": "", "hint": "", "exit_code": None, **result, "id": run_id, "now": now}
        fields["counts"] = json.dumps(result.get("counts", {}))
        with self._database.write() as connection:
            return bool(connection.execute(END, fields).rowcount)

    def interrupt(self, run_id: int, reason: str, counts: Mapping[str, int]) -> bool:
        """Running, but its process is gone. False when its end was recorded meanwhile."""
        with self._database.write() as connection:
            return bool(connection.execute(INTERRUPT, (reason, json.dumps(dict(counts)), run_id)).rowcount)

    def one(self, run_id: int) -> Run | None:
        if not 0 < run_id <= LARGEST_ID:
            return None
        row = self._database.connection.execute(ONE, (run_id,)).fetchone()
        return None if row is None else Run.of(row)

    def open(self) -> list[Run]:
        """Pending, running and interrupted runs, oldest first."""
        return self._list(OPEN_RUNS, ())

    def open_of(self, job: str) -> Run | None:
        """The run of this job that is not over, if any. Dry runs and backfills do not count: they give way."""
        return next(iter(self._list(OPEN_OF_JOB, (job,))), None)

    def ahead_of(self, connection: sqlite3.Connection, run: Run) -> Run | None:
        """The run that a run of a slot has to wait for: one of its job that runs, or an earlier one that is to run."""
        row = connection.execute(AHEAD, {"job": run.job, "id": run.id}).fetchone()
        return None if row is None else Run.of(row)

    def of_slot(self, connection: sqlite3.Connection, new: NewRun) -> list[Run]:
        """The runs that did, or do, the work of the slot which a new run is for."""
        return [Run.of(row) for row in connection.execute(OF_SLOT, (new.job, new.due))]

    def of_slots(self, job: str, since: int, until: int) -> dict[datetime, list[Run]]:
        """The runs of each slot of a span of time, both ends included, by the slot's moment."""
        found: dict[datetime, list[Run]] = {}
        for run in self._rows(OF_SLOTS, (job, since, until)):
            if run.due is not None:
                found.setdefault(run.due, []).append(run)
        return found

    def last_of_each_job(self) -> dict[str, Run]:
        return {run.job: run for run in self._list(LAST_OF_EACH_JOB, ())}

    def history(self, wanted: Wanted) -> list[Run]:
        """Runs, newest first."""
        return self._list(HISTORY, asdict(wanted))

    def _list(self, sql: str, parameters: Mapping[str, Any] | tuple[Any, ...]) -> list[Run]:
        return list(self._rows(sql, parameters))

    def _rows(self, sql: str, parameters: Mapping[str, Any] | tuple[Any, ...]) -> Iterator[Run]:
        for row in self._database.connection.execute(sql, parameters):
            yield Run.of(row)
