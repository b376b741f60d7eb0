"""The outbox: messages that are to be sent, each one row for each channel, and what became of them."""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from idms_cli.history.database import Database
from idms_cli.history.rows import moment
from idms_cli.history.unsent import UNSENT

ADD = """
INSERT INTO message (channel, kind, job, created_at, facts, subject, state, tries, doubts, next_at, reason)
VALUES (?, ?, ?, ?, ?, '', 'waiting', 0, 0, ?, '')"""
DUE = f"SELECT DISTINCT channel {UNSENT} ORDER BY channel"
NEXT = f"SELECT * {UNSENT} AND channel = :channel AND state = 'waiting' ORDER BY id LIMIT 1"
ONE = "SELECT * FROM message WHERE id = ?"
RECOVER = """
UPDATE message SET state = iif(kind = 'test' OR state = 'handed' AND doubts >= :most, 'failed', 'waiting'),
  doubts = doubts + (state = 'handed'),
  ended_at = iif(kind = 'test' OR state = 'handed' AND doubts >= :most, :now, NULL),
  reason = iif(state = 'handed', 'its sender died; it may have been sent', 'its sender died before it was sent')
WHERE channel = :channel AND state IN ('sending', 'handed')"""
BEGIN = "UPDATE message SET state = 'sending', tries = tries + 1, subject = ? WHERE id = ? AND state = 'waiting'"
HANDED = "UPDATE message SET state = 'handed' WHERE id = ? AND state = 'sending'"
PUT_OFF = "UPDATE message SET state = 'waiting', next_at = ?, reason = ?, doubts = doubts + ? WHERE id = ?"
PUT_OFF_ALL = "UPDATE message SET next_at = max(next_at, ?) WHERE channel = ? AND state = 'waiting'"
END = "UPDATE message SET state = ?, ended_at = ?, reason = ? WHERE id = ?"
SUPERSEDE = """
UPDATE message SET state = 'dropped', ended_at = ?, reason = 'a newer one took its place'
WHERE channel = ? AND job = ? AND state = 'waiting' AND kind IN (SELECT value FROM json_each(?))"""
OF_STEP = "SELECT 1 FROM message WHERE kind = 'step' AND job = ? AND facts ->> 'key' = ? LIMIT 1"
OPEN = "SELECT * FROM message WHERE state IN ('waiting', 'sending', 'handed') ORDER BY id DESC LIMIT ?"
GIVEN_UP = """
SELECT * FROM message WHERE ended_at >= ? AND state = 'failed' AND kind <> 'test' ORDER BY ended_at DESC LIMIT ?"""
NEWEST = "SELECT * FROM message ORDER BY id DESC LIMIT ?"
NOTE = """
INSERT OR IGNORE INTO upkeep (name, at) SELECT 'undelivered', ended_at FROM message
WHERE ended_at = ? AND channel = ? AND state = 'failed' AND kind <> 'test' LIMIT 1"""
NOTED = "SELECT at FROM upkeep WHERE name = 'undelivered'"
FORGET_NOTE = "DELETE FROM upkeep WHERE name = 'undelivered'"

MOST_DOUBTS = 1
"""So often a message is sent again that may have been sent; then it is left."""


@dataclass(frozen=True)
class Queued:
    """A message for one channel."""

    id: int
    channel: str
    kind: str
    job: str
    """Empty for what is about no single one."""
    created_at: datetime
    facts: Mapping[str, Any]
    subject: str
    state: str
    tries: int
    doubts: int
    next_at: datetime
    ended_at: datetime | None
    reason: str

    @classmethod
    def of(cls, row: sqlite3.Row) -> "Queued":
        fields: dict[str, Any] = dict(row)
        for name in ("created_at", "next_at", "ended_at"):
            fields[name] = moment(row[name])
        fields["facts"] = json.loads(row["facts"])
        return cls(**fields)


