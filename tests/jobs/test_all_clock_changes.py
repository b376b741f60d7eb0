"""Every clock change of every zone from 2020 to 2035: daily, hourly, quarter-hourly and two-hourly jobs.

The 599 zones have some 6,500 changes, of which about 1,000 are different, in 23 shapes (`02:00 -> 03:00`). The golden
table, clock_changes.txt, has one change of each shape for people to read. All others are held against the oracle.
"""

from collections.abc import Callable
from datetime import datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from idms_cli.jobs.schedule import Schedule, cron
from idms_cli.jobs.words import WORDS
from tests.conftest import SOAK
from tests.jobs.clock_oracle import (
    KINDS,
    SPAN,
    Change,
    all_changes,
    distinct_changes,
    golden_rows,
    shapes,
    shown,
)
from tests.jobs.test_schedule_against_cronsim import DIFFERENCES, compare
from tests.jobs.test_schedule_against_cronsim import Change as ZoneChange

GOLDEN = (Path(__file__).parent / "clock_changes.txt").read_text(encoding="utf-8").splitlines()
PARTS = 8
QUARTERS = [time(minutes // 60, minutes % 60) for minutes in range(0, 24 * 60, 15)]

SCHEDULES: dict[str, list[Callable[[ZoneInfo], Schedule]]] = {
    "hourly": [lambda zone: cron("0 * * * *", zone), lambda zone: WORDS["hourly"]("0", zone)],
    "quarter-hourly": [lambda zone: cron("*/15 * * * *", zone), lambda zone: WORDS["hourly"]("0,15,30,45", zone)],
    "two-hourly": [lambda zone: cron("0 */2 * * *", zone)],
}


def ours(schedule: Schedule, change: Change, span: timedelta = SPAN) -> list[datetime]:
    return list(schedule.due(change.moment - span, change.moment + span).slots)


def daily(at: time, zone: ZoneInfo) -> Schedule:
    return WORDS["daily"](f"{at:%H:%M}", zone)


@pytest.mark.parametrize("row", GOLDEN, ids=[" ".join(row.split(" | ")[:3]) for row in GOLDEN])
def test_slots_around_a_clock_change_are_those_of_the_golden_table(row: str) -> None:
    shape, about, kind, *expected = row.split(" | ")
    name, moment = about.split()
    zone = ZoneInfo(name)
    change = _change(name, moment)
    assert change.shape == shape
    span = timedelta(hours=2 if kind == "quarter-hourly" else 6)
    if kind.startswith("daily"):
        schedules = [WORDS["daily"](kind.removeprefix("daily "), zone)]
    else:
        schedules = [make(zone) for make in SCHEDULES[kind]]
    for schedule in schedules:
        slots = schedule.due(change.moment - span - timedelta(seconds=1), change.moment + span).slots
        assert shown(slots, change) == (expected[0] if expected else "")


def test_the_golden_table_is_what_the_oracle_finds_and_has_every_shape() -> None:
    changes = {row.split(" | ")[1] for row in GOLDEN}
    found = [row for about in sorted(changes) for row in golden_rows(_change(*about.split()))]
    assert sorted(found) == sorted(GOLDEN)
    assert {row.split(" | ")[0] for row in GOLDEN} >= set(shapes())


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_every_change_of_every_zone_is_as_the_oracle_has_it(part: int) -> None:
    for change in (all_changes() if SOAK else distinct_changes())[part::PARTS]:
        zone = ZoneInfo(change.zone)
        for kind, names in KINDS.items():
            for make in SCHEDULES[kind][:1]:
                assert ours(make(zone), change) == change.with_the_clock(names), (kind, change)
        for at in QUARTERS if SOAK else change.affected():
            assert ours(daily(at, zone), change) == change.once_a_day(at), (at, change)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_cronsim_finds_the_same_but_for_the_differences_stated(part: int) -> None:
    for change in (distinct_changes() if SOAK else tuple(shapes().values()))[part::PARTS]:
        about = ZoneChange(ZoneInfo(change.zone), change.moment)
        times = [f"{at.minute} {at.hour} * * *" for at in change.affected()]
        for expression in ["0 * * * *", "*/15 * * * *", "0 */2 * * *", *times]:
            case = compare(expression, about)
            if case.ours != case.theirs:
                assert any(rule(case) for rule in DIFFERENCES.values()), f"{change}: {expression}"


@pytest.mark.parametrize(
    ("text", "step"), [("15m", timedelta(minutes=15)), ("2h", timedelta(hours=2)), ("3d", timedelta(days=3))]
)
def test_an_interval_keeps_its_real_spacing_over_every_kind_of_change(text: str, step: timedelta) -> None:
    for change in shapes().values():
        slots = ours(WORDS["every"](text, ZoneInfo(change.zone)), change, timedelta(days=10))
        assert {later - earlier for earlier, later in pairwise(slots)} == {step}


def _change(zone: str, moment: str) -> Change:
    at = datetime.fromisoformat(moment)
    clock = ZoneInfo(zone)
    old = (at - timedelta(minutes=1)).astimezone(clock).utcoffset()
    new = at.astimezone(clock).utcoffset()
    assert old is not None
    assert new is not None
    return Change(zone, at, old, new)
