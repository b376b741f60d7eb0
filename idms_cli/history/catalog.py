"""What idms.yaml and the job files said when they were last read, so that an unchanged file is not read again."""

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from idms_cli.history.database import Database
from idms_cli.history.rows import JobRow

SAVE = """
INSERT INTO job (name, path, fingerprint, description, module, enabled, schedule, timezone, upstream, first_seen,
                 since, decided_until, next_due, digest, require_test, problems)
VALUES (:name, :path, :fingerprint, :description, :module, :enabled, :schedule, :timezone, :upstream, :first_seen,
        :since, :decided_until, :next_due, :digest, :require_test, :problems)
ON CONFLICT (name) DO UPDATE SET path = excluded.path, fingerprint = excluded.fingerprint,
  description = excluded.description, module = excluded.module, enabled = excluded.enabled,
  schedule = excluded.schedule, timezone = excluded.timezone, upstream = excluded.upstream, since = excluded.since,
  decided_until = excluded.decided_until, next_due = excluded.next_due, digest = excluded.digest,
  require_test = excluded.require_test, problems = excluded.problems"""
ALL = """
SELECT job.*, coalesce(switch.disabled, '') AS disabled FROM job LEFT JOIN switch ON switch.job = job.name
ORDER BY name"""
FORGET = "DELETE FROM job WHERE name = ?"
ADVANCE = "UPDATE job SET decided_until = max(decided_until, ?), next_due = ? WHERE name = ?"
REWIND = "UPDATE job SET decided_until = ?, next_due = ? WHERE name = ?"
SAVE_CONFIG = """
INSERT INTO config (path, fingerprint, jobs, max_parallel, calendar_files) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (path) DO UPDATE SET fingerprint = excluded.fingerprint, jobs = excluded.jobs,
  max_parallel = excluded.max_parallel, calendar_files = excluded.calendar_files"""
SAVE_CALENDAR = "INSERT INTO calendar (name, text) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET text = excluded.text"
CONFIG = "SELECT fingerprint, jobs, max_parallel, calendar_files FROM config WHERE path = ?"
CALENDAR = "SELECT text FROM calendar WHERE name = ?"


class Catalog:
    """The job files as last read. Nothing is written where nothing is new: each commit waits for the disk."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> dict[str, JobRow]:
        return {row["name"]: JobRow.of(row) for row in self._database.connection.execute(ALL)}

    def save(self, jobs: Iterable[JobRow]) -> None:
        """Insert or replace; `first_seen` of a known job stays."""
        self._write_all(SAVE, [{**asdict(job), "problems": json.dumps(job.problems)} for job in jobs])

    def forget(self, names: Iterable[str]) -> None:
        """Job files that are gone. Their runs stay in the history."""
        self._write_all(FORGET, [(name,) for name in names])

    def advance(self, connection: sqlite3.Connection, name: str, *, decided_until: int, next_due: int | None) -> None:
        """Every slot of a job up to `decided_until` has its verdict. Belongs inside `Database.write()`."""
        connection.execute(ADVANCE, (decided_until, next_due, name))

    def rewind(self, name: str, *, decided_until: int, next_due: int | None) -> None:
        """The clock went back: what was decided for a time that is still to come is open again."""
        with self._database.write() as connection:
            connection.execute(REWIND, (decided_until, next_due, name))

    def save_config(
        self, path: str, fingerprint: str, *, jobs: str, max_parallel: int, calendar_files: Iterable[str] = ()
    ) -> None:
        said = (fingerprint, jobs, max_parallel, "\n".join(calendar_files))
        known = self._database.connection.execute(CONFIG, (path,)).fetchone()
        if known is None or tuple(known) != said:
            self._write_all(SAVE_CONFIG, [(path, *said)])

    def save_calendars(self, texts: Mapping[str, str]) -> None:
        """What calendars say, as JSON, by their names."""
        self._write_all(SAVE_CALENDAR, list(texts.items()))

    def calendar(self, name: str) -> str | None:
        """The JSON of a calendar that a job heeds; None for one that was never saved."""
        row = self._database.connection.execute(CALENDAR, (name,)).fetchone()
        return None if row is None else row["text"]

    def _write_all(self, sql: str, parameters: Sequence[Any]) -> None:
        if parameters:
            with self._database.write() as connection:
                connection.executemany(sql, parameters)
