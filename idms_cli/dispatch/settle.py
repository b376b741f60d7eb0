"""Runs whose process died are found by their free lock, at once and by whoever looks."""

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from idms_cli.delivery.journal import read_steps
from idms_cli.dispatch.locks import run_lock, take
from idms_cli.errors import IdmsError
from idms_cli.history.rows import Run
from idms_cli.history.store import Store
from idms_cli.modules.tally import read_tally
from idms_cli.records import journal

ATTEMPTS = 3
"""A run whose process died this often is not resumed again."""

PROGRESS = "progress.json"


def settle(store: Store, now: float) -> list[Run]:
    """Correct what the history says of runs whose process is gone; returns those just found `interrupted`."""
    return [lost for run in store.queue.in_hands() for lost in _settle_one(store, run, now)]


def read_progress(directory: Path) -> Mapping[str, int]:
    """The counts that the run's worker told last; empty when there are none."""
    try:
        counts: Mapping[str, int] = json.loads((directory / PROGRESS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return counts


def last_counts(directory: Path) -> Mapping[str, int]:
    """What became of the records of a run that told no outcome: from its journal, else what the worker told last."""
    return {**read_progress(directory), **(journal_counts(directory) or {})}


def journal_counts(directory: Path) -> Mapping[str, int] | None:
    """What a run's journal knows of its records, or of its steps; None when it cannot be read.

    Empty without a whole plan, and before anything can have been delivered.
    """
    if not (directory / journal.FILE_NAME).exists():
        return _step_counts(directory)
    try:
        with closing(journal.Journal(directory)) as records:
            return records.counts().as_dict() if records.is_planned else {}
    except (IdmsError, OSError, sqlite3.Error):  # the disk may be what the run died of
        return None


def _step_counts(directory: Path) -> Mapping[str, int] | None:
    try:
        steps = read_steps(directory)
        if steps is None:
            return read_tally(directory)
    except (OSError, ValueError):
        return None
    return steps.counts() if steps.is_begun else {}


def _settle_one(store: Store, run: Run, now: float) -> list[Run]:
    directory = store.run_directory(run.id)
    lock = take(run_lock(directory))
    if lock is None:
        return []  # alive
    try:
        if run.foreground and store.runs.let_go(run.id):
            return []
        if run.status == "pending" or run.dry_run:
            store.runs.end(run.id, now, {"status": "cancelled", "reason": "the command that asked for it is gone"})
            return []
        interrupted = store.runs.interrupt(run.id, "its process died", last_counts(directory))
        fresh = store.runs.one(run.id)
        return [fresh] if interrupted and fresh else []
    finally:
        lock.release()
