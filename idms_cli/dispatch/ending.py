"""The end of a run is recorded; too many failures in a row disable its job."""

from collections.abc import Mapping
from typing import Any

from idms_cli.history.rows import Run
from idms_cli.history.store import Store


def end_run(store: Store, run: Run, now: float, result: Mapping[str, Any]) -> bool:
    """Record the outcome, once; and disable the job when this was one failure too many that it caused itself."""
    with store.database.together():
        ended = store.runs.end(run.id, now, result)
        if ended and result["status"] == "failed" and run.disable_after:
            _disable_if_hopeless(store, run, run.disable_after, now)
    return ended


def _disable_if_hopeless(store: Store, run: Run, limit: int, now: float) -> None:
    switch = store.switches.one(run.job)
    if run.by_hand or run.dry_run or run.intent != "run" or (switch and switch.disabled):
        return
    failures = store.switches.failures_in_a_row(run.job)
    if failures >= limit:
        reason = f"disabled after {failures} failures in a row" if failures > 1 else "disabled after a failure"
        store.switches.disable(run.job, reason, now, definition=run.definition)
