"""Small drawings as SVG: the bars of a job's last runs, and a year of days."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from math import log1p
from typing import NamedTuple

from markupsafe import Markup

BAR = 4
"""Width of a bar with its gap, in pixels."""
TALL = 22
CELL = 12
WEEKS = 53
WORST_FIRST = ("failed", "interrupted", "held", "partial", "cancelled", "running", "pending", "skipped", "completed")
TROUBLE = frozenset({"failed", "interrupted", "held", "partial"})


class Bar(NamedTuple):
    """One run in a row of bars."""

    value: float
    is_well: bool


def bars(runs: Sequence[Bar], label: str) -> Markup:
    """A bar for each run, oldest first; runs that did not go well stand in another colour, under a dot."""
    if not any(bar.value for bar in runs):
        return Markup("")
    top = max(bar.value for bar in runs)
    paths = {True: "", False: ""}
    dots = ""
    for place, bar in enumerate(runs):
        x = place * BAR + 1.5
        height = max(1, round(bar.value / top * (TALL - 5)))
        paths[bar.is_well] += f"M{x} {TALL}v-{height}"
        dots += "" if bar.is_well else f"M{x} 1v2"
    drawn = Markup('<svg class="bars" role="img" width="{}" height="{}" aria-label="{}">').format(
        max(len(runs), 1) * BAR, TALL, label
    )
    for name, path in (("well", paths[True]), ("ill", paths[False] + dots)):
        drawn += Markup('<path class="{}" d="{}"/>').format(name, path) if path else Markup("")
    return drawn + Markup("</svg>")


def worst(statuses: Mapping[str, int]) -> str:
    """The status that matters most among those there are."""
    return next((status for status in WORST_FIRST if statuses.get(status)), "completed")


def year(days: Mapping[date, Mapping[str, int]], today: date) -> Markup:
    """A square for each day of the last 53 weeks: the more runs the stronger; a day with trouble has a dot in it."""
    first = today - timedelta(days=today.weekday(), weeks=WEEKS - 1)
    most = max((sum(day.values()) for day in days.values()), default=1)
    troubled = sum(worst(day) in TROUBLE for day in days.values())
    label = f"Runs of each day since {first}: {len(days)} days with runs, {troubled} of them with trouble"
    drawn = Markup('<svg class="year" role="img" width="{}" height="{}" aria-label="{}">').format(
        WEEKS * CELL, 7 * CELL + 14, label
    )
    day = first
    while day <= today:
        drawn += _month(day, first) + _day(day, first, days.get(day, {}), most)
        day += timedelta(days=1)
    return drawn + Markup("</svg>")


def _place(day: date, first: date) -> tuple[int, int]:
    week, weekday = divmod((day - first).days, 7)
    return week * CELL, weekday * CELL + 14


def _month(day: date, first: date) -> Markup:
    if day.day != 1 or (day - first).days > (WEEKS - 2) * 7:
        return Markup("")
    return Markup('<text x="{}" y="9">{}</text>').format(_place(day, first)[0], f"{day:%b}")


def _day(day: date, first: date, statuses: Mapping[str, int], most: int) -> Markup:
    x, y = _place(day, first)
    runs = sum(statuses.values())
    strength = 0 if not runs else 1 + round(3 * log1p(runs) / log1p(most))
    told = ", ".join(f"{statuses[status]} {status}" for status in WORST_FIRST if statuses.get(status)) or "no runs"
    square = Markup('<rect class="d{}" x="{}" y="{}" width="10" height="10"><title>{}: {}</title></rect>').format(
        strength, x, y, day, told
    )
    if worst(statuses) in TROUBLE:
        square += Markup('<circle class="{}" cx="{}" cy="{}" r="3"/>').format(worst(statuses), x + 5, y + 5)
    return square
