"""The SQLite file of the history, opened durable and private; every write is one short BEGIN IMMEDIATE.

Kept light on purpose: an idle tick loads this and nothing heavier (no dataclasses, no typing, no pathlib).
"""

import fcntl
import os
import sqlite3

FILE_NAME = "history.db"
SCHEMA_VERSION = 3


class Database:
    """One connection to `STATE/history.db`.

    WAL with synchronous=FULL, both set and read back: with NORMAL a power cut takes acknowledged commits with it.
    Writers queue on an flock of their own, which is fair where SQLite's busy handler is not, and keeps commits and
    checkpoints out of each other's way (https://sqlite.org/wal.html#walresetbug).
    """

    def __init__(self, state: str) -> None:
        self.path = os.path.join(state, FILE_NAME)
        self.is_together = False
        make_private(state, self.path)
        self._queue = os.open(f"{state}/history.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            self.connection = sqlite3.connect(self.path, timeout=30, isolation_level=None)
        except BaseException:
            os.close(self._queue)
            raise
        try:
            self._set_up()
        except BaseException:
            self.close()
            raise

    def _set_up(self) -> None:
        self.connection.row_factory = sqlite3.Row
        if self._journal_mode() != "wal":
            self._change_to_wal()
        self.connection.execute("PRAGMA synchronous=FULL")
        self.connection.execute("PRAGMA foreign_keys=ON")

    def _journal_mode(self, change: str = "") -> str:
        return str(self.connection.execute(f"PRAGMA journal_mode{change}").fetchone()[0])

    def _change_to_wal(self) -> None:
        """One process at a time: SQLite does not let the others wait, but tells them that the database is locked."""
        fcntl.flock(self._queue, fcntl.LOCK_EX)
        try:
            mode = self._journal_mode("=WAL")
        finally:
            fcntl.flock(self._queue, fcntl.LOCK_UN)
        if mode != "wal":
            raise sqlite3.OperationalError("this file system does not support SQLite's WAL mode")

    @property
    def version(self) -> int:
        """The schema's version in the file; 0 for a new one."""
        return int(self.connection.execute("PRAGMA user_version").fetchone()[0])

    def write(self) -> "Transaction | Joined":
        """A context: one BEGIN IMMEDIATE transaction, committed at its end, rolled back on any exception.

        Within `together()` it is a part of that transaction.
        """
        return Joined(self.connection) if self.is_together else Transaction(self.connection, self._queue)

    def together(self) -> "Together":
        """A context: every `write()` in it is one transaction, of which all is kept, or, on any exception, nothing."""
        return Together(self, Transaction(self.connection, self._queue))

    def close(self) -> None:
        self.connection.close()
        os.close(self._queue)


class Joined:
    """A write inside a transaction that is open already: see `Database.together`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __enter__(self) -> sqlite3.Connection:
        return self._connection

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        pass


class Together:
    """See `Database.together`."""

    def __init__(self, database: Database, transaction: "Transaction") -> None:
        self._database = database
        self._transaction = transaction

    def __enter__(self) -> None:
        self._transaction.__enter__()
        self._database.is_together = True

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self._database.is_together = False
        self._transaction.__exit__(kind, error, trace)


class Transaction:
    """See `Database.write`. Nested use is an error, as it should be: a transaction is short."""

    def __init__(self, connection: sqlite3.Connection, queue: int) -> None:
        self._connection = connection
        self._queue = queue

    def __enter__(self) -> sqlite3.Connection:
        fcntl.flock(self._queue, fcntl.LOCK_EX)
        try:
            self._connection.execute("BEGIN IMMEDIATE")
        except BaseException:
            fcntl.flock(self._queue, fcntl.LOCK_UN)
            raise
        return self._connection

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        try:
            if kind is None:
                self._connection.execute("COMMIT")
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            fcntl.flock(self._queue, fcntl.LOCK_UN)


def make_private(state: str, path: str) -> None:
    """Make the state directory 0700 and the database file 0600 before SQLite can make them otherwise."""
    if os.path.exists(path):
        return
    os.makedirs(state, mode=0o700, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
