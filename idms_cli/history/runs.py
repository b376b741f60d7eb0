"""Runs: created once, started once, ended once.

Every change of a run's status is one statement that names the status it expects, so that two processes which want
the same change cannot both make it.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from hashlib import sha256
from typing import Any

from idms_cli.history.database import Database
from idms_cli.history.filters import SITES, history_sql
from idms_cli.history.rows import REFUSED_BY, NewRun, Run, Wanted
from idms_cli.history.sources import follow

REMEMBER = "INSERT INTO definition (hash, path, text) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
DEFINITION = "SELECT path, text FROM definition WHERE hash = ?"
CREATE = """
INSERT INTO run (job, due, by_hand, foreground, dry_run, intent, of_run, row_limit, connection, options, definition,
                 locks, timeout_s, late_s, start_by, priority, pool, wait_s, disable_after, status, reason, hint,
                 created_at, attempt, retried, stop_reason, stop_force, source, to_follow, counts, module, sites,
                 parameters)
VALUES (:job, :due, :by_hand, :foreground, :dry_run, :intent, :of_run, :row_limit, :connection, :options, :definition,
        :locks, :timeout_s, :late_s, :start_by, :priority, :pool, :wait_s, :disable_after, 'pending', '', '', :now,
        1, 0, '', 0, '[]', '[]', '{}', :module, :sites, :parameters)"""
START = """
UPDATE run SET status = 'running', reason = '', started_at = coalesce(started_at, ?), not_before = NULL,
               exit_code = NULL, attempt = attempt + (status = 'interrupted' OR not_before IS NOT NULL)
WHERE id = ? AND status IN ('pending', 'interrupted') AND stop_reason = ''"""
END = """
UPDATE run SET status = :status, reason = :reason, hint = :hint, exit_code = :exit_code, counts = :counts,
               ended_at = :now, not_before = NULL
WHERE id = :id AND status IN ('pending', 'running', 'interrupted')"""
INTERRUPT = """
UPDATE run SET status = 'interrupted', foreground = 0, reason = :reason, counts = :counts, exit_code = :exit_code,
               attempt = attempt - (NOT :tried)
WHERE id = :id AND status = 'running'"""
PUT_BACK = """
UPDATE run SET status = 'pending', reason = ?, started_at = NULL WHERE id = ? AND status = 'running'"""
APPROVE = """
UPDATE run SET status = 'pending', foreground = 1, reason = '', hint = '', exit_code = NULL, ended_at = NULL,
               decided_by = ?, decided_at = ?
WHERE id = ? AND status = 'held'"""
REFUSE = """
UPDATE run SET status = 'cancelled', reason = ?, hint = '', counts = coalesce(?, counts), decided_by = ?, decided_at = ?
WHERE id = ? AND status = 'held'"""
LET_GO = """
UPDATE run SET foreground = 0
WHERE id = ? AND (status = 'interrupted'
  OR (status = 'pending' AND (decided_by IS NOT NULL OR not_before IS NOT NULL)))"""
CARRIED_OUT = """
SELECT id FROM run WHERE intent = 'apply' AND of_run = ? AND (status IN ('pending', 'running', 'interrupted')
  OR json_extract(counts, '$.inserted') + json_extract(counts, '$.updated') + json_extract(counts, '$.deleted') > 0)
LIMIT 1"""
TAKE_OVER = """
UPDATE run SET foreground = 1
WHERE id = ? AND (status = 'interrupted' OR (status = 'pending' AND not_before IS NOT NULL AND NOT foreground))"""
RETRIES = "SELECT id FROM run WHERE intent = 'rest' AND of_run = ? AND NOT dry_run ORDER BY id DESC"
USUAL = """
SELECT json_extract(counts, '$.read') FROM run
WHERE job = ? AND status IN ('completed', 'partial') AND NOT dry_run AND intent = 'run' AND row_limit IS NULL
ORDER BY id DESC LIMIT ?"""
WROTE = """
SELECT * FROM run
WHERE id IN (SELECT value FROM json_each(?))
  AND EXISTS (SELECT 1 FROM json_each(locks) WHERE value ->> 'write' AND lower(value ->> 'resource') LIKE ? ESCAPE '!')
  AND coalesce(counts ->> 'inserted', 0) + coalesce(counts ->> 'updated', 0) + coalesce(counts ->> 'deleted', 0) > 0
