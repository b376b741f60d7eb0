"""The tick that has nothing to do, answered without loading anything.

cron calls `idms run-due` 1,440 times a day, and nearly always nothing is due. This module looks at the files' stats and
at SQLite, and says whether a full tick is needed. It must not import anything that is not needed for that: no YAML,
no click, no pathlib, no dataclasses.
"""

import os
import sqlite3
import time

from idms_cli import __version__
from idms_cli.history.database import FILE_NAME, SCHEMA_VERSION, Database
from idms_cli.history.ticks import Ticks
from idms_cli.history.unanswered import READY
from idms_cli.history.unsent import READY as UNSENT
from idms_cli.jobs.folder import list_marks, settings_mark

DEFAULT_STATE = ".idms"

CONFIG = "SELECT fingerprint, jobs, calendar_files FROM config WHERE path = ?"
OPEN = """
SELECT 1 FROM run
WHERE status IN ('pending', 'running', 'interrupted') AND (not_before IS NULL OR not_before <= ?) LIMIT 1"""
UNTOLD = "SELECT 1 FROM switch WHERE NOT told LIMIT 1"
UPKEEP = "SELECT 1 FROM upkeep WHERE name IN ('next', 'digest', 'report', 'undelivered') AND at <= ?"
REMIND = "SELECT 1 FROM trouble WHERE closed_at IS NULL AND remind_at <= ? LIMIT 1"
JOBS = "SELECT name, fingerprint FROM job"
DUE = "SELECT 1 FROM job WHERE next_due <= ? OR decided_until > ? + 60 LIMIT 1"


def had_nothing_to_do(config: str) -> bool:
    """Whether a tick now has nothing to do; if so, it is recorded and that was it.

    False means: do a full tick. So does every doubt (a missing file, an older schema, a jumped clock).
    """
    try:
        config = os.path.abspath(config)
        if not os.path.isfile(config):  # reading a pipe would wait for somebody to write
            return False
        state = _guess_state(config)
        if not os.path.exists(f"{state}/{FILE_NAME}") or os.path.exists(f"{state}/connections/untold"):
            return False
        database = Database(state)
        try:
            return _is_idle(database, config)
        finally:
            database.close()
    except (OSError, sqlite3.Error, UnicodeDecodeError):
        return False


def _guess_state(config: str) -> str:
    """Where `state:` in idms.yaml seems to point. A wrong guess does no harm.

    What the guess leads to counts only if it holds the fingerprint of this very file, and only a full reading of the
    file, which found this state directory, can have written it there.
    """
    state = DEFAULT_STATE
    with open(config, encoding="utf-8") as file:
        for line in file:
            if line.startswith("state:"):
                state = line[6:].partition(" #")[0].strip()
    return os.path.join(os.path.dirname(config), state)


def _is_idle(database: Database, config: str) -> bool:
    if database.version != SCHEMA_VERSION:
        return False
    connection = database.connection
    now = time.time()
    row = connection.execute(CONFIG, (config,)).fetchone()
    if row is None or row["fingerprint"] != _mark(config, row["calendar_files"], now):
        return False
    work = (
        (OPEN, (now,)),
        (DUE, (now, now)),
        (UNTOLD, ()),
        (READY, ()),
        (UPKEEP, (now,)),
        (UNSENT, {"now": now}),
        (REMIND, (now,)),
    )
    if any(connection.execute(*each).fetchone() for each in work):
        return False
    jobs = connection.cursor()
    jobs.row_factory = None  # plain tuples: there may be thousands
    if list_marks(row["jobs"], row["fingerprint"]) != dict(jobs.execute(JOBS)):
        return False
    ticks = Ticks(database)
    if ticks.clock_jump_s(now) or ticks.silence_s(now):
        return False
    ticks.record(now)
    return True


def _mark(config: str, calendar_files: str, now: float) -> str:
    return settings_mark(config, __version__, calendar_files.split("\n"), time.gmtime(now).tm_year)
