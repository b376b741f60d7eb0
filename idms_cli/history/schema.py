"""The tables of the history, and the steps that bring an older file up to date."""

import sqlite3
from collections.abc import Callable

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
  max_parallel INTEGER NOT NULL,
  calendar_files TEXT NOT NULL  -- the .ics files that it names, one a line; the fingerprint is of them as well
) STRICT;

CREATE TABLE calendar (         -- what each calendar of idms.yaml said when it was last read: JSON
  name TEXT PRIMARY KEY,
  text TEXT NOT NULL
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
  upstream TEXT NOT NULL,       -- the job that it comes after; '' for one with times of its own
  first_seen INTEGER NOT NULL,
  since INTEGER NOT NULL,       -- the schedule is what it is since then
  decided_until INTEGER NOT NULL, -- every slot up to here has its verdict; a job owes nothing from before
  next_due INTEGER,             -- NULL: never
  digest TEXT NOT NULL,         -- of what it does and where, see `trial`
  require_test INTEGER NOT NULL,
  problems TEXT NOT NULL        -- JSON list; not empty: the job does not run
) STRICT;

CREATE INDEX job_after ON job (upstream) WHERE upstream <> '';

CREATE TABLE trial (            -- definitions that have passed `idms test`
  job TEXT NOT NULL,
  digest TEXT NOT NULL,         -- of what the job does and where, see Job.digest
  run INTEGER NOT NULL REFERENCES run(id),
  at REAL NOT NULL,
  PRIMARY KEY (job, digest)
) STRICT, WITHOUT ROWID;
CREATE TABLE switch (           -- jobs that were disabled or enabled other than by their file
  job TEXT PRIMARY KEY,
  disabled TEXT NOT NULL,       -- why no slot of it runs; '' when it is enabled again
  by TEXT NOT NULL,             -- the person; '' for idms itself
  at REAL NOT NULL,
  after_run INTEGER NOT NULL,   -- failures up to this run no longer count
  definition TEXT NOT NULL,     -- of the run whose failure disabled it: another one enables it again
  told INTEGER NOT NULL         -- whether a tick has told it
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
  intent TEXT NOT NULL,         -- 'run', 'backfill', 'test'; or with `of_run`: 'retry', 'rest', 'undo', 'apply'
  of_run INTEGER REFERENCES run(id),
  row_limit INTEGER,
  connection TEXT NOT NULL,     -- instead of the job's own; '' for that
  options TEXT NOT NULL,        -- JSON: options in force that the job does not say: name -> value, and where it is from
  definition TEXT NOT NULL REFERENCES definition(hash),
  locks TEXT NOT NULL,          -- JSON: the data it reads and writes
  timeout_s REAL,
  start_by REAL,                -- a run that still waits for its connection then is skipped; NULL for a run by hand
  priority INTEGER NOT NULL,    -- higher ones start first
  pool TEXT NOT NULL,           -- '' for none
  wait_s REAL,                  -- how long it may wait for its start; NULL: for ever
  disable_after INTEGER,        -- failures in a row that disable the job; NULL: never
  late_s INTEGER NOT NULL,      -- so long after its moment the slot was taken; 0 on time
  status TEXT NOT NULL,
  reason TEXT NOT NULL,
  hint TEXT NOT NULL,
  created_at REAL NOT NULL,
  started_at REAL,
  ended_at REAL,
  attempt INTEGER NOT NULL,     -- 1, and one more each time it went on: after a death, or as a retry
  retried INTEGER NOT NULL,     -- how often it was put off after a failure that can pass
  not_before REAL,              -- pending, and put off until then
  stop_reason TEXT NOT NULL,    -- somebody asked for its end, and why; '' if nobody did
  stop_force INTEGER NOT NULL,
  exit_code INTEGER,
  decided_by TEXT,              -- who approved it, or refused to, when a guard held it
  decided_at REAL,
  source TEXT NOT NULL,         -- JSON: the files it reads, each as `Taken` says
  to_follow TEXT NOT NULL,      -- JSON: names of files that get a run each, one after the other, when this one ended
  batch INTEGER REFERENCES run(id), -- the first run, of those that read one file each of several
  counts TEXT NOT NULL          -- JSON: read, inserted, updated, unchanged, skipped, rejected, calls...
) STRICT;
CREATE INDEX run_by_job ON run (job, id);
CREATE INDEX run_by_batch ON run (batch, id) WHERE batch IS NOT NULL;
CREATE INDEX run_by_time ON run (coalesce(started_at, created_at));
CREATE INDEX run_open ON run (status) WHERE status IN ('pending', 'running', 'interrupted');