ORDER BY id DESC"""
ONE = "SELECT * FROM run WHERE id = ?"
OPEN_RUNS = "SELECT * FROM run WHERE status IN ('pending', 'running', 'interrupted') ORDER BY id"
ANY_OF_JOB = "SELECT 1 FROM run WHERE job = ? LIMIT 1"
OPEN_OF_JOB = """
SELECT * FROM run INDEXED BY run_open WHERE job = ? AND status IN ('pending', 'running', 'interrupted') AND NOT dry_run
  AND intent != 'backfill'
ORDER BY id LIMIT 1"""
ASKING_OF_JOB = "SELECT * FROM run WHERE job = ? AND status = 'held' AND counts ->> 'questions' > 0 ORDER BY id LIMIT 1"
OF_SLOT = "SELECT * FROM run WHERE job = ? AND due = ? AND NOT dry_run AND intent IN ('run', 'backfill') ORDER BY id"
OF_SLOTS = """
SELECT * FROM run
WHERE job = ? AND due BETWEEN ? AND ? AND NOT dry_run AND intent IN ('run', 'backfill') ORDER BY id"""
LAST_OF_EACH_JOB = """
WITH RECURSIVE name (job) AS (
  SELECT min(job) FROM run
  UNION ALL SELECT (SELECT min(job) FROM run WHERE job > name.job) FROM name WHERE name.job IS NOT NULL
), newest (job, round) AS (
  SELECT job, (SELECT max(coalesce(batch, id)) FROM run WHERE run.job = name.job AND NOT dry_run) FROM name
)
SELECT run.* FROM newest JOIN run ON run.job = newest.job AND coalesce(run.batch, run.id) = newest.round
WHERE NOT run.dry_run ORDER BY run.id"""
NEXT_OF_BATCH = "SELECT * FROM run WHERE batch = ? AND id > ? ORDER BY id LIMIT 1"
LARGEST_ID = 2**63 - 1
"""SQLite counts no further."""


def definition_hash(path: str, text: str) -> str:
    """Tells one state of a job file from another."""
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

    def that_wrote(self, entity: str, among: Iterable[int]) -> Iterator[Run]:
        """Of these runs those that wrote records of an entity, on whatever connection, newest first."""
        name = entity.casefold().replace("!", "!!").replace("_", "!_").replace("%", "!%")
        for row in self._database.connection.execute(WROTE, (json.dumps(list(among)), f"imis:%/{name}")):
            yield Run.of(row)

    def definition(self, run: Run) -> tuple[str, str]:
        """The path and the text of the job file as this run uses it."""
        row = self._database.connection.execute(DEFINITION, (run.definition,)).fetchone()
        return row["path"], row["text"]

    def create(self, connection: sqlite3.Connection, new: NewRun, now: float) -> int:
        """A pending run; returns its id."""
        fields = {**asdict(new), "locks": json.dumps(new.locks), "options": json.dumps(new.options), "now": now}
        fields["parameters"] = json.dumps(new.parameters)
        row_id = connection.execute(CREATE, fields).lastrowid
        assert row_id is not None  # noqa: S101 - an INSERT has one
        return row_id

    def start(self, connection: sqlite3.Connection, run_id: int, now: float) -> bool:
        """Pending or interrupted becomes running; False when somebody else was first, or asked for its end."""
        return bool(connection.execute(START, (now, run_id)).rowcount)

    def approve(self, connection: sqlite3.Connection, run_id: int, who: str, now: float) -> bool:
        """A held run may go on, under the hand of who approved it; False when it is not held (any more)."""
        return bool(connection.execute(APPROVE, (who, now, run_id)).rowcount)

    def refuse(self, run_id: int, who: str, now: float, *, counts: Mapping[str, int] | None = None) -> bool:
        """A held run will not go on, and its counts are these now; False when it is not held (any more)."""
        told = None if counts is None else json.dumps(dict(counts))
        with self._database.write() as connection:
            return bool(connection.execute(REFUSE, (REFUSED_BY.format(who), told, who, now, run_id)).rowcount)

    def let_go(self, run_id: int) -> bool:
        """A run that was approved or interrupted before is no longer in anybody's hands: a tick may go on with it."""
        with self._database.write() as connection:
            return bool(connection.execute(LET_GO, (run_id,)).rowcount)

    def take_over(self, connection: sqlite3.Connection, run_id: int) -> bool:
        """An interrupted run, or one put off, goes on under somebody's hand; False when it is neither (any more)."""
        return bool(connection.execute(TAKE_OVER, (run_id,)).rowcount)

    def carried_out(self, connection: sqlite3.Connection, plan: int) -> int | None:
        """The run that applied the plan which the dry run `plan` made, if it wrote anything or is about to."""
        row = connection.execute(CARRIED_OUT, (plan,)).fetchone()
        return None if row is None else int(row["id"])

    def retries(self, connection: sqlite3.Connection, of_run: int) -> list[int]:
        """The runs that do what another one left, newest first."""
        return [int(row["id"]) for row in connection.execute(RETRIES, (of_run,))]

    def usual_rows(self, job: str, *, runs: int = 5) -> int | None:
        """The median number of rows that the last good runs of a job read; None when there was none."""
        read = sorted(row[0] for row in self._database.connection.execute(USUAL, (job, runs)) if row[0] is not None)
        return read[len(read) // 2] if read else None

    def end(self, run_id: int, now: float, result: Mapping[str, Any]) -> bool:
        """Record the outcome (`status`, `reason`, `hint`, `exit_code`, `counts`), once."""
        fields = {"reason": "", "hint": "", "exit_code": None, **result, "id": run_id, "now": now}
        fields["counts"] = json.dumps(result.get("counts", {}))
        with self._database.write() as connection:
            ended = bool(connection.execute(END, fields).rowcount)
            if ended:
                follow(connection, run_id, now)
            return ended

    def interrupt(
        self,
        run_id: int,
        reason: str,
        counts: Mapping[str, int],
        *,
        tried: bool = True,
        exit_code: int | None = None,
    ) -> bool:
        """Running, but its process is gone; not `tried`: it could not even begin, which does not count as an attempt.

        False when its end was recorded meanwhile. The exit code is for who waits for the run.
        """
        told = json.dumps(dict(counts))
        fields = {"id": run_id, "reason": reason, "counts": told, "tried": tried, "exit_code": exit_code}
        with self._database.write() as connection:
            return bool(connection.execute(INTERRUPT, fields).rowcount)

    def put_back(self, run_id: int, reason: str) -> bool:
        """A run that could not begin waits again, and why."""
        with self._database.write() as connection:
            return bool(connection.execute(PUT_BACK, (reason, run_id)).rowcount)

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

    def asking_of(self, job: str) -> Run | None:
        """The run of this job that stopped in the middle, and asks somebody what became of a record, if any."""
        return next(iter(self._list(ASKING_OF_JOB, (job,))), None)

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

    def has_any(self, job: str) -> bool:
        """Whether a job ever ran, also as a dry run."""
        return self._database.connection.execute(ANY_OF_JOB, (job,)).fetchone() is not None

    def last_of_each_job(self) -> dict[str, Run]:
        """The last run of each job; of several that read one file each, the last one that was not good."""
        last: dict[str, Run] = {}
        for run in self._list(LAST_OF_EACH_JOB, ()):
            if run.job not in last or not run.is_good or last[run.job].is_good:
                last[run.job] = run
        return last

    def next_of_batch(self, run: Run) -> Run | None:
        """The run of the next file, where several files are a run each."""
        return next(iter(self._list(NEXT_OF_BATCH, (run.batch, run.id))), None)

    def history(self, wanted: Wanted) -> list[Run]:
        """Runs, newest first; each question by the index that fits it."""
        if wanted.connection is None:
            return self._history(asdict(wanted))
        sites = self._sites()
        found = [
            run
            for each in sites
            if wanted.connection in each.split(",")
            for run in self._history({**asdict(wanted), "sites": each})
        ]
        return sorted(found, key=lambda run: -run.id)[: wanted.limit]

    def connections(self) -> set[str]:
        """Those that any run used."""
        return {name for each in self._sites() for name in each.split(",") if name}

    def _sites(self) -> list[str]:
        return [row["name"] for row in self._database.connection.execute(SITES)]

    def _history(self, wanted: Mapping[str, Any]) -> list[Run]:
        return self._list(history_sql(wanted), wanted)

    def _list(self, sql: str, parameters: Mapping[str, Any] | tuple[Any, ...]) -> list[Run]:
        return list(self._rows(sql, parameters))

    def _rows(self, sql: str, parameters: Mapping[str, Any] | tuple[Any, ...]) -> Iterator[Run]:
        for row in self._database.connection.execute(sql, parameters):
            yield Run.of(row)
