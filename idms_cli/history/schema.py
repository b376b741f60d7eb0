"""The tables of the history, and the steps that bring an older file up to date."""

from collections.abc import Callable

from sqlite_utils import Database as Tables

from idms_cli.errors import InputError
from idms_cli.history.database import SCHEMA_VERSION, Database

TABLES = """
CREATE TABLE tick (             -- each call of run-due
  id INTEGER PRIMARY KEY,
  at REAL NOT NULL,             -- UTC, seconds since 1970
  boot_s REAL NOT NULL,         -- CLOCK_BOOTTIME at that moment: tells a clock that jumped from time that passed
  boot_id TEXT NOT NULL,
  claimed INTEGER NOT NULL,     -- slots it took
  note TEXT NOT NULL
) STRICT;

CREATE TABLE config (           -- what idms.yaml said when it was last read: an idle tick reads this row instead
  path TEXT PRIMARY KEY,
  fingerprint TEXT NOT NULL,
  jobs TEXT NOT NULL,
  max_parallel INTEGER NOT NULL
) STRICT;

CREATE TABLE job (              -- what each job file said when it was last read
  name TEXT PRIMARY KEY,
  path TEXT NOT NULL,
  fingerprint TEXT NOT NULL,    -- of the file: an unchanged file is not read again
  description TEXT NOT NULL,
  module TEXT NOT NULL,
  enabled INTEGER NOT NULL,
  schedule TEXT NOT NULL,       -- '' for a job without one; a change of this text starts what is owed anew
  timezone TEXT NOT NULL,
  first_seen INTEGER NOT NULL,
  decided_until INTEGER NOT NULL, -- every slot up to here has its verdict; a job owes nothing from before
  next_due INTEGER,             -- NULL: never
  problems TEXT NOT NULL        -- JSON list; not empty: the job does not run
) STRICT;

CREATE TABLE definition (       -- the text of a job file, as a run used it
  hash TEXT PRIMARY KEY,
  path TEXT NOT NULL,
  text TEXT NOT NULL
) STRICT;

CREATE TABLE run (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  job TEXT NOT NULL,
  due INTEGER,                  -- the slot; NULL for a run by hand
  by_hand INTEGER NOT NULL,
  foreground INTEGER NOT NULL,  -- somebody waits for it: nobody else may start it
  dry_run INTEGER NOT NULL,
  intent TEXT NOT NULL,         -- 'run'; or what it does with the run `of_run`: 'retry', 'undo', 'apply'
  of_run INTEGER REFERENCES run(id),
  row_limit INTEGER,
  definition TEXT NOT NULL REFERENCES definition(hash),
  locks TEXT NOT NULL,          -- JSON: the data it reads and writes
  timeout_s REAL,
  status TEXT NOT NULL,
  reason TEXT NOT NULL,
  hint TEXT NOT NULL,
  created_at REAL NOT NULL,
  started_at REAL,
  ended_at REAL,
  attempt INTEGER NOT NULL,     -- 1, and one more each time it was resumed
  exit_code INTEGER,
  decided_by TEXT,              -- who approved it, or refused to, when a guard held it
  decided_at REAL,
  counts TEXT NOT NULL          -- JSON: read, inserted, updated, unchanged, skipped, rejected, calls...
) STRICT;
CREATE INDEX run_by_job ON run (job, id);
CREATE INDEX run_by_time ON run (coalesce(started_at, created_at));
CREATE INDEX run_open ON run (status) WHERE status IN ('pending', 'running', 'interrupted');

CREATE TABLE slot (             -- one row for each moment at which a job was due: the claim, and the verdict
  job TEXT NOT NULL,
  due INTEGER NOT NULL,
  until INTEGER,                -- the last one, where one row stands for a long stretch that nobody was there for
  verdict TEXT NOT NULL,        -- 'run' or 'skipped'
  reason TEXT NOT NULL,
  run INTEGER REFERENCES run(id),
  decided_at REAL NOT NULL,
  PRIMARY KEY (job, due)
) STRICT, WITHOUT ROWID;
"""


def first(tables: Tables) -> None:
    """Version 1: all tables."""
    for statement in TABLES.split(";\n"):
        if statement.strip():
            tables.execute(statement)


MIGRATIONS: tuple[Callable[[Tables], None], ...] = (first,)


def bring_up_to_date(database: Database) -> None:
    """Run the migrations that the file lacks, in one transaction.

    Raises `InputError` for a file that a newer idms has written.
    """
    if database.version > SCHEMA_VERSION:
        raise InputError(
            f"{database.path} was written by a newer idms (schema {database.version}, this one knows {SCHEMA_VERSION})",
            hint="Use the newer idms, or point `state:` in idms.yaml to another directory.",
        )
    if database.version == SCHEMA_VERSION:
        return
    with database.write() as connection:  # the version is read again in here: another process may have been first
        tables = Tables(connection)
        for step in MIGRATIONS[database.version :]:
            step(tables)
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
