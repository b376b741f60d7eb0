"""The steps of workflows: what became of each, run by run."""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from idms_cli.history.database import Database
from idms_cli.history.sources import KEPT, Earlier

NOTE = """
INSERT INTO step (run, path, position, job, definition, kind, status, reason, hint, began_at, ended_at, attempts, rows,
                  counts, source)
VALUES (:run, :path, :position, :job, :definition, :kind, :status, :reason, :hint, :began_at, :ended_at, :attempts,
        :rows, :counts, '[]')
ON CONFLICT (run, path) DO UPDATE SET
  position = excluded.position, job = excluded.job, definition = excluded.definition, kind = excluded.kind,
  status = excluded.status, reason = excluded.reason, hint = excluded.hint,
  began_at = excluded.began_at, ended_at = excluded.ended_at, attempts = excluded.attempts, rows = excluded.rows,
  counts = excluded.counts"""
OF = "SELECT * FROM step WHERE run = ? ORDER BY position, path"
TAKE = "UPDATE step SET source = ? WHERE run = ? AND path = ?"
TOOK = """
SELECT step.run AS id, step.source, step.definition, step.status IN ('succeeded', 'partial') AS good
FROM step JOIN run ON run.id = step.run
WHERE step.job = :job AND step.run < :before AND NOT run.dry_run AND step.source <> '[]'
  AND step.status NOT IN ('running', 'held')
ORDER BY step.run DESC LIMIT :limit"""
USUAL = """
SELECT counts ->> 'read' AS "read" FROM step
WHERE job = ? AND status IN ('succeeded', 'partial') ORDER BY run DESC LIMIT ?"""


@dataclass(frozen=True)
class StepRow:
    """How one step of a run stands."""

    path: str
    """Its name, or its number where it has none; within another step: `tell/left/2`."""
    position: int
    """The order in which the steps stand in the job."""
    kind: str
    status: str
    """running; succeeded, partial, failed, skipped, held, rehearsed, cancelled."""
    reason: str = ""
    hint: str = ""
    began_at: float | None = None
    """UTC seconds, of the first attempt."""
    ended_at: float | None = None
    attempts: int = 0
    rows: int | None = None
    """That it made."""
    counts: Mapping[str, int] = field(default_factory=dict)
    job: str = ""
    """The job that a `run` step does."""
    definition: str = ""
    """Hash of that job's text."""
    source: tuple[Mapping[str, Any], ...] = ()
    """The files that its job took; read only."""

    @classmethod
    def of(cls, row: sqlite3.Row) -> "StepRow":
        fields: dict[str, Any] = {name: row[name] for name in row.keys() if name != "run"}  # noqa: SIM118 - not a dict
        return cls(**{**fields, "counts": json.loads(row["counts"]), "source": tuple(json.loads(row["source"]))})

    @property
    def duration_s(self) -> float | None:
        """None while it is not over."""
        return None if self.began_at is None or self.ended_at is None else self.ended_at - self.began_at


class Steps:
    """The steps in the history."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note(self, run: int, rows: Sequence[StepRow]) -> None:
        """How steps stand; all but their `source`."""
        fields = [{**asdict(row), "run": run, "counts": json.dumps(dict(row.counts))} for row in rows]
        with self._database.write() as connection:
            connection.executemany(NOTE, fields)

    def of(self, run: int) -> list[StepRow]:
        """In the order in which they stand in the job; none for what is no workflow."""
        return [StepRow.of(row) for row in self._database.connection.execute(OF, (run,))]

    def take(self, run: int, path: str, files: Sequence[Mapping[str, Any]]) -> None:
        """What the job of a step reads."""
        with self._database.write() as connection:
            connection.execute(TAKE, (json.dumps([dict(file) for file in files]), run, path))

    def took(self, job: str, *, before: int, definition: str = "") -> list[Earlier]:
        """What a job took as a step of the last runs before that one, newest first. Good is what it read well by the
        same `definition`."""
        parameters = {"job": job, "before": before, "limit": KEPT}
        return [
            Earlier(row["id"], bool(row["good"]) and row["definition"] == definition, tuple(json.loads(row["source"])))
            for row in self._database.connection.execute(TOOK, parameters)
        ]

    def read_last(self, job: str, limit: int) -> list[int]:
        """How many rows a job read as a step, the last times that went well."""
        return [int(row["read"]) for row in self._database.connection.execute(USUAL, (job, limit)) if row["read"]]
