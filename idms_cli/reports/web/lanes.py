"""The day around now: a lane for each job, with what it did in the last 24 hours and will do in the coming 24."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate, groupby

from markupsafe import Markup

from idms_cli.config.foreign import harmless
from idms_cli.dispatch.coming import Asked, coming
from idms_cli.history.rows import JobRow, moment
from idms_cli.history.statistics import Began
from idms_cli.history.store import Store
from idms_cli.reports.web.charts import TROUBLE, WORST_FIRST, worst
from idms_cli.reports.wording import Clock, duration

AROUND = timedelta(hours=24)
WIDE = 2 * 24 * 60
"""Units of a lane's drawing: one a minute."""
TALL = 18
FIRST = 40
"""Lanes that are seen at once."""
MOST_TOLD = 3000
"""Marks that say what they are, one by one; the others are drawn only, so that the page stays small."""
SLOT_MIN = 10
"""Minutes that share one mark."""
LEAST_MIN = 6
PER_JOB = 24 * 60
"""Coming slots of a job: one each minute."""
TICK_HOURS = 6
TRACK = Markup('<svg class="track" role="img" viewBox="0 0 {} {}" preserveAspectRatio="none" aria-label="{}">')
NEAR_MIN = 150
"""An hour that is nearer to now has no name: there stands "now"."""


@dataclass(frozen=True)
class Mark:
    """Runs that began in the same ten minutes, or a coming slot. Minutes since the beginning of the lane."""

    begin: int
    wide: int
    status: str
    told: str


@dataclass(frozen=True)
class Lane:
    """A job's two days."""

    job: str
    drawn: Markup


@dataclass(frozen=True)
class Tick:
    """An hour that is named above the lanes, at so many percent of them."""

    left: float
    told: str
    is_minor: bool
    """It is left out where there is little room."""


@dataclass(frozen=True)
class Lanes:
    """All jobs that ran or will, those in trouble first."""

    first: Sequence[Lane]
    others: Sequence[Lane]
    ticks: Sequence[Tick]


