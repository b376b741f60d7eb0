"""Times, durations and counts in the words that all reports share."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from idms_cli.config.durations import format_duration
from idms_cli.history.rows import Run


class Clock:
    """Shows moments as a person in one time zone reads them, at one moment."""

    def __init__(self, zone: ZoneInfo, now: datetime) -> None:
        self.zone = zone
        self.now = now
        self._today = now.astimezone(zone).date()

    def moment(self, moment: datetime | None) -> str:
        """`today 02:15`, `tomorrow 06:00`, `Fri 27 Nov 06:00`, `2027-01-04 06:00`; `-` for None."""
        if moment is None:
            return "-"
        local = moment.astimezone(self.zone)
        days = (local.date() - self._today).days
        day = {-1: "yesterday", 0: "today", 1: "tomorrow"}.get(days)
        if day is None:
            day = f"{local:%a} {local.day} {local:%b}" if abs(days) < 180 else f"{local:%Y-%m-%d}"
        return f"{day} {local:%H:%M}"

    def exact(self, moment: datetime | None) -> str:
        """With seconds and offset, for a page about one thing."""
        return "-" if moment is None else f"{moment.astimezone(self.zone):%Y-%m-%d %H:%M:%S %Z}"


def duration(seconds: float | None) -> str:
    """`0.4 s`, `12 s`, `3m20s`; `-` for None."""
    if seconds is None:
        return "-"
    if seconds < 9.95:  # what rounds to 10.0 is 10
        return f"{seconds:.1f} s"
    if seconds < 59.5:
        return f"{seconds:.0f} s"
    return format_duration(timedelta(seconds=round(seconds)))


def late(run: Run) -> str:
    """`, 1h30m late` for a run whose slot was taken late."""
    return f", {in_minutes(run.late_s)} late" if run.late_s else ""


def in_minutes(seconds: float) -> str:
    """`3m`, `5h`, `1d2h30m`: for what is told from minute to minute."""
    return format_duration(timedelta(minutes=round(seconds / 60)))


def some(number: int, noun: str) -> str:
    """`1 login`, `2 logins`, `1,200 rows`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def result(run: Run) -> str:
    """What came of a run: its counts, after the reason where they do not tell everything."""
    numbers = counts(run.counts, dry_run=run.dry_run)
    is_told = run.status in ("completed", "partial") and "steps_succeeded" not in run.counts
    reason = "" if numbers and is_told else run.reason
    return "; ".join(filter(None, (what_for(run), reason, numbers)))


def what_for(run: Run) -> str:
    """`undo of run 3`: what a run does with another one; empty for a run of its own."""
    if run.of_run is None:
        return ""
    words = {"undo": "undo of run", "retry": "rejected rows of run", "rest": "rest of run", "apply": "plan of run"}
    return f"{words[run.intent]} {run.of_run}" if run.intent in words else ""


def counts(numbers: Mapping[str, int], *, dry_run: bool = False) -> str:
    """`300 read = 12 inserted + 280 unchanged + 8 rejected`: every row accounted for.

    Where rows act on all records that they find, `3 read + 4 further records = 7 updated`. Of a transfer
    `300 read = 12 selected + 288 unchanged; 2 of 3 steps delivered, 1 failed`.
    """
    if "steps_succeeded" in numbers:
        rows = {name: number for name, number in numbers.items() if not name.startswith("steps")}
        loaded = counts(rows, dry_run=dry_run) if rows.get("read") else ""
        return "; ".join(filter(None, (_steps_done(numbers), loaded)))
    if "read" not in numbers:
        return ""
    if "selected" in numbers:
        return "; ".join(filter(None, (_rows_sent(numbers), _steps(numbers))))
    names = ("inserted", "updated", "deleted", "unchanged", "skipped", "rejected", "left")
    parts = [f"{numbers[name]:,} {_word(name, dry_run=dry_run)}" for name in names if numbers.get(name)]
    further = numbers.get("further", 0)
    read = f"{numbers['read']:,} read" + (f" + {some(further, 'further record')}" if further else "")
    return read + (f" = {' + '.join(parts)}" if parts else "")


def _steps_done(numbers: Mapping[str, int]) -> str:
    """Of a workflow: `4 of 6 steps succeeded, 1 failed, 1 skipped`."""
    words = {"rehearsed": "tried", "partial": "partial", "failed": "failed", "skipped": "skipped", "held": "held"}
    done, total = numbers["steps_succeeded"], numbers.get("steps", 0)
    others = [f"{numbers[f'steps_{name}']:,} {word}" for name, word in words.items() if numbers.get(f"steps_{name}")]
    if left := numbers.get("steps_left", 0) - numbers.get("steps_held", 0):
        others.append(f"{left:,} not done")
    well = f"{some(total, 'step')} succeeded" if done == total else f"{done:,} of {some(total, 'step')} succeeded"
    return ", ".join([well, *others] if done or not others else [f"of {some(total, 'step')} {others[0]}", *others[1:]])


def _rows_sent(numbers: Mapping[str, int]) -> str:
    """What became of the rows of a transfer before its steps."""
    parts = [
        f"{numbers[name]:,} {name}" for name in ("selected", "unchanged", "older", "rejected") if numbers.get(name)
    ]
    vanished = f" + {numbers['vanished']:,} vanished" if numbers.get("vanished") else ""
    is_all = numbers["selected"] == numbers["read"] and not vanished
    return f"{numbers['read']:,} read{vanished}" + (f" = {' + '.join(parts)}" if parts and not is_all else "")


def _steps(numbers: Mapping[str, int]) -> str:
    total, delivered, skipped = (numbers.get(name, 0) for name in ("steps", "steps_delivered", "steps_skipped"))
    if total and skipped == total:
        return f"{some(total, 'step')} skipped"
    words = {"failed": "failed", "unknown": "unknown", "skipped": "skipped", "left": "not done"}
    others = [f"{numbers[f'steps_{name}']:,} {word}" for name, word in words.items() if numbers.get(f"steps_{name}")]
    if not delivered and not others:
        return ""
    well = f"{delivered:,} of {some(total, 'step')} delivered" if others else f"{some(total, 'step')} delivered"
    refused = [f"{numbers['refused']:,} refused"] if numbers.get("refused") else []
    return ", ".join([well if delivered else "no step delivered", *others, *refused])


def _word(name: str, *, dry_run: bool) -> str:
    return "to write" if name == "left" and dry_run else name


def as_written(value: object) -> str:
    """The value of an option as somebody writes it in a job or on the command line."""
    return str(value).lower() if isinstance(value, bool) else str(value)
