"""Runs that have not begun or are to end: what may start next, why the others wait, and who asked for an end."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from idms_cli.history.database import Database
from idms_cli.history.rows import Run
from idms_cli.history.sources import follow

READY = """
SELECT * FROM run
WHERE NOT foreground AND stop_reason = ''
  AND (status = 'interrupted' OR (status = 'pending' AND (not_before IS NULL OR not_before <= ?)))
ORDER BY priority DESC, id"""
PLACES = "SELECT pool, count(*) FROM run WHERE status = 'running' GROUP BY pool"
RUNNING = "SELECT * FROM run WHERE status = 'running' ORDER BY id"
INTERRUPTED = "SELECT * FROM run WHERE status = 'interrupted' ORDER BY id"
IN_HANDS = """
SELECT * FROM run
WHERE status IN ('pending', 'running', 'interrupted') AND (status = 'running' OR foreground) ORDER BY id"""
LATE = "SELECT * FROM run WHERE status = 'pending' AND NOT foreground AND start_by < ? ORDER BY id"
# A job's history is long, and what is open is little: of the two indexes SQLite would take the wrong one.
EARLIER = """
SELECT id FROM run INDEXED BY run_open
WHERE status IN ('pending', 'running', 'interrupted') AND job = :job AND id <> :id AND NOT dry_run
  AND (id < :id OR :backfill AND status = 'running')
ORDER BY id LIMIT 1"""
OLDEST = """
SELECT job, min(id) FROM run INDEXED BY run_open
WHERE status IN ('pending', 'running', 'interrupted') AND NOT dry_run GROUP BY job"""
WAIT = "UPDATE run SET reason = ? WHERE id = ? AND status IN ('pending', 'interrupted')"
PUT_OFF = """
UPDATE run SET status = 'pending', foreground = 0, reason = ?, counts = ?, not_before = ?, retried = retried + 1
WHERE id = ? AND status = 'running'"""
OVERDUE = """
SELECT * FROM run
WHERE status = 'pending' AND NOT foreground AND started_at IS NULL AND stop_reason = '' AND created_at + wait_s <= ?
ORDER BY id"""
DROP = """
UPDATE run SET status = ?, reason = ?, ended_at = ?, exit_code = ?
WHERE id = ? AND status = 'pending' AND started_at IS NULL"""
OPEN_SLOTS = """
SELECT * FROM run INDEXED BY run_open
WHERE job = ? AND id < ? AND status IN ('pending', 'running', 'interrupted') AND NOT by_hand AND NOT dry_run
ORDER BY id"""
ASK = """
UPDATE run SET stop_reason = ?, stop_force = max(stop_force, ?)
WHERE id = ? AND status IN ('pending', 'running', 'interrupted')"""
ASKED = "SELECT stop_reason, stop_force FROM run WHERE id = ?"
TO_STOP = """
SELECT * FROM run WHERE status IN ('pending', 'interrupted') AND stop_reason <> '' ORDER BY id"""


@dataclass(frozen=True)
class StopRequest:
    """Somebody wants a run to end."""

    reason: str
    """In the words of the history: `stopped by anna`, `replaced by a newer one: run 14`."""
    force: bool = False
    """At once, in the middle of a record."""


class Queue:
    """The runs that wait, in the history."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def ready(self, now: float) -> list[Run]:
        """Pending runs whose time has come, and interrupted ones, that nobody holds; higher priority first, then older.

        Whether there is a place for them, and whether their data is free, is not looked at here.
        """
        return self._list(READY, (now,))

    def places(self) -> dict[str, int]:
        """How many runs are running, for each pool; '' are those without one."""
        return dict(map(tuple, self._database.connection.execute(PLACES)))

    def running(self) -> list[Run]:
        return self._list(RUNNING, ())

    def interrupted(self) -> list[Run]:
        """Runs whose process died, or that could not go on."""
        return self._list(INTERRUPTED, ())

    def in_hands(self) -> list[Run]:
        """Runs that a process must be there for: those that run, and those that somebody waits for."""
        return self._list(IN_HANDS, ())

    def late(self, moment: float) -> list[Run]:
        """Runs that wait, for nobody, and should have started before a moment (UTC seconds)."""
        return self._list(LATE, (moment,))

    def earlier(self, run: Run) -> int | None:
        """The oldest run of the same job that was created before and is not over; for a backfill, any that runs."""
        fields = {"job": run.job, "id": run.id, "backfill": run.intent == "backfill"}
        row = self._database.connection.execute(EARLIER, fields).fetchone()
        return None if row is None else int(row["id"])

    def oldest(self) -> dict[str, int]:
        """The oldest run that is not over of each job that has one, dry runs aside."""
        return dict(map(tuple, self._database.connection.execute(OLDEST)))

    def wait(self, reasons: Mapping[int, str]) -> None:
        """Say of each run why it does not start yet."""
        if reasons:
            with self._database.write() as connection:
                connection.executemany(WAIT, [(reason, run_id) for run_id, reason in reasons.items()])

    def put_off(self, run_id: int, until: float, reason: str, counts: Mapping[str, int]) -> bool:
        """A running run failed for what can pass: it is pending again, and goes on after `until` (UTC seconds)."""
        with self._database.write() as connection:
            return bool(connection.execute(PUT_OFF, (reason, json.dumps(dict(counts)), until, run_id)).rowcount)

    def overdue(self, now: float) -> list[Run]:
        """Runs that never began and have waited for longer than they may."""
        return self._list(OVERDUE, (now,))

    def drop(self, run_id: int, now: float, *, status: str, reason: str, exit_code: int | None = None) -> bool:
        """End a run that has never begun; False when it has begun meanwhile, or is over."""
        with self._database.write() as connection:
            dropped = bool(connection.execute(DROP, (status, reason, now, exit_code, run_id)).rowcount)
            if dropped:
                follow(connection, run_id, now)
            return dropped

    def open_slots(self, job: str, before: int) -> list[Run]:
        """The runs of a job's slots that were created before the run `before` and are not over, oldest first."""
        return self._list(OPEN_SLOTS, (job, before))

    def ask_to_stop(self, run_id: int, request: StopRequest) -> bool:
        """Leave word that a run is to end; False when it is over. Its supervisor has to be woken to see it at once."""
        with self._database.write() as connection:
            return bool(connection.execute(ASK, (request.reason, request.force, run_id)).rowcount)

    def stop_request(self, run_id: int) -> StopRequest | None:
        """What was asked of a run, if its end was asked for."""
        row = self._database.connection.execute(ASKED, (run_id,)).fetchone()
        if row is None or not row["stop_reason"]:
            return None
        return StopRequest(row["stop_reason"], bool(row["stop_force"]))

    def to_stop(self) -> list[Run]:
        """Runs that are to end and that no process is at work on."""
        return self._list(TO_STOP, ())

    def _list(self, sql: str, parameters: Sequence[object]) -> list[Run]:
        return [Run.of(row) for row in self._database.connection.execute(sql, parameters)]
