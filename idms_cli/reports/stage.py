"""How far a run is, from the counts that its worker tells: what it does, how much of it is done, of how much."""

from collections.abc import Mapping
from typing import NamedTuple

from idms_cli.reports.wording import some


class Stage(NamedTuple):
    """What a run is at."""

    doing: str
    """`reading`, `planning`, `writing`, `step 2 of 3`."""
    done: int
    total: int | None
    """None where nobody knows the end: of reading and planning."""
    told: str
    """`1,200 of 5,000`."""

    def __str__(self) -> str:
        return f"{self.doing} {self.told}"


def stage_of(counts: Mapping[str, int]) -> Stage | None:
    """None before the worker has told anything. Reading has no end that is known; writing has."""
    if not counts:
        return None
    if "steps" in counts:
        return _step(counts)
    left = counts.get("left", 0)
    done = sum(counts.get(name, 0) for name in ("inserted", "updated", "deleted"))
    settled = done + sum(counts.get(name, 0) for name in ("unchanged", "skipped", "rejected"))
    if settled or left:
        return Stage("writing", done, done + left, f"{done:,} of {done + left:,}")
    if "fetched" in counts and not counts.get("read"):
        return Stage("reading", counts["fetched"], None, some(counts["fetched"], "row"))
    read = counts.get("read", 0)
    return Stage("planning", read, None, some(read, "row"))


def _step(counts: Mapping[str, int]) -> Stage:
    """Of a transfer: which step it is at, and how far that is."""
    total, step = counts["steps"], counts.get("step", 1)
    rows, items, records = (counts.get(name, 0) for name in ("selected", "step_items", "step_records"))
    told = f"{records:,} of {some(rows, 'row')}" if records else some(items, "item") if items else some(rows, "row")
    return Stage(f"step {step} of {total}", total - counts.get("steps_left", total), total, told)
