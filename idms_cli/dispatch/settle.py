"""Runs whose process died are found by their free lock, at once and by whoever looks."""

import json
from collections.abc import Mapping
from pathlib import Path

from idms_cli.dispatch.locks import run_lock, take
from idms_cli.history.rows import Run
from idms_cli.history.store import Store

ATTEMPTS = 3
"""A run whose process died this often is not resumed again."""

PROGRESS = "progress.json"


def settle(store: Store, now: float) -> list[Run]:
    """Correct what the history says of runs whose process is gone; returns those just found `interrupted`."""
    found = []
    for run in store.runs.open():
        if run.status == "interrupted":
            _give_up_if_hopeless(store, run, now)
        elif run.status == "running" or run.foreground:  # somebody must hold its lock
            found += _settle_one(store, run, now)
    return found


def read_progress(directory: Path) -> Mapping[str, int]:
    """The counts that the run's worker told last; empty when there are none."""
    try:
        counts: Mapping[str, int] = json.loads((directory / PROGRESS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return counts


def _settle_one(store: Store, run: Run, now: float) -> list[Run]:
    directory = store.run_directory(run.id)
    lock = take(run_lock(directory))
    if lock is None:
        return []  # alive
    try:
        if run.status == "pending" or run.dry_run:
            store.runs.end(run.id, now, {"status": "cancelled", "reason": "the command that asked for it is gone"})
            return []
        counts = read_progress(directory)
        interrupted = store.runs.interrupt(run.id, "its process died", counts)
        fresh = store.runs.one(run.id)
        return [fresh] if interrupted and fresh else []
    finally:
        lock.release()


def _give_up_if_hopeless(store: Store, run: Run, now: float) -> None:
    if run.attempt < ATTEMPTS:
        return
    store.runs.end(
        run.id,
        now,
        {
            "status": "failed",
            "reason": f"its process died {run.attempt} times",
            "hint": f"`idms show {run.id}` has its log. Memory, disk and the kernel's log may say why.",
            "exit_code": 1,
            "counts": run.counts,
        },
    )
