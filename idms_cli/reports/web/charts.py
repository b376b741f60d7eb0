"""Small drawings as SVG: the bars of a job's last runs, and a year of days."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from math import ceil, sqrt
from typing import NamedTuple

from markupsafe import Markup

BAR = 4
"""Width of a bar with its gap, in pixels."""
TALL = 22
CELL = 12
WEEKS = 53
LEFT, TOP = 28, 14
"""Room for the names of weekdays and months, in pixels."""
WEEKDAYS = {0: "Mon", 2: "Wed", 4: "Fri"}
LEVELS = 4
USUAL = 0.95
"""Of the days with runs: the strongest shade is for those beyond; one day of a backfill pales no other."""
WORST_FIRST = ("failed", "interrupted", "held", "partial", "cancelled", "running", "pending", "skipped", "completed")
TROUBLE = ("failed", "interrupted", "held", "partial")


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
    """A square for each day of the last 53 weeks: the more runs the stronger; the more of them ill, the larger its dot.

    It scales with the page, and needs no background to be printed.
    """
    first = today - timedelta(days=today.weekday(), weeks=WEEKS - 1)
    days = {day: statuses for day, statuses in days.items() if day >= first}
    totals = sorted(sum(day.values()) for day in days.values())
    many = totals[round(USUAL * (len(totals) - 1))] if totals else 1
    troubled = sum(worst(day) in TROUBLE for day in days.values())
    label = f"Runs of each day since {first}: {len(days)} days with runs, {troubled} of them with trouble"
    drawn = Markup('<svg class="year" role="img" viewBox="0 0 {} {}" aria-label="{}">').format(
        LEFT + WEEKS * CELL, TOP + 7 * CELL, label
    )
    for weekday, name in WEEKDAYS.items():
        drawn += Markup('<text x="0" y="{}">{}</text>').format(TOP + weekday * CELL + 9, name)
    day = first
    while day <= today:
        drawn += _month(day, first) + _day(day, first, days.get(day, {}), many)
        day += timedelta(days=1)
    return drawn + Markup("</svg>")


def _place(day: date, first: date) -> tuple[int, int]:
    week, weekday = divmod((day - first).days, 7)
    return LEFT + week * CELL, TOP + weekday * CELL


def _month(day: date, first: date) -> Markup:
    if day.day != 1 or (day - first).days > (WEEKS - 2) * 7:
        return Markup("")
    return Markup('<text x="{}" y="9">{}</text>').format(_place(day, first)[0], f"{day:%b}")


def _day(day: date, first: date, statuses: Mapping[str, int], many: int) -> Markup:
    x, y = _place(day, first)
    runs = sum(statuses.values())
    strength = min(LEVELS, ceil(LEVELS * runs / many))
    told = ", ".join(f"{statuses[status]:,} {status}" for status in WORST_FIRST if statuses.get(status)) or "no runs"
    square = Markup('<rect class="d{}" x="{}" y="{}" width="10" height="10"><title>{:%a} {}: {}</title></rect>').format(
        strength, x, y, day, day, told
    )
    ill = sum(statuses.get(status, 0) for status in TROUBLE)
    if ill:
        radius = round(1.7 + 2.8 * sqrt(ill / runs), 1)
        square += Markup('<circle class="{}" cx="{}" cy="{}" r="{}"/>').format(worst(statuses), x + 5, y + 5, radius)
    return square