def lanes(store: Store, jobs: Mapping[str, JobRow], clock: Clock) -> Lanes:
    """Read the runs since yesterday at this time, and foresee those until tomorrow at this time."""
    marks = _past(store, clock)
    for name, mark in _coming(store, jobs, clock):
        marks.setdefault(name, []).append(mark)
    first = {name: min(mark.begin for mark in found) for name, found in marks.items()}
    names = sorted(marks, key=lambda name: (_is_calm(marks[name]), first[name], name))
    hours = _hours(clock)
    grid = "".join(f"M{minute} 0V{TALL}" for minute, _ in hours)
    upto = dict(zip(names, accumulate(len(marks[name]) for name in names), strict=True))
    drawn = [Lane(name, (_told if upto[name] <= MOST_TOLD else _drawn)(name, marks[name], grid)) for name in names]
    return Lanes(
        drawn[:FIRST],
        drawn[FIRST:],
        [_tick(minute, at) for minute, at in hours if abs(minute - WIDE // 2) > NEAR_MIN],
    )


def _past(store: Store, clock: Clock) -> dict[str, list[Mark]]:
    begin = (clock.now - AROUND).timestamp()
    found: dict[str, dict[int, list[Began]]] = {}
    for run in store.statistics.since(begin):
        found.setdefault(run.job, {}).setdefault(int((run.at - begin) // 60) // SLOT_MIN, []).append(run)
    return {job: [_mark(slot, runs, clock) for slot, runs in slots.items()] for job, slots in found.items()}


def _mark(slot: int, runs: Sequence[Began], clock: Clock) -> Mark:
    statuses = Counter(run.status for run in runs)
    begin = slot * SLOT_MIN
    told = f"{clock.moment(moment(runs[0].at))}: " + (
        f"run {runs[0].run} {runs[0].status}, {duration(runs[0].took_s)}"
        if len(runs) == 1
        else ", ".join(f"{number} {status}" for status, number in statuses.items())
    )
    room = max(LEAST_MIN, WIDE // 2 - begin)
    took_min = round(max(_took_s(run, clock) for run in runs) / 60)
    return Mark(begin, min(max(LEAST_MIN, took_min), room), worst(statuses), told)


def _took_s(run: Began, clock: Clock) -> float:
    """Until now for one that runs."""
    return clock.now.timestamp() - run.at if run.status == "running" else run.took_s or 0.0


def _coming(store: Store, jobs: Mapping[str, JobRow], clock: Clock) -> Iterator[tuple[str, Mark]]:
    """The slots of the coming day that will run as far as is known now; those that share a mark, once."""
    asked = Asked(clock.now, clock.now + AROUND, limit=0, per_job=PER_JOB)
    pauses = store.pauses.not_over(int(clock.now.timestamp()))
    seen: set[tuple[str, int]] = set()
    for slot in coming(store, jobs.values(), asked, pauses):
        acts_at = slot.occurrence.acts_at
        begin = min(int((acts_at - clock.now + AROUND).total_seconds() // 60), WIDE - LEAST_MIN)
        shared = begin // SLOT_MIN
        if not slot.skip and (slot.job, shared) not in seen:
            seen.add((slot.job, shared))
            yield slot.job, Mark(begin, LEAST_MIN, "coming", f"due {clock.moment(acts_at)}")


def _is_calm(marks: Iterable[Mark]) -> bool:
    """Jobs in trouble come first."""
    return not any(mark.status in TROUBLE for mark in marks)


def _hours(clock: Clock) -> list[tuple[int, datetime]]:
    """Midnight, 6, 12 and 18 o'clock of the reader's days, with the minute of the lane at which they stand."""
    begin = clock.now - AROUND
    hour = begin.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    hours = (hour + timedelta(hours=more) for more in range(2 * 24))
    local = (each.astimezone(clock.zone) for each in hours)
    return [(int((at - begin).total_seconds() // 60), at) for at in local if at.hour % TICK_HOURS == 0]


def _tick(minute: int, at: datetime) -> Tick:
    told = f"{at:%a} {at.day} {at:%b}" if at.hour == 0 else f"{at:%H:%M}"
    return Tick(round(100 * minute / WIDE, 2), told, at.hour % 12 != 0 or abs(minute - WIDE // 2) < 2 * NEAR_MIN)


def _told(job: str, marks: Sequence[Mark], grid: str) -> Markup:
    """Each mark with its words."""
    drawn = _begun(job, marks, grid)
    for mark in marks:
        drawn += Markup('<path class="{}" d="{}"><title>{}</title></path>').format(mark.status, _box(mark), mark.told)
    return drawn + Markup("</svg>")


def _drawn(job: str, marks: Sequence[Mark], grid: str) -> Markup:
    """All marks of a status in one line: a job may have 288 of them, and there may be hundreds of jobs."""
    drawn = _begun(job, marks, grid)
    for status, found in groupby(sorted(marks, key=_by_status), key=lambda mark: mark.status):
        line = "".join(f"M{mark.begin} {TALL // 2}h{mark.wide}" for mark in found)
        drawn += Markup('<path class="line {}" d="{}"/>').format(status, line)
    return drawn + Markup("</svg>")


def _by_status(mark: Mark) -> tuple[str, int]:
    return mark.status, mark.begin


def _begun(job: str, marks: Sequence[Mark], grid: str) -> Markup:
    numbers = Counter(mark.status for mark in marks)
    names = (*WORST_FIRST, "coming")
    label = f"{harmless(job)}: {', '.join(f'{numbers[name]} {name}' for name in names if numbers[name])}"
    lines = Markup('<path class="grid" d="{}"/><path class="now" d="M{} 0V{}"/>').format(grid, WIDE // 2, TALL)
    return TRACK.format(WIDE, TALL, label) + lines


def _box(mark: Mark) -> str:
    """Trouble is taller than the rest."""
    top, tall = (1, TALL - 2) if mark.status in TROUBLE else (4, TALL - 8)
    return f"M{mark.begin} {top}h{mark.wide}v{tall}h-{mark.wide}z"
