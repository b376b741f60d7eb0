"""What happens to runs, told to systemd's journal with fields to search by."""

from collections.abc import Mapping
from typing import Any

from idms_cli.config.journald import ERROR, INFO, WARNING, tell_journal
from idms_cli.history.rows import Run

BEGAN = "6a2f2f5a4d6c4a0b9b1f3c0e5d7a8c11"
ENDED = "0d9e4b7c52f84c1f8a3e6b95c2d7f422"
"""MESSAGE_IDs (systemd.journal-fields(7)): they stay."""

PRIORITIES = {"completed": INFO, "skipped": INFO, "failed": ERROR}
COUNTS = ("read", "inserted", "updated", "deleted", "unchanged", "skipped", "rejected", "selected", "calls")


def tell_began(run: Run) -> None:
    """A run began, or goes on."""
    again = f", attempt {run.attempt}" if run.attempt > 1 else ""
    tell_journal(
        f"run {run.id} of {run.job} began{again}", {"MESSAGE_ID": BEGAN, **about(run), "IDMS_STATUS": "running"}
    )


def tell_ended(run: Run, now: float, result: Mapping[str, Any]) -> None:
    """A run is over, is held, or lost its process: `result` says how, as in the history."""
    status, reason, counts = result["status"], result.get("reason", ""), result.get("counts", {})
    fields = {
        "MESSAGE_ID": ENDED,
        **about(run),
        "IDMS_STATUS": status,
        "IDMS_REASON": reason,
        "IDMS_HINT": result.get("hint"),
        "IDMS_EXIT_CODE": result.get("exit_code"),
        "IDMS_DURATION_S": f"{now - run.started_at.timestamp():.1f}" if run.started_at else None,
        **{f"IDMS_{name.upper()}": counts[name] for name in COUNTS if name in counts},
    }
    message = f"run {run.id} of {run.job}: {status}" + (f"; {reason}" if reason else "")
    tell_journal(message, fields, priority=PRIORITIES.get(status, WARNING))


def about(run: Run) -> dict[str, object]:
    """The fields that say which run it is."""
    return {
        "IDMS_JOB": run.job,
        "IDMS_RUN": run.id,
        "IDMS_MODULE": run.module,
        "IDMS_CONNECTION": run.sites,
        "IDMS_DUE": run.due.isoformat() if run.due else None,
    }
