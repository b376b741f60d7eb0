"""What a job remembers of what it has delivered."""

from collections.abc import Sequence

from idms_cli.history.rows import moment
from idms_cli.reports.page import Line, Page
from idms_cli.reports.wording import Clock, some
from idms_cli.rows.memory import Memory, Remembered
from idms_cli.rows.since import WATERMARK


def memory_page(job: str, memory: Memory, clock: Clock) -> Page:
    """The memory as a whole."""
    count, run, watermark = memory.count, memory.about("run"), memory.about(WATERMARK)
    delivered = memory.about("delivered")
    at = moment(delivered) if isinstance(delivered, int) else None
    lines = [Line(f"{job} remembers {some(count, 'row')}.", "bold")]
    if run is not None:
        lines.append(Line(f"Run {run} brought it up to date, {clock.moment(at)}."))
    if watermark is not None:
        lines.append(Line(f"The watermark is {watermark}."))
    data = {
        "job": job,
        "rows": count,
        "run": run,
        "delivered": at.isoformat() if at else None,
        "watermark": watermark,
    }
    return Page({"delta": data}, lines)


def key_page(job: str, key: str, found: Remembered | None, clock: Clock) -> Page:
    """One row of the memory, or that there is none."""
    if found is None:
        told = f"{job} remembers no row {key}: the next run delivers it, if it is there."
        return Page({"delta": {"job": job, "key": key, "remembered": False}}, [Line(told)])
    at = moment(found.delivered)
    told = f"{job} delivered {key} as it is remembered in run {found.run}, {clock.moment(at)}."
    data = {"job": job, "key": key, "remembered": True, "run": found.run, "delivered": at.isoformat() if at else None}
    return Page({"delta": data}, [Line(told)])


def dropped_page(job: str, known: int, missing: Sequence[str]) -> Page:
    """What was forgotten."""
    lines = [Line(f"{some(known, 'row')} of {job} forgotten: the next run delivers what is there of them again.")]
    if missing:
        lines.append(Line(f"Not remembered anyway: {', '.join(missing)}."))
    return Page({"delta": {"job": job, "dropped": known, "not_remembered": list(missing)}}, lines)


def reset_page(job: str, known: int) -> Page:
    """That all was forgotten."""
    told = f"{job} has forgotten {some(known, 'row')}: the next run delivers all rows."
    return Page({"delta": {"job": job, "dropped": known}}, [Line(told)])
