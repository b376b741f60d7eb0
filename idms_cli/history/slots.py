"""Slots: each has exactly one verdict, committed before anything is done about it."""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from idms_cli.history.database import Database
from idms_cli.history.rows import NewRun, Slot, Verdict, Wanted
from idms_cli.history.runs import Runs

NOT_OWED = "not owed: the job was not there yet"
"""The reason of a slot from before its job was there, which a backfill runs all the same."""

DECIDE = """
INSERT INTO slot (job, due, until, verdict, reason, run, decided_at) VALUES (?, ?, ?, ?, ?, NULL, ?)
ON CONFLICT DO NOTHING"""
TAKEN_BY = "UPDATE slot SET run = ? WHERE job = ? AND due = ?"
MADE_UP = "UPDATE slot SET made_up_by = ? WHERE job = ? AND due = ? AND until IS NULL"
SHORTEN = """
UPDATE slot SET due = :following, until = CASE WHEN until > :following THEN until END
WHERE job = :job AND due = :due AND until IS NOT NULL"""
FORGET_SKIPPED = "DELETE FROM slot WHERE job = ? AND due > ? AND verdict = 'skipped' AND made_up_by IS NULL"
FORGET_ONE = "DELETE FROM slot WHERE job = ? AND due = ? AND verdict = 'skipped' AND made_up_by IS NULL"
SKIPPED = "SELECT * FROM slot WHERE verdict = 'skipped'{conditions} ORDER BY due DESC LIMIT :limit"
CONDITIONS = {
    "job": " AND job = :job",
    "since": " AND due >= :since",
    "until": " AND due <= :until",
    "jobs": " AND job IN (SELECT value FROM json_each(:jobs))",
}
OF_JOB = "SELECT * FROM slot WHERE job = ? ORDER BY due DESC LIMIT ?"
BETWEEN = """
SELECT * FROM slot WHERE job = :job AND due <= :until AND coalesce(until, due) >= :since ORDER BY due LIMIT :limit"""
ONE = "SELECT * FROM slot WHERE job = ? AND due = ?"
AROUND = """
SELECT * FROM (SELECT * FROM slot WHERE job = :job AND due < :at ORDER BY due DESC LIMIT 1)
UNION ALL SELECT * FROM (SELECT * FROM slot WHERE job = :job AND due >= :at ORDER BY due LIMIT 1)"""
FIRST = "SELECT due FROM slot WHERE job = ? AND reason <> ? ORDER BY due LIMIT 1"
SKIPPED_IN = """
SELECT * FROM slot WHERE job = :job AND due <= :until AND verdict = 'skipped'
  AND (coalesce(until, due) >= :since OR decided_at >= :since) ORDER BY due"""
MISSED = """
SELECT * FROM slot WHERE verdict IN ('run', 'skipped') AND due > :since AND due <= :until
  AND (verdict = 'skipped' OR decided_at >= :until) AND reason <> :not_owed
ORDER BY due, job LIMIT :limit"""