CREATE TABLE slot (             -- one row for each moment at which a job was due: the claim, and the verdict
  job TEXT NOT NULL,
  due INTEGER NOT NULL,
  until INTEGER,                -- the last one, where one row stands for a long stretch that nobody was there for
  verdict TEXT NOT NULL,        -- 'run' or 'skipped': as it was decided, before any work; never changed
  reason TEXT NOT NULL,         -- of a skipped one: a word (overlap, paused, missed...), a colon, details
  run INTEGER REFERENCES run(id),
  decided_at REAL NOT NULL,
  made_up_by INTEGER REFERENCES run(id), -- the run of a backfill that did the slot's work after all
  PRIMARY KEY (job, due)
) STRICT, WITHOUT ROWID;

CREATE TABLE pause (            -- a stretch in which somebody wants a job not to run
  id INTEGER PRIMARY KEY,
  job TEXT NOT NULL,
  since INTEGER NOT NULL,
  until INTEGER,                -- NULL: until somebody ends it
  why TEXT NOT NULL,
  who TEXT NOT NULL,
  ended_at INTEGER,             -- when somebody ended it, or made another of it
  ended_by TEXT
) STRICT;
CREATE INDEX pause_by_job ON pause (job, since);

CREATE TABLE incident (         -- a stretch in which nobody called run-due
  id INTEGER PRIMARY KEY,
  since INTEGER NOT NULL,       -- the last tick before it
  until INTEGER NOT NULL        -- the first tick after it, which decided what was due meanwhile
) STRICT;
"""

UPKEEP = """
CREATE TABLE upkeep (           -- when what was, or is to be, done about the history itself
  name TEXT PRIMARY KEY,        -- 'next': the next step of letting go; 'horizon': what is older may be gone
  at REAL NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX run_by_of ON run (of_run) WHERE of_run IS NOT NULL;
CREATE INDEX slot_by_run ON slot (run) WHERE run IS NOT NULL;
CREATE INDEX slot_by_maker ON slot (made_up_by) WHERE made_up_by IS NOT NULL;
CREATE INDEX trial_by_run ON trial (run);
CREATE INDEX run_by_round ON run (job, coalesce(batch, id)) WHERE NOT dry_run;
CREATE INDEX run_by_status ON run (status, id);
CREATE INDEX run_by_creation ON run (created_at);
CREATE INDEX slot_by_verdict ON slot (verdict, due);
"""

ALERTS = """
ALTER TABLE job ADD COLUMN notify TEXT NOT NULL DEFAULT '{}';
CREATE TABLE trouble (          -- a stretch in which a job was not well; at most one of a job is open
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  job TEXT NOT NULL,
  kind TEXT NOT NULL,           -- the worst so far: partial, failed, late, held, disabled
  since REAL NOT NULL,
  run INTEGER,                  -- the last that ended badly; NULL when none began
  times INTEGER NOT NULL,       -- how often it went badly
  facts TEXT NOT NULL,          -- JSON: what was told of it last
  remind_at REAL,               -- NULL: never
  closed_at REAL
) STRICT;
CREATE UNIQUE INDEX trouble_open ON trouble (job) WHERE closed_at IS NULL;
CREATE INDEX trouble_remind ON trouble (remind_at) WHERE closed_at IS NULL AND remind_at IS NOT NULL;
CREATE TABLE message (          -- what is to be sent, or was: one row for each channel
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  channel TEXT NOT NULL,
  kind TEXT NOT NULL,           -- opened, worse, reminder, closed, silent, digest, test, step; start, success, failure
  job TEXT NOT NULL,            -- '' for what is about no single one
  created_at REAL NOT NULL,
  facts TEXT NOT NULL,          -- JSON
  subject TEXT NOT NULL,        -- as it was sent last
  state TEXT NOT NULL,          -- waiting; sending; handed: from here on it may have been sent; sent, failed, dropped
  tries INTEGER NOT NULL,
  doubts INTEGER NOT NULL,      -- how often it may have been sent, and nobody knows
  next_at REAL NOT NULL,
  ended_at REAL,
  reason TEXT NOT NULL          -- why it waits, or was not sent
) STRICT;
CREATE INDEX message_open ON message (channel, id) WHERE state IN ('waiting', 'sending', 'handed');
CREATE INDEX message_by_end ON message (ended_at)
"""

SORTS = """
ALTER TABLE run ADD COLUMN module TEXT NOT NULL DEFAULT '';
ALTER TABLE run ADD COLUMN sites TEXT NOT NULL DEFAULT '';
UPDATE run SET module = coalesce((SELECT module FROM job WHERE name = run.job), ''),
  sites = coalesce(nullif(connection, ''), (SELECT group_concat(site) FROM (
    SELECT DISTINCT substr(value ->> 'resource', 6, instr(substr(value ->> 'resource', 6), '/') - 1) AS site
    FROM json_each(run.locks) WHERE value ->> 'resource' LIKE 'imis:%/%' ORDER BY 1)), '');
CREATE INDEX run_by_module ON run (module, id);
CREATE INDEX run_by_sites ON run (sites, id);
CREATE INDEX run_by_hand ON run (id) WHERE by_hand = 1
"""
# module: what kind of work; '' where nobody knows it any more. sites: the connections that it uses, with commas.

STEPS = """
ALTER TABLE run ADD COLUMN parameters TEXT NOT NULL DEFAULT '{}';
CREATE TABLE step (             -- of a run of a workflow: what became of each of its steps
  run INTEGER NOT NULL REFERENCES run(id),
  path TEXT NOT NULL,           -- its name, or its number; within another step: tell/left/2
  position INTEGER NOT NULL,    -- the order in which they stand in the job
  job TEXT NOT NULL,            -- the job that a `run` step did; '' for any other
  definition TEXT NOT NULL,     -- hash of that job's text
  kind TEXT NOT NULL,
  status TEXT NOT NULL,         -- running, succeeded, partial, failed, skipped, held, rehearsed, cancelled
  reason TEXT NOT NULL,
  hint TEXT NOT NULL,
  began_at REAL,
  ended_at REAL,
  attempts INTEGER NOT NULL,
  rows INTEGER,                 -- that it made; NULL for none
  counts TEXT NOT NULL,         -- JSON
  source TEXT NOT NULL,         -- JSON: the files that its job took
  PRIMARY KEY (run, path)
) STRICT, WITHOUT ROWID;
CREATE INDEX step_by_job ON step (job, run) WHERE job <> '';
CREATE VIEW v_steps AS
SELECT run, path AS step, kind, status, reason, attempts, rows,
  strftime('%Y-%m-%dT%H:%M:%SZ', began_at, 'unixepoch') AS began,
  strftime('%Y-%m-%dT%H:%M:%SZ', ended_at, 'unixepoch') AS ended,
  round(ended_at - began_at, 1) AS seconds, counts
FROM step;
"""

# For people with sqlite-utils or Datasette: these names and columns stay; tables may change with a version.
VIEWS = """
CREATE VIEW v_runs AS
SELECT id, job, status, reason, hint, intent, by_hand, dry_run, attempt,
  strftime('%Y-%m-%dT%H:%M:%SZ', due, 'unixepoch') AS due,
  strftime('%Y-%m-%dT%H:%M:%SZ', created_at, 'unixepoch') AS created,
  strftime('%Y-%m-%dT%H:%M:%SZ', started_at, 'unixepoch') AS started,
  strftime('%Y-%m-%dT%H:%M:%SZ', ended_at, 'unixepoch') AS ended,
  round(ended_at - started_at, 1) AS seconds,
  coalesce(counts ->> 'read', 0) AS "read", coalesce(counts ->> 'inserted', 0) AS inserted,
  coalesce(counts ->> 'updated', 0) AS updated, coalesce(counts ->> 'deleted', 0) AS deleted,
  coalesce(counts ->> 'unchanged', 0) AS unchanged, coalesce(counts ->> 'skipped', 0) AS skipped,
  coalesce(counts ->> 'rejected', 0) AS rejected, coalesce(counts ->> 'calls', 0) AS calls, counts
FROM run;
CREATE VIEW v_slots AS
SELECT job, strftime('%Y-%m-%dT%H:%M:%SZ', due, 'unixepoch') AS due,
  strftime('%Y-%m-%dT%H:%M:%SZ', until, 'unixepoch') AS until, verdict, reason, run, made_up_by
FROM slot;
CREATE VIEW v_jobs AS
SELECT name AS job, description, module, enabled, schedule, timezone,
  strftime('%Y-%m-%dT%H:%M:%SZ', next_due, 'unixepoch') AS next_due,
  (SELECT max(id) FROM run WHERE run.job = job.name AND NOT dry_run) AS last_run
FROM job;
"""


def first(connection: sqlite3.Connection) -> None:
    """Version 1: all tables."""
    _execute(connection, TABLES)


def second(connection: sqlite3.Connection) -> None:
    """Version 2: the history looks after itself; what reports ask is found by an index; views for people."""
    _execute(connection, UPKEEP + VIEWS)


def third(connection: sqlite3.Connection) -> None:
    """Version 3: incidents of jobs and the messages about them; the steps of workflows; what runs are found by."""
    runs = VIEWS.partition(";\n")[0].replace(" counts\nFROM run", " counts, module, sites\nFROM run")
    for statements in (ALERTS, STEPS, SORTS, f"DROP VIEW v_runs;\n{runs}"):
        _execute(connection, statements)


def _execute(connection: sqlite3.Connection, statements: str) -> None:
    for statement in statements.split(";\n"):
        if statement.strip():
            connection.execute(statement)


MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (first, second, third)


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
        for step in MIGRATIONS[database.version :]:
            step(connection)
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
