"""Ticks: each call of run-due leaves a row, so that silence can be told from having nothing to do.

Kept light: an idle tick loads this.
"""

import time

from idms_cli.history.database import Database

KEPT = 20_160
"""Ticks that are kept: two weeks of minutes."""

JUMP_S = 600
"""A wall clock that moved by more than this against the time since boot has jumped."""

INSERT = "INSERT INTO tick (at, boot_s, boot_id, claimed, note) VALUES (?, ?, ?, ?, ?)"
PRUNE = "DELETE FROM tick WHERE id <= ? - ?"
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

    def record(self, now: float, *, claimed: int = 0, note: str = "") -> None:
        """Leave a row for this tick, and let the oldest go."""
        with self._database.write() as connection:
            boot_s = time.clock_gettime(time.CLOCK_BOOTTIME)
            cursor = connection.execute(INSERT, (now, boot_s, boot_id(), claimed, note))
            connection.execute(PRUNE, (cursor.lastrowid, KEPT))