class Outbox:
    """The messages in the history. Moments are UTC seconds. What sends a channel's messages holds its lock."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, channels: Sequence[str], kind: str, job: str, facts: Mapping[str, Any], now: float) -> list[int]:
        """One for each channel; within `together()` it is there if and only if what it tells is."""
        text = json.dumps(dict(facts))
        with self._database.write() as connection:
            added = [connection.execute(ADD, (name, kind, job, now, text, now)).lastrowid for name in channels]
        return [each for each in added if each is not None]

    def has_step(self, job: str, key: str) -> bool:
        """Whether a step's message of this key was added, whatever became of it."""
        return self._database.connection.execute(OF_STEP, (job, key)).fetchone() is not None

    def supersede(self, channel: str, job: str, kinds: Sequence[str], now: float) -> None:
        """What waits there, of these kinds, is out of date."""
        with self._database.write() as connection:
            connection.execute(SUPERSEDE, (now, channel, job, json.dumps(list(kinds))))

    def due_channels(self, now: float) -> list[str]:
        """Those with something to send, or that was being sent: whether by somebody alive, the channel's lock tells."""
        return [row["channel"] for row in self._database.connection.execute(DUE, {"now": now})]

    def recover(self, channel: str, now: float) -> None:
        """Messages whose sender died wait again, unless they may have been sent too often, or were a try of it."""
        with self._database.write() as connection:
            connection.execute(RECOVER, {"channel": channel, "now": now, "most": MOST_DOUBTS})
            connection.execute(NOTE, (now, channel))

    def next(self, channel: str, now: float) -> Queued | None:
        """The oldest that may be sent; those about one job go in their order."""
        row = self._database.connection.execute(NEXT, {"channel": channel, "now": now}).fetchone()
        return None if row is None else Queued.of(row)

    def one(self, message: int) -> Queued | None:
        row = self._database.connection.execute(ONE, (message,)).fetchone()
        return None if row is None else Queued.of(row)

    def begin(self, message: int, subject: str) -> None:
        """It is on its way, and not sent for sure."""
        with self._database.write() as connection:
            connection.execute(BEGIN, (subject, message))

    def handed(self, message: int) -> None:
        """From now on it may have been sent."""
        with self._database.write() as connection:
            connection.execute(HANDED, (message,))

    def sent(self, message: int, now: float) -> None:
        with self._database.write() as connection:
            connection.execute(END, ("sent", now, "", message))

    def give_up(self, message: int, now: float, reason: str) -> None:
        """It is not tried again, and the next tick tells that."""
        with self._database.write() as connection:
            connection.execute(END, ("failed", now, reason, message))
            (channel,) = connection.execute("SELECT channel FROM message WHERE id = ?", (message,)).fetchone()
            connection.execute(NOTE, (now, channel))

    def put_off(self, message: int, until: float, reason: str, *, in_doubt: bool = False) -> None:
        """It is tried again after `until`; `in_doubt`: it may have been sent."""
        with self._database.write() as connection:
            connection.execute(PUT_OFF, (until, reason, in_doubt, message))

    def put_off_all(self, channel: str, until: float) -> None:
        """The channel does not work now: all that waits there waits as long."""
        with self._database.write() as connection:
            connection.execute(PUT_OFF_ALL, (until, channel))

    def newest(self, limit: int, *, only_open: bool = False) -> list[Queued]:
        """Newest first."""
        return [Queued.of(row) for row in self._database.connection.execute(OPEN if only_open else NEWEST, (limit,))]

    def given_up(self, since: float, *, limit: int = 1000) -> list[Queued]:
        """Those that could not be delivered, newest first; who tries a channel sees that at once, and is left out."""
        return [Queued.of(row) for row in self._database.connection.execute(GIVEN_UP, (since, limit))]

    def undelivered(self) -> list[Queued]:
        """Those that were given up since this was asked last, newest first: for one who tells it."""
        if self._database.connection.execute(NOTED).fetchone() is None:
            return []
        with self._database.write() as connection:
            row = connection.execute(NOTED).fetchone()
            connection.execute(FORGET_NOTE)
        return self.given_up(row["at"]) if row else []
