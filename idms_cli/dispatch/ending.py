"""The end of a run is recorded; too many failures in a row disable its job."""

from collections.abc import Mapping
from typing import Any

from idms_cli.dispatch.alarms import run_ended
from idms_cli.dispatch.telling import tell_ended
from idms_cli.history.rows import Run
from idms_cli.history.store import Store


def end_run(store: Store, run: Run, now: float, result: Mapping[str, Any]) -> bool:
    """Record the outcome, once; and disable the job when this was one failure too many that it caused itself.

    Who is to be told is told by what is written down in the same transaction.
    """
    with store.database.together():
        ended = store.runs.end(run.id, now, result)
        disabled = ""
        if ended and result["status"] == "failed" and run.disable_after:
            disabled = _disable_if_hopeless(store, run, run.disable_after, now)
        if ended:
            run_ended(store, run, now, result, disabled=disabled)
    if ended:
        tell_ended(run, now, result)
    return ended


def _disable_if_hopeless(store: Store, run: Run, limit: int, now: float) -> str:
    """Why it is disabled; empty when it is not."""
    switch = store.switches.one(run.job)
    if run.by_hand or run.dry_run or run.intent != "run" or (switch and switch.disabled):
        return ""
    failures = store.switches.failures_in_a_row(run.job)
    if failures < limit:
        return ""
    reason = f"disabled after {failures} failures in a row" if failures > 1 else "disabled after a failure"
    store.switches.disable(run.job, reason, now, definition=run.definition)
    return reason
