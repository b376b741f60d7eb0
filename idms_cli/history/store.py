"""The store: everything that idms remembers of its jobs, behind one door."""

import os
import sqlite3
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from idms_cli.errors import IdmsError
from idms_cli.history.catalog import Catalog
from idms_cli.history.chains import Chains
from idms_cli.history.database import SCHEMA_VERSION, Database
from idms_cli.history.incidents import Incidents
from idms_cli.history.outbox import Outbox
from idms_cli.history.pauses import Pauses
from idms_cli.history.queue import Queue
from idms_cli.history.retention import Retention
from idms_cli.history.runs import Runs
from idms_cli.history.slots import Slots
from idms_cli.history.statistics import Statistics
from idms_cli.history.steps import Steps
from idms_cli.history.switches import Switches
from idms_cli.history.ticks import Ticks
from idms_cli.history.trials import Trials
from idms_cli.history.troubles import Troubles

HINT = "`state:` in idms.yaml must be a directory on a local disk that this account may write to."
NO_ROOM = "Make room there; nothing is lost, and the next call goes on."
DAMAGED = "Stop the ticks, and put a backup in its place (`idms db backup` makes one)."
LEAST_ROOM = 128 * 1024
"""Bytes that SQLite wants beside the file to open it at all."""


class Store:
    """`STATE/history.db`, opened and brought up to date. Use as a context, or `close()` it."""

    def __init__(self, state: Path) -> None:
        """Raises `IdmsError` when the file cannot be opened, `InputError` when a newer idms wrote it."""
        self.state = state
        try:
            self.database = _open(state)
        except (OSError, sqlite3.Error) as error:
            reason, hint = _reason(state, error)
            raise IdmsError(f"{state}: the history cannot be opened: {reason}", hint=hint) from error
        self.ticks = Ticks(self.database)
        self.catalog = Catalog(self.database)
        self.runs = Runs(self.database)
        self.slots = Slots(self.database, self.runs)
        self.pauses = Pauses(self.database)
        self.incidents = Incidents(self.database)
        self.trials = Trials(self.database)
        self.queue = Queue(self.database)
        self.switches = Switches(self.database)
        self.chains = Chains(self.database)
        self.statistics = Statistics(self.database)
        self.retention = Retention(self.database)
        self.troubles = Troubles(self.database)
        self.outbox = Outbox(self.database)
        self.steps = Steps(self.database)

    def run_directory(self, run_id: int) -> Path:
        """Where a run keeps its journal, log, rejects and outcome."""
        return self.run_directories / str(run_id)

    @property
    def run_directories(self) -> Path:
        return self.state / "runs"

    def kept_runs(self) -> list[int]:
        """The ids of the runs that still have their directory, in any order."""
        try:
            names = os.listdir(self.run_directories)  # noqa: PTH208 - names, not paths
        except FileNotFoundError:
            return []
        return [int(name) for name in names if name.isdecimal()]

    def close(self) -> None:
        self.database.close()

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self.close()


def _open(state: Path) -> Database:
    with ExitStack() as closing:
        database = Database(str(state))
        closing.callback(database.close)
        if database.version != SCHEMA_VERSION:
            from idms_cli.history.schema import bring_up_to_date  # noqa: PLC0415 - loads sqlite-utils, rarely needed

            bring_up_to_date(database)
        closing.pop_all()
        return database


def _reason(state: Path, error: OSError | sqlite3.Error) -> tuple[str, str]:
    """And what to do."""
    if state.exists() and not state.is_dir():
        return "this is not a directory", HINT
    said = (error.strerror if isinstance(error, OSError) else None) or str(error)
    if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_CORRUPT:
        return said, DAMAGED
    return (f"{said}: the disk is full", NO_ROOM) if _is_full(state) else (said, HINT)


def _is_full(state: Path) -> bool:
    """Whether there is hardly any room, for this account."""
    try:
        free = os.statvfs(state)
    except OSError:
        return False
    return free.f_bavail * free.f_frsize < LEAST_ROOM
