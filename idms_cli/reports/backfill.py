"""What a backfill will do, and what it did."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from idms_cli.dispatch.backfill import RAN_WELL, Lack
from idms_cli.history.rows import Run
from idms_cli.reports.page import Line, Page, Table
from idms_cli.reports.status import run_data
from idms_cli.reports.wording import Clock, some

WILL = {"run": "run", "resume": "go on", "": "-"}


def plan_page(job: str, found: Sequence[Lack], clock: Clock, *, undecided: datetime | None = None) -> Page:
    """Each slot with how it went so far, and what will be done; from `undecided` on run-due decides first."""
    rows = [(clock.moment(one.slot), WILL[one.action], one.so_far) for one in found]
    todo = sum(bool(one.action) for one in found)
    total = f"{some(todo, 'slot')} of {job} to run, oldest first." if todo else f"{job}: there is nothing to run."
    parts: list[Line | Table] = [Table(("slot", "now", "so far"), rows)] if rows else []
    if undecided:
        parts.append(Line(f"From {clock.moment(undecided)} on nothing is decided yet: the next run-due does that."))
    parts += [Line(total, "bold"), Line(f"Times are in {clock.zone}.", "dim")]
    return Page({"backfill": _data(job, found, {})}, parts)


def done_page(job: str, found: Sequence[Lack], ended: Mapping[datetime, Run], clock: Clock) -> Page:
    """How it went, and what was not tried."""
    todo = [one for one in found if one.action]
    good = sum(run.status in RAN_WELL for run in ended.values())
    lines = [Line(f"{good} of {some(len(todo), 'slot')} of {job} ran well.", "bold")]
    left = [one for one in todo if one.slot not in ended]
    if left:
        first = f"{left[0].slot.astimezone(clock.zone):%Y-%m-%d %H:%M}"
        lines.append(Line(f"{some(len(left), 'slot')} not tried, from {first} on. The same command goes on there."))
    return Page({"backfill": _data(job, found, ended)}, lines)


def _data(job: str, found: Sequence[Lack], ended: Mapping[datetime, Run]) -> dict[str, Any]:
    return {
        "job": job,
        "slots": [
            {
                "slot": one.slot.isoformat(),
                "so_far": one.so_far,
                "action": one.action,
                "run": run_data(ended[one.slot]) if one.slot in ended else None,
            }
            for one in found
        ],
    }
