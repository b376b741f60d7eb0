"""The files that runs take: what was read before, and what is still to be read in a run of its own."""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from idms_cli.history.database import Database

KEPT = 200
"""Runs of a job that are looked through for what they read."""

TAKE = "UPDATE run SET source = ?, to_follow = coalesce(?, to_follow) WHERE id = ?"
BEFORE = """
SELECT id, source, definition = (SELECT definition FROM run WHERE id = :run)
  AND status IN ('completed', 'partial') AND row_limit IS NULL AND intent IN ('run', 'apply')
  AND coalesce(counts ->> 'steps_failed', 0) + coalesce(counts ->> 'steps_unknown', 0) = 0
  AND NOT EXISTS (SELECT 1 FROM run AS undo WHERE undo.of_run = run.id AND undo.intent = 'undo' AND NOT undo.dry_run)
  AS good
FROM run
WHERE job = :job AND id <> :run AND NOT dry_run AND source <> '[]'
  AND status NOT IN ('pending', 'running', 'interrupted', 'held')
ORDER BY id DESC LIMIT :limit"""
WAITING = "SELECT job, batch, to_follow, status, foreground, stop_reason, dry_run FROM run WHERE id = ?"
NEWER = """
SELECT 1 FROM run
WHERE job = ? AND id <> ? AND status = 'pending' AND intent = 'run' AND NOT dry_run AND source = '[]' LIMIT 1"""
FOLLOW = """
INSERT INTO run (job, due, by_hand, foreground, dry_run, intent, of_run, row_limit, connection, options, definition,
                 locks, timeout_s, late_s, start_by, priority, pool, wait_s, disable_after, status, reason, hint,
                 created_at, attempt, retried, stop_reason, stop_force, source, to_follow, batch, counts, module,
                 sites, parameters)
SELECT job, due, by_hand, 0, 0, intent, of_run, row_limit, connection, options, definition, locks,
       timeout_s, late_s, start_by, priority, pool, wait_s, disable_after, 'pending', '', '', :now, 1,
       0, '', 0, :source, :to_follow, :batch, '{}', module, sites, parameters
FROM run WHERE id = :run"""
FOLLOWED = "UPDATE run SET to_follow = '[]', batch = ? WHERE id = ?"


@dataclass(frozen=True)
class Earlier:
    """An earlier run that took files."""

    run: int
    good: bool
    """Of the same job file, all its rows imported or delivered, and not taken back."""
    files: tuple[Mapping[str, Any], ...]


class SourceRows:
    """The files of one run, and of those before it."""

    def __init__(self, database: Database, *, run: int, job: str) -> None:
        self._database = database
        self._run = run
        self._job = job

    def take(self, run: int, files: Sequence[Mapping[str, Any]], *, rest: Sequence[str] | None) -> None:
        """What a run reads; with `rest`, also which files get a run each when it has ended."""
        waiting = None if rest is None else json.dumps(list(rest))
        with self._database.write() as connection:
            connection.execute(TAKE, (json.dumps([dict(file) for file in files]), waiting, run))

    def before(self) -> list[Earlier]:
        """The last runs of the job that took something, newest first."""
        parameters = {"run": self._run, "job": self._job, "limit": KEPT}
        rows = self._database.connection.execute(BEFORE, parameters)
        return [Earlier(row["id"], bool(row["good"]), tuple(json.loads(row["source"]))) for row in rows]


def follow(connection: sqlite3.Connection, run_id: int, now: float) -> None:
    """A run that has just ended makes room for the next of its files: a run of its own, of the same slot.

    In the transaction that records the end, and what was handed on is gone from the run that ended: so each file gets
    its run once, whenever the machine stops. Somebody who stops a run wants none after it; and another run of the job
    that waits and has yet to choose finds the files itself.
    """
    row = connection.execute(WAITING, (run_id,)).fetchone()
    names = json.loads(row["to_follow"])
    stopped = row["status"] == "cancelled" and (row["foreground"] or row["stop_reason"])
    if not names or row["dry_run"] or stopped or connection.execute(NEWER, (row["job"], run_id)).fetchone():
        return
    batch = row["batch"] or run_id
    fields = {
        "run": run_id,
        "now": now,
        "batch": batch,
        "source": json.dumps([{"name": names[0], "address": names[0], "size": 0}]),
        "to_follow": json.dumps(names[1:]),
    }
    connection.execute(FOLLOWED, (batch, run_id))
    connection.execute(FOLLOW, fields)
