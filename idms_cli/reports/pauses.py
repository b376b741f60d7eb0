"""A pause that begins, and one that ends."""

from collections.abc import Sequence
from datetime import datetime

from idms_cli.dispatch.owed import Settled
from idms_cli.history.rows import Pause, Run, Slot
from idms_cli.reports.page import Line, Page
from idms_cli.reports.status import pause_data, settled_line
from idms_cli.reports.wording import Clock, some


def paused_page(pause: Pause, settled: Settled | None, going_on: Run | None, clock: Clock) -> Page:
    """What a pause means for the job."""
    until = f"until {clock.moment(pause.until)}" if pause.until else f"until somebody calls `idms resume {pause.job}`"
    lines = [Line(f"{pause.job} is paused {until}. Its slots are told as skipped.", "bold")]
    if settled:
        lines.append(settled_line(settled))
    if going_on:
        lines.append(Line(f"Run {going_on.id}, which is {going_on.status}, goes on."))
    return Page({"pause": pause_data(pause)}, lines)


def resumed_page(pause: Pause, skipped: Sequence[Slot], upcoming: datetime | None, clock: Clock) -> Page:
    """What was skipped during a pause that has ended, and what comes next."""
    next_run = f" Next run: {clock.moment(upcoming)}." if upcoming else ""
    lines = [Line(f"{pause.job} is no longer paused.{next_run}", "bold")]
    if skipped:
        first, last = (f"{slot.due.astimezone(clock.zone):%Y-%m-%d %H:%M}" for slot in (skipped[0], skipped[-1]))
        were = "was" if len(skipped) == 1 else "were"
        lines.append(Line(f"{some(len(skipped), 'slot')} {were} skipped meanwhile. To run what was left out:"))
        lines.append(Line(f"    idms backfill {pause.job} --from '{first}' --to '{last}'"))
    due = [slot.due.isoformat() for slot in skipped]
    data = {"pause": pause_data(pause), "skipped": due, "next_due": upcoming.isoformat() if upcoming else None}
    return Page(data, lines)
