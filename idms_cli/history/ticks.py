"""Ticks: each call of run-due leaves a row, so that silence can be told from having nothing to do.

Kept light: an idle tick loads this.
"""

import time

from idms_cli.history.database import Database

KEPT = 20_160
"""Ticks that are kept: two weeks of minutes."""

JUMP_S = 600
"""A wall clock that moved by more than this against the time since boot has jumped."""

SILENT_AFTER_S = 180
"""run-due is expected every minute; after three it is missed."""

INSERT = "INSERT INTO tick (at, boot_s, boot_id, claimed, note) VALUES (?, ?, ?, ?, ?)"
PRUNE = "DELETE FROM tick WHERE id <= ? - ?"
CLAIMED = "UPDATE tick SET claimed = ? WHERE id = ?"
INCIDENT = "INSERT INTO incident (since, until) VALUES (?, ?)"
SCHEDULED = "SELECT min(first_seen) FROM job WHERE enabled AND schedule != ''"
LAST = "SELECT at, boot_s, boot_id, note FROM tick ORDER BY id DESC LIMIT 1"


def boot_id() -> str:
    """This boot's id; empty where the kernel does not say (a unit with ProcSubset=pid)."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""


class Ticks:
    """The ticks in the history."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def last(self) -> float | None:
        """When run-due was called last, UTC seconds; None if never."""
        row = self._database.connection.execute(LAST).fetchone()
        return None if row is None else float(row["at"])

    def clock_jump_s(self, now: float) -> float:
        """How far the wall clock moved against the time since boot after the last tick, in seconds.

        0 when it did not jump, when the machine was booted since, or when there is nothing to compare with.
        """
        row = self._database.connection.execute(LAST).fetchone()
        if row is None or row["boot_id"] != boot_id():
            return 0.0
        moved = (now - row["at"]) - (time.clock_gettime(time.CLOCK_BOOTTIME) - row["boot_s"])
        return float(moved) if abs(moved) > JUMP_S else 0.0

    def silence_s(self, now: float) -> float:
        """How long nobody had called run-due, in seconds; 0 when that is no longer than a minute may be late.

        By the time since boot where it can be: a clock that jumped is no silence.
        """
        row = self._database.connection.execute(LAST).fetchone()
        if row is None:
            return 0.0
        boot_s = time.clock_gettime(time.CLOCK_BOOTTIME)
        passed = boot_s - row["boot_s"] if row["boot_id"] == boot_id() else now - row["at"]
        return float(passed) if passed > SILENT_AFTER_S else 0.0

    def scheduled_since(self) -> int | None:
        """Since when there is a job that would miss run-due, UTC seconds; None where there is none."""
        since: int | None = self._database.connection.execute(SCHEDULED).fetchone()[0]
        return since

    def record(self, now: float, *, note: str = "", silence_s: float = 0.0) -> int:
        """Leave a row for this tick, and let the oldest go; file an incident for the silence before it, if any.

        Returns the tick's id.
        """
        with self._database.write() as connection:
            boot_s = time.clock_gettime(time.CLOCK_BOOTTIME)
            tick = connection.execute(INSERT, (now, boot_s, boot_id(), 0, note)).lastrowid or 0
            connection.execute(PRUNE, (tick, KEPT))
            if silence_s:
                connection.execute(INCIDENT, (int(now - silence_s), int(now)))
            return tick

    def claimed(self, tick: int, slots: int) -> None:
        """How many slots a tick took."""
        with self._database.write() as connection:
            connection.execute(CLAIMED, (slots, tick))
