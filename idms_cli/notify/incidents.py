"""What an event of a job means for those who are told: it broke, it got worse, it is well again. No clock, no I/O."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from idms_cli.config.fields import Share
from idms_cli.history.rows import Run
from idms_cli.history.troubles import Trouble

RANKS = {"partial": 1, "failed": 1, "late": 1, "held": 2, "disabled": 3}
"""What wants a person more than before is told though the trouble is known."""

PROVES = ("run", "retry", "rest", "apply")
"""Intents of runs whose success says that the job is well; a backfill says only that it was once."""

CLOSED_BY_NOTHING_NEW = ("late", "failed")
"""Troubles that are over when a run found nothing to do; a file that was half taken is not mended by that."""


@dataclass(frozen=True)
class Policy:
    """Whom a job tells of what."""

    channels: tuple[str, ...] = ()
    """Those that hear of incidents."""
    pings: tuple[str, ...] = ()
    """Those that hear of every run."""
    on: tuple[str, ...] = ()
    by_hand: bool = False
    rejects: Share | None = None
    remind_s: float = 0.0
    details: bool = False

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> "Policy":
        """As `stored_notify` made it; of an empty one, nobody is told anything."""
        if not stored:
            return cls()
        return cls(
            tuple(stored["channels"]),
            tuple(stored["pings"]),
            tuple(stored["on"]),
            stored["by_hand"],
            Share(*stored["rejects"]) if stored["rejects"] else None,
            stored["remind_s"],
            stored["details"],
        )

    def remind_at(self, now: float) -> float | None:
        return now + self.remind_s if self.remind_s else None


def kind_of(status: str, counts: Mapping[str, int], policy: Policy) -> str:
    """What is bad about a run that ended so: failed, partial, held; empty when nothing is."""
    if status == "partial" and policy.rejects and not _is_partial_otherwise(counts):
        rejected = counts.get("rejected", 0)
        return "partial" if policy.rejects.exceeded(rejected, counts.get("read", 0)) else ""
    return status if status in ("failed", "partial", "held") else ""


def _is_partial_otherwise(counts: Mapping[str, int]) -> bool:
    """Steps of a transfer went wrong, or nothing was rejected: then no number of rejects allows it."""
    return not counts.get("rejected") or bool(counts.get("steps_failed") or counts.get("steps_unknown"))


def is_heard(run: Run, policy: Policy) -> bool:
    """Whether a bad end of this run is anybody's business."""
    return not run.dry_run and run.intent != "test" and (policy.by_hand or not run.by_hand)


def is_well(run: Run, status: str, trouble: Trouble) -> bool:
    """Whether a run that ended and was not bad shows that its job is well again."""
    if run.dry_run or run.intent not in PROVES or (trouble.run is not None and run.id < trouble.run):
        return False
    if status == "skipped":
        return run.started_at is not None and trouble.kind in CLOSED_BY_NOTHING_NEW
    return status in ("completed", "partial")


def is_worse(kind: str, trouble: Trouble | None) -> bool:
    """Whether a known trouble wants a person more than before; None where what it wanted was done."""
    return RANKS[kind] > (RANKS[trouble.kind] if trouble else 1) and RANKS[kind] > 1


def worst(kind: str, trouble: Trouble) -> str:
    return kind if RANKS[kind] >= RANKS[trouble.kind] else trouble.kind
