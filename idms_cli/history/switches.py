"""Jobs that are disabled other than by their file: by a person, or after too many failures in a row."""

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from idms_cli.history.database import Database
from idms_cli.history.rows import moment

OUTCOMES = """
SELECT status, exit_code, by_hand FROM run
WHERE job = ? AND id > coalesce((SELECT after_run FROM switch WHERE switch.job = run.job), 0)
  AND status IN ('completed', 'partial', 'failed') AND intent = 'run' AND NOT dry_run
ORDER BY id DESC"""
SET = """
INSERT INTO switch (job, disabled, by, at, after_run, definition, told)
VALUES (:job, :disabled, :by, :at, coalesce((SELECT max(id) FROM run WHERE job = :job), 0), :definition, :told)
ON CONFLICT (job) DO UPDATE SET disabled = excluded.disabled, by = excluded.by, at = excluded.at,
  after_run = excluded.after_run, definition = excluded.definition, told = excluded.told"""
ONE = "SELECT * FROM switch WHERE job = ?"
DISABLED = "SELECT job FROM switch WHERE disabled <> ''"
ENABLE_CHANGED = """
UPDATE switch SET disabled = '', by = '', at = ?, told = 1,
  after_run = coalesce((SELECT max(id) FROM run WHERE run.job = switch.job), 0)
WHERE job = ? AND disabled <> '' AND definition <> '' AND definition <> ?"""
UNTOLD = "SELECT * FROM switch WHERE NOT told ORDER BY job"
TELL = "UPDATE switch SET told = 1 WHERE NOT told"

NOT_THE_JOBS_FAULT = (4, 5)
"""Exit codes: the login was refused, the site or a source could not be reached."""


@dataclass(frozen=True)
class Switch:
    """Whether a job was disabled or enabled other than by its file, by whom and when."""

    job: str
    disabled: str
    """Why no slot of it runs; empty when it is enabled again."""
    by: str
    """The person; empty for idms itself."""
    at: datetime | None


class Switches:
    """The switches in the history."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def one(self, job: str) -> Switch | None:
        row = self._database.connection.execute(ONE, (job,)).fetchone()
        return None if row is None else _switch(row)

    def disabled(self) -> set[str]:
        """The jobs that are disabled."""
        return {row["job"] for row in self._database.connection.execute(DISABLED)}

    def failures_in_a_row(self, job: str) -> int:
        """The newest failures of a job that it caused itself, since it last went well or was enabled.

        Neither counted nor seen as success: a refused login, a site or source out of reach, what was cancelled or held,
        and failures of runs by hand.
        """
        failures = 0
        for row in self._database.connection.execute(OUTCOMES, (job,)):
            if row["status"] != "failed":
                break
            failures += not row["by_hand"] and row["exit_code"] not in NOT_THE_JOBS_FAULT
        return failures

    def disable(self, job: str, reason: str, now: float, *, by: str = "", definition: str = "") -> None:
        """No slot of the job runs from now. With a `definition` it is told once, and a change of the file ends it."""
        told = bool(by)
        fields = {"job": job, "disabled": reason, "by": by, "at": now, "definition": definition, "told": told}
        with self._database.write() as connection:
            connection.execute(SET, fields)

    def enable(self, job: str, now: float, *, by: str) -> None:
        """The job's slots run again, and its failures are counted anew."""
        fields = {"job": job, "disabled": "", "by": by, "at": now, "definition": "", "told": True}
        with self._database.write() as connection:
            connection.execute(SET, fields)

    def enable_changed(self, job: str, definition: str, now: float) -> bool:
        """Enable a job that its failures disabled, if its file says something else than it did then."""
        with self._database.write() as connection:
            return bool(connection.execute(ENABLE_CHANGED, (now, job, definition)).rowcount)

    def tell(self) -> list[Switch]:
        """The jobs that were disabled and that nobody was told of yet; they are told with this."""
        with self._database.write() as connection:
            found = [_switch(row) for row in connection.execute(UNTOLD)]
            connection.execute(TELL)
        return found


def _switch(row: sqlite3.Row) -> Switch:
    return Switch(row["job"], row["disabled"], row["by"], moment(row["at"]))
