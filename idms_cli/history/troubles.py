"""Troubles: the stretches in which a job is not well; at most one of a job is open."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from idms_cli.history.database import Database

OPEN_OF = "SELECT * FROM trouble WHERE job = ? AND closed_at IS NULL"
OPEN = "SELECT * FROM trouble WHERE closed_at IS NULL ORDER BY since, id"
DUE = "SELECT * FROM trouble WHERE closed_at IS NULL AND remind_at <= ? ORDER BY remind_at, id"
BEGIN = """
INSERT INTO trouble (job, kind, since, run, times, facts, remind_at) VALUES (?, ?, ?, ?, 1, ?, ?)"""
AGAIN = "UPDATE trouble SET times = times + 1, kind = ?, run = coalesce(?, run), facts = ? WHERE id = ?"
CHANGE = "UPDATE trouble SET kind = ?, facts = ? WHERE id = ?"
REMIND = "UPDATE trouble SET remind_at = ? WHERE id = ?"
CLOSE = "UPDATE trouble SET closed_at = ?, remind_at = NULL WHERE id = ?"


@dataclass(frozen=True)
class Trouble:
    """A stretch in which a job is not well."""

    id: int
    job: str
    """Or `imis:` and the name of a connection."""
    kind: str
    """The worst so far: partial, failed, late, held, disabled; of a connection down, refused."""
    since: float
    run: int | None
    """The last that ended badly; None when none began."""
    times: int
    facts: Mapping[str, Any]
    remind_at: float | None


class Troubles:
    """The troubles in the history. Moments are UTC seconds."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def open_of(self, job: str) -> Trouble | None:
        row = self._database.connection.execute(OPEN_OF, (job,)).fetchone()
        return None if row is None else _trouble(row)

    def open(self) -> list[Trouble]:
        """Those that last, the oldest first."""
        return [_trouble(row) for row in self._database.connection.execute(OPEN)]

    def to_remind(self, now: float) -> list[Trouble]:
        """Those that nobody was told of for long."""
        return [_trouble(row) for row in self._database.connection.execute(DUE, (now,))]

    def begin(self, job: str, kind: str, since: float, *, facts: Mapping[str, Any], remind_at: float | None) -> None:
        """The run, if one began, is among the facts."""
        with self._database.write() as connection:
            connection.execute(BEGIN, (job, kind, since, facts.get("run"), json.dumps(dict(facts)), remind_at))

    def again(self, trouble: int, kind: str, *, run: int | None, facts: Mapping[str, Any]) -> None:
        """It went badly once more; `facts` are of the worst that lasts."""
        with self._database.write() as connection:
            connection.execute(AGAIN, (kind, run, json.dumps(dict(facts)), trouble))

    def change(self, trouble: int, kind: str, *, facts: Mapping[str, Any]) -> None:
        """More is known of it."""
        with self._database.write() as connection:
            connection.execute(CHANGE, (kind, json.dumps(dict(facts)), trouble))

    def remind(self, trouble: int, at: float | None) -> None:
        """When somebody is told of it next."""
        with self._database.write() as connection:
            connection.execute(REMIND, (at, trouble))

    def close(self, trouble: int, now: float) -> None:
        with self._database.write() as connection:
            connection.execute(CLOSE, (now, trouble))


def _trouble(row: sqlite3.Row) -> Trouble:
    return Trouble(
        row["id"],
        row["job"],
        row["kind"],
        row["since"],
        row["run"],
        row["times"],
        json.loads(row["facts"]),
        row["remind_at"],
    )