class Slots:
    """The slots in the history. Methods that take a `sqlite3.Connection` belong inside `Database.write()`."""

    def __init__(self, database: Database, runs: Runs) -> None:
        self._database = database
        self._runs = runs

    def decide(
        self,
        connection: sqlite3.Connection,
        verdicts: Iterable[Verdict],
        now: float,
        *,
        created_at: float | None = None,
    ) -> list[int | None]:
        """Write verdicts down, each for a slot that has none; the ids of the runs that it made, None for no run.

        A slot that somebody else has decided stays as it is: its verdict here counts for nothing. `created_at` is what
        the clock says, where `now` is pretended.
        """
        return [self._decide(connection, verdict, now, created_at or now) for verdict in verdicts]

    def skip(self, job: str, dues: Iterable[int], now: float, *, reason: str, until: int | None = None) -> None:
        """Give slots the verdict that they do not run, and why, unless they have one already."""
        with self._database.write() as connection:
            self.decide(connection, [Verdict(job, due, reason=reason, until=until) for due in dues], now)

    def make_up(self, connection: sqlite3.Connection, new: NewRun, now: float, *, following: int | None) -> int:
        """A run that does the work of a slot after all; what was decided about the slot stays, with this run beside it.

        `following` is the job's next slot: a row that stands for a stretch which begins here stands for its rest then.
        """
        run_id = self._runs.create(connection, new, now)
        if following is not None:
            connection.execute(SHORTEN, {"job": new.job, "due": new.due, "following": following})
        connection.execute(DECIDE, (new.job, new.due, None, "skipped", self._why(connection, new), now))
        connection.execute(MADE_UP, (run_id, new.job, new.due))
        return run_id

    def forget_skipped(self, job: str, after: int, *, put_off: Iterable[int] = ()) -> None:
        """The verdicts that slots will not run which are still to come, also those that are `put_off` from before."""
        with self._database.write() as connection:
            connection.execute(FORGET_SKIPPED, (job, after))
            connection.executemany(FORGET_ONE, [(job, due) for due in put_off])

    def skipped(self, wanted: Wanted, *, jobs: Iterable[str] | None = None) -> list[Slot]:
        """Slots that did not run, newest first; of what is wanted job, time and number count here.

        `jobs`: only of these.
        """
        asked = {**asdict(wanted), "jobs": None if jobs is None else json.dumps(list(jobs))}
        conditions = "".join(text for name, text in CONDITIONS.items() if asked[name] is not None)
        return self._list(SKIPPED.format(conditions=conditions), asked)

    def of(self, job: str, limit: int = 100) -> list[Slot]:
        """A job's slots, newest first."""
        return self._list(OF_JOB, (job, limit))

    def one(self, job: str, due: int) -> Slot | None:
        """The row of just this slot; a stretch that it lies in does not count."""
        return next(iter(self._list(ONE, (job, due))), None)

    def has_run(self, job: str, due: int) -> bool:
        """Whether a run was made for this slot when it was decided."""
        slot = self.one(job, due)
        return slot is not None and slot.verdict == "run"

    def around(self, job: str, at: int) -> list[Slot]:
        """The last slot before a moment and the first at or after it, as far as there are any."""
        return self._list(AROUND, {"job": job, "at": at})

    def between(self, job: str, since: int, until: int, *, limit: int = 100_000) -> list[Slot]:
        """A job's slots of a span of time, both ends included, oldest first; stretches that reach into it as well."""
        return self._list(BETWEEN, {"job": job, "since": since, "until": until, "limit": limit})

    def skipped_in(self, job: str, since: int, until: int) -> list[Slot]:
        """A job's slots that were skipped, oldest first: those due in a span of time, and older ones decided in it."""
        return self._list(SKIPPED_IN, {"job": job, "since": since, "until": until})

    def first(self, job: str) -> int | None:
        """The oldest slot of a job that it owed: what a backfill ran from before that does not count."""
        oldest = self._database.connection.execute(FIRST, (job, NOT_OWED)).fetchone()
        return None if oldest is None else int(oldest["due"])

    def decided_late(self, since: int, until: int, *, limit: int = 1000) -> list[Slot]:
        """All slots later than `since` and not later than `until` that no tick before `until` took.

        Also those that another command settled meanwhile: of a job that was paused, edited or removed.
        """
        asked = {"since": since, "until": until, "not_owed": NOT_OWED, "limit": limit}
        return self._list(MISSED, asked)

    def _decide(self, connection: sqlite3.Connection, verdict: Verdict, now: float, created_at: float) -> int | None:
        kind = "skipped" if verdict.run is None else "run"
        row = (verdict.job, verdict.due, verdict.until, kind, verdict.reason, now)
        if not connection.execute(DECIDE, row).rowcount or verdict.run is None:
            return None
        run_id = self._runs.create(connection, verdict.run, created_at)
        connection.execute(TAKEN_BY, (run_id, verdict.job, verdict.due))
        return run_id

    def _why(self, connection: sqlite3.Connection, new: NewRun) -> str:
        """Of a slot without a row of its own: that of the stretch it lies in, or that nobody ever looked at it."""
        row = connection.execute(
            "SELECT reason FROM slot WHERE job = ? AND due < ? AND until >= ?", (new.job, new.due, new.due)
        ).fetchone()
        return NOT_OWED if row is None else str(row["reason"])

    def _list(self, sql: str, parameters: dict[str, Any] | Sequence[Any]) -> list[Slot]:
        return [Slot.of(row) for row in self._database.connection.execute(sql, parameters)]
