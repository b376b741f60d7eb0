"""What will run, and when: as a table, as JSON and as an iCalendar file."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from idms_cli.config.durations import format_duration
from idms_cli.dispatch.coming import Asked, Coming
from idms_cli.errors import InputError
from idms_cli.jobs.conflicts import Conflict
from idms_cli.jobs.meetings import Forecast
from idms_cli.jobs.wallclock import clock_changes, comes_twice
from idms_cli.reports.meetings import conflict_mark, meeting_lines, meetings_data
from idms_cli.reports.page import Line, Page, Table
from idms_cli.reports.wording import Clock, some


@dataclass(frozen=True)
class Foretold:
    """Who will meet on the same data."""

    conflicts: Mapping[tuple[str, datetime], Conflict] = field(default_factory=dict)
    """Of the starts (job, moment) that are shown."""
    meetings: Forecast = field(default_factory=Forecast)
    """Of the days to come, whatever is shown."""
    guessed: Collection[str] = ()
    """The jobs that never ran, so that nobody knows how long they take."""

    def mark(self, one: Coming) -> str:
        """Whom a slot will meet; empty for one that meets nobody, or does not run."""
        conflict = None if one.skip else self.conflicts.get((one.job, one.occurrence.acts_at))
        return conflict_mark(conflict) if conflict else ""


@dataclass(frozen=True)
class Change:
    """A clock that is put forward or back."""

    moment: datetime
    zone: ZoneInfo
    moved: timedelta

    @property
    def order(self) -> tuple[datetime, str]:
        return self.moment, ""

    @property
    def note(self) -> str:
        """`clocks go back by 1h: 01:00 to 02:00 comes twice`."""
        old = (self.moment - timedelta(seconds=1)).astimezone(self.zone) + timedelta(seconds=1)
        new = self.moment.astimezone(self.zone)
        if self.moved > timedelta(0):
            return f"clocks go forward by {format_duration(self.moved)}: {old:%H:%M} to {new:%H:%M} is left out"
        return f"clocks go back by {format_duration(-self.moved)}: {new:%H:%M} to {old:%H:%M} comes twice"


@dataclass(frozen=True)
class Listed:
    """What is shown of the future."""

    slots: Sequence[Coming]
    cut_off: Mapping[str, datetime]
    """Jobs of which only the first slots are shown, and when the last of those is."""
    more: bool
    """Others come within the time that was asked for."""
    instead: str = ""
    """Said of a single job that has no times of its own, where there are no slots to show."""


def listed(found: Iterable[Coming], asked: Asked) -> Listed:
    """As many as were asked for, so that a job that runs every minute leaves room for the others."""
    seen: Counter[str] = Counter()
    last: dict[str, datetime] = {}
    cut_off: dict[str, datetime] = {}
    slots: list[Coming] = []
    for one in found:
        if len(slots) == asked.limit:
            return Listed(slots, cut_off, more=True)
        if seen[one.job] >= asked.per_job:
            cut_off.setdefault(one.job, last[one.job])
            continue
        seen[one.job] += 1
        last[one.job] = one.occurrence.acts_at
        slots.append(one)
    return Listed(slots, cut_off, more=False)


def next_page(shown: Listed, asked: Asked, clock: Clock, idle: Mapping[str, str], foretold: Foretold) -> Page:
    """The slots, with clock changes, holidays, pauses and conflicts; `idle` are the jobs that have none, and why."""
    end = shown.slots[-1].occurrence.acts_at if shown.more else asked.until
    zones = {str(zone): zone for zone in (clock.zone, *(one.zone for one in shown.slots))}
    changes = [
        Change(moment, zone, moved)
        for zone in zones.values()
        for moment, moved in clock_changes(zone, asked.after, end)
    ]
    ordered: list[Coming | Change] = sorted([*changes, *shown.slots], key=_order)
    rows = [_row(one, clock, foretold) for one in ordered]
    parts: list[Line | Table] = [Table(("when", "job", "note"), rows)] if rows else []
    if not shown.slots:
        nothing = f"Nothing is to come until {clock.moment(asked.until + timedelta(seconds=1))}."
        parts.append(Line(shown.instead or nothing))
    parts += [Line(f"{job} goes on after {clock.moment(at)}: idms next {job}") for job, at in shown.cut_off.items()]
    if shown.more:
        parts.append(Line(f"There is more after these {some(len(shown.slots), 'slot')}: --limit N"))
    parts += [Line(f"{job}: {why}.") for job, why in idle.items() if not shown.instead]
    parts += meeting_lines(foretold.meetings, clock, guessed=foretold.guessed)
    parts.append(Line(f"Times are in {clock.zone}.", "dim"))
    data = {
        "next": [_data(one, foretold) for one in shown.slots],
        "clock_changes": [_change_data(one) for one in changes],
        "cut_off": {job: at.isoformat() for job, at in shown.cut_off.items()},
        "more": shown.more,
        "idle": dict(idle),
        **meetings_data(foretold.meetings),
    }
    return Page(data, parts)


def calendar(shown: Listed, now: datetime, foretold: Foretold) -> bytes:
    """The slots that will run as an iCalendar file (RFC 5545). Raises `InputError` where the library is missing."""
    try:
        from icalendar import Calendar, Event  # noqa: PLC0415 - heavy, and an extra
    except ImportError:
        hint = "pip install 'idms-cli[calendars]'"
        raise InputError("an iCalendar file needs the library icalendar", hint=hint) from None
    made = Calendar()
    made.add("prodid", "-//idms//next//EN")
    made.add("version", "2.0")
    for one in shown.slots:
        if one.skip:
            continue
        event = Event()
        event.add("uid", f"{one.job}-{one.occurrence.slot:%Y%m%dT%H%M%SZ}@idms")
        event.add("summary", f"idms {one.job}")
        event.add("dtstart", one.occurrence.acts_at.astimezone(UTC))
        event.add("dtstamp", now.astimezone(UTC))
        notes = "; ".join(filter(None, (one.occurrence.note, foretold.mark(one))))
        if notes:
            event.add("description", notes)
        made.add_component(event)
    text: bytes = made.to_ical()
    return text


def _order(one: Coming | Change) -> tuple[datetime, str]:
    return one.order


def _row(one: Coming | Change, clock: Clock, foretold: Foretold) -> tuple[str, str, str]:
    if isinstance(one, Change):
        return clock.moment(one.moment), "-", f"{one.zone}: {one.note}"
    return clock.moment(one.occurrence.acts_at), one.job, "; ".join(_notes(one, clock.zone, foretold))


def _notes(one: Coming, shown_in: ZoneInfo, foretold: Foretold) -> list[str]:
    occurrence = one.occurrence
    local = occurrence.slot.astimezone(one.zone)
    notes = [f"skipped, {one.skip}" if one.skip else "", occurrence.note]
    pass_ = comes_twice(occurrence.slot, one.zone)
    if pass_:
        notes.append(f"{local:%H:%M} comes twice: the {pass_} ({local:%Z})")
    elif local.utcoffset() != occurrence.slot.astimezone(shown_in).utcoffset():
        notes.append(f"{local:%H:%M} in {one.zone}")
    if occurrence.acts_at != occurrence.slot and not occurrence.note:
        notes.append(f"for {local:%H:%M}")
    return [*filter(None, [*notes, foretold.mark(one)])]


def _data(one: Coming, foretold: Foretold) -> dict[str, Any]:
    occurrence = one.occurrence
    return {
        "job": one.job,
        "slot": occurrence.slot.isoformat(),
        "acts_at": occurrence.acts_at.isoformat(),
        "local": occurrence.slot.astimezone(one.zone).isoformat(),
        "timezone": str(one.zone),
        "skip": one.skip,
        "note": occurrence.note,
        "comes_twice": comes_twice(occurrence.slot, one.zone),
        "conflict": foretold.mark(one),
    }


def _change_data(one: Change) -> dict[str, Any]:
    moved_s = int(one.moved.total_seconds())
    return {"at": one.moment.isoformat(), "timezone": str(one.zone), "moved_s": moved_s, "note": one.note}
