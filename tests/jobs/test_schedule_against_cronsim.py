"""2,156 random expressions around clock changes in 26 zones: the same slots as cronsim, but for the differences stated.

cronsim (https://github.com/cuu508/cronsim) is an independent implementation of the rules of Debian's cron. Where it and
`idms` differ, one of the rules in DIFFERENCES must hold, and a plain look at the clock must agree with `idms`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Final
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim, CronSimError

from idms_cli.jobs.crontab import Crontab, read_crontab
from idms_cli.jobs.schedule import ScheduleError, cron
from tests.jobs.random_crontab import RandomCrontab

EXPRESSIONS_PER_CHANGE: Final = 44  # for 47 changes and 2 zones without any: 2,156 in all
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

CHANGES: Final = """
America/New_York 2026-03-08T07:00Z 2026-11-01T06:00Z
Europe/Berlin 2026-03-29T01:00Z 2026-10-25T01:00Z
Europe/Dublin 2026-03-29T01:00Z 2026-10-25T01:00Z
Australia/Lord_Howe 2026-04-04T15:00Z 2026-10-03T15:30Z
Australia/Sydney 2026-04-04T16:00Z 2026-10-03T16:00Z
America/Asuncion 2023-03-26T03:00Z 2023-10-01T04:00Z
Asia/Beirut 2026-03-28T22:00Z 2026-10-24T21:00Z
Africa/Cairo 2026-04-23T22:00Z 2026-10-29T21:00Z
Pacific/Apia 2011-04-02T14:00Z 2011-09-24T14:00Z 2011-12-30T10:00Z
Pacific/Kwajalein 1993-08-21T12:00Z
Antarctica/Casey 2020-10-03T16:01Z 2021-03-13T13:00Z
Antarctica/Troll 2026-03-29T01:00Z 2026-10-25T01:00Z
Africa/Casablanca 2026-02-15T02:00Z 2026-03-22T02:00Z
America/St_Johns 2006-04-02T03:31Z 2006-10-29T02:31Z
Asia/Tehran 2022-03-21T20:30Z 2022-09-21T19:30Z
America/Santiago 2026-04-05T03:00Z 2026-09-06T04:00Z
America/Havana 2026-03-08T05:00Z 2026-11-01T05:00Z
Pacific/Chatham 2026-04-04T14:00Z 2026-09-26T14:00Z
America/Caracas 2007-12-09T07:00Z 2016-05-01T07:00Z
Asia/Pyongyang 2015-08-14T15:00Z 2018-05-04T15:00Z
America/Nuuk 2026-03-29T01:00Z 2026-10-25T01:00Z
Asia/Gaza 2026-03-28T00:00Z 2026-10-23T23:00Z
Atlantic/Azores 2026-03-29T01:00Z 2026-10-25T01:00Z
Asia/Kathmandu 1985-12-31T18:30Z
"""
UNCHANGING: Final = ("UTC 2026-03-29T01:00Z", "Asia/Kolkata 2026-03-29T01:00Z")


@dataclass(frozen=True)
class Change:
    """The moment at which the clock of a zone changes, if it does."""

    zone: ZoneInfo
    moment: datetime

    @property
    def before(self) -> datetime:
        """What the clock would have shown at the moment of the change."""
        return (self.moment - MINUTE).astimezone(self.zone).replace(tzinfo=None) + MINUTE

    @property
    def after(self) -> datetime:
        return self.moment.astimezone(self.zone).replace(tzinfo=None)

    @property
    def skips_midnight(self) -> bool:
        midnight = self.before.replace(hour=0, minute=0)
        return any(self.before <= candidate < self.after for candidate in (midnight, midnight + DAY))

    @property
    def is_off_the_hour(self) -> bool:
        return bool((self.after - self.before) % HOUR) or self.before.minute != 0


@dataclass(frozen=True)
class Comparison:
    """The slots of one expression around one change, by idms and by cronsim."""

    change: Change
    table: Crontab
    ours: tuple[datetime, ...]
    theirs: tuple[datetime, ...] | None

    @property
    def differing(self) -> set[datetime]:
        return set(self.ours) ^ set(self.theirs or ())

    def is_what_the_clock_shows(self) -> bool:
        """Whether idms has exactly the minutes at which the clock shows what the expression names."""
        return self.table.follows_clock and list(self.ours) == [
            moment
            for moment in minutes_around(self.change)
            if names(self.table, moment.astimezone(self.change.zone).replace(tzinfo=None))
        ]

    def is_within_a_day_after(self) -> bool:
        return all(self.change.moment <= slot <= self.change.moment + DAY for slot in self.differing)


# The differences that are meant. Each is a fault or a choice of cronsim 2.8 that cron(8) does not ask for.
DIFFERENCES: Final[dict[str, Callable[[Comparison], bool]]] = {
    # cron(8): changes of more than three hours are corrections. cronsim runs a fixed time of the lost day at its end.
    "a particular time of a day that never was": lambda case: (
        not case.table.follows_clock
        and case.change.after - case.change.before > 3 * HOUR
        and case.differing == {case.change.moment}
        and case.change.moment not in case.ours
    ),
    # cronsim looks for the next hour in steps of 60 minutes, and lands in the middle of one.
    "steps of an hour over a change that is off the hour": lambda case: (
        case.change.is_off_the_hour and case.is_within_a_day_after() and case.is_what_the_clock_shows()
    ),
    # cronsim begins each new day at 00:00, also on a day that begins at 01:00.
    "a day that has no midnight": lambda case: (
        case.change.skips_midnight and case.is_within_a_day_after() and case.is_what_the_clock_shows()
    ),
    # cronsim goes round and round where stepping over a doubled hour takes it back before it.
    "a walk without end": lambda case: (
        case.theirs is None and case.change.after < case.change.before and case.is_what_the_clock_shows()
    ),
}


def parse_change(text: str) -> Change:
    zone, moment = text.split()
    return Change(ZoneInfo(zone), datetime.fromisoformat(moment))


def all_changes() -> list[str]:
    rows = [row.split() for row in CHANGES.split("\n") if row]
    return [f"{zone} {moment}" for zone, *moments in rows for moment in moments]


def minutes_around(change: Change) -> Iterator[datetime]:
    for count in range(1, 72 * 60 + 1):
        yield change.moment - 36 * HOUR + count * MINUTE


def names(table: Crontab, reading: datetime) -> bool:
    on_date, on_weekday = reading.day in table.days, (reading.weekday() + 1) % 7 in table.weekdays
    on_day = on_date and on_weekday if table.needs_both_days else on_date or on_weekday
    return on_day and reading.month in table.months and reading.hour in table.hours and reading.minute in table.minutes


class EndlessWalk(Exception):
    """cronsim took more steps than there are to take."""


class BoundedCronSim(CronSim):
    """cronsim that gives up after four steps for every minute of three days."""

    ticks = 0

    def tick(self, seconds: int = 1) -> None:
        self.ticks += 1
        if self.ticks > 4 * 72 * 60:
            raise EndlessWalk
        super().tick(seconds)


def slots_of_cronsim(expression: str, change: Change) -> tuple[datetime, ...] | None:
    first, last = change.moment - 36 * HOUR, change.moment + 36 * HOUR
    slots = (slot.astimezone(UTC) for slot in BoundedCronSim(expression, first.astimezone(change.zone)))
    try:
        return tuple(takewhile(lambda slot: slot <= last, slots))
    except EndlessWalk:
        return None


def compare(expression: str, change: Change) -> Comparison:
    first, last = change.moment - 36 * HOUR, change.moment + 36 * HOUR
    ours = cron(expression, change.zone).due(first, last, newest=10_000).slots
    return Comparison(change, read_crontab(expression), ours, slots_of_cronsim(expression, change))


@pytest.mark.parametrize("text", all_changes())
def test_the_table_names_real_changes(text: str) -> None:
    change = parse_change(text)

    assert change.before != change.after


@pytest.mark.parametrize("text", [*all_changes(), *UNCHANGING])
def test_slots_around_a_clock_change_are_those_of_cronsim_or_differ_as_stated(text: str) -> None:
    change = parse_change(text)
    random_crontab = RandomCrontab(near=change.before, seed=text)
    for _ in range(EXPRESSIONS_PER_CHANGE):
        expression = random_crontab.expression()
        case = compare(expression, change)
        if case.ours != case.theirs:
            assert any(rule(case) for rule in DIFFERENCES.values()), f"{expression}: {sorted(case.differing)}"


@pytest.mark.parametrize(
    ("rule", "text", "expression", "only_ours", "only_theirs"),
    [
        pytest.param(
            "a particular time of a day that never was",
            "Pacific/Apia 2011-12-30T10:00Z",
            "30 2 * * *",
            [],
            ["2011-12-31 00:00+1400"],
            id="fixed time, lost day",
        ),
        pytest.param(
            "steps of an hour over a change that is off the hour",
            "Australia/Lord_Howe 2026-10-03T15:30Z",
            "0 */8 * * *",
            ["2026-10-04 08:00+1100"],
            [],
            id="half an hour",
        ),
        pytest.param(
            "a day that has no midnight",
            "America/Santiago 2026-09-06T04:00Z",
            "0 */8 * * */5",
            [],
            ["2026-09-06 01:00-0300"],
            id="no midnight",
        ),
    ],
)
def test_each_stated_difference_exists(
    *, rule: str, text: str, expression: str, only_ours: list[str], only_theirs: list[str]
) -> None:
    case = compare(expression, parse_change(text))

    assert DIFFERENCES[rule](case)
    assert shown(case, set(case.ours) - set(case.theirs or ())) == only_ours
    assert shown(case, set(case.theirs or ()) - set(case.ours)) == only_theirs


def shown(case: Comparison, slots: set[datetime]) -> list[str]:
    return [f"{slot.astimezone(case.change.zone):%Y-%m-%d %H:%M%z}" for slot in sorted(slots)]


def test_cronsim_walks_without_end_where_a_doubled_hour_spans_midnight() -> None:
    case = compare("30 */12 * * *", parse_change("America/St_Johns 2006-10-29T02:31Z"))

    assert case.theirs is None
    assert DIFFERENCES["a walk without end"](case)


@pytest.mark.parametrize(
    "expression",
    ["0 0 L * *", "0 0 LW * *", "0 0 * * 5L", "0 0 * * 5#2", "59/15 * * * *", "*/90 * * * *", "0 0 0 * * *"],
)
def test_idms_refuses_what_cronsim_has_beyond_crontab_5(expression: str) -> None:
    CronSim(expression, datetime(2026, 1, 1, tzinfo=UTC))

    with pytest.raises(ScheduleError):
        cron(expression, ZoneInfo("UTC"))


@pytest.mark.parametrize("expression", ["@daily", "@hourly", "@yearly"])
def test_idms_knows_the_words_that_cronsim_does_not(expression: str) -> None:
    cron(expression, ZoneInfo("UTC"))

    with pytest.raises(CronSimError):
        CronSim(expression, datetime(2026, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    "expression", ["0 0 30 2 *", "0 22-2 * * *", "0 0 * * fri-sun", "60 * * * *", "*/0 * * * *", "?"]
)
def test_both_refuse(expression: str) -> None:
    with pytest.raises(ScheduleError):
        cron(expression, ZoneInfo("UTC"))
    with pytest.raises(CronSimError):
        CronSim(expression, datetime(2026, 1, 1, tzinfo=UTC))


def test_a_range_of_one_number_is_that_number_also_with_a_step() -> None:
    """cronsim reads `5-5/1` as if it were `5/1`: all minutes from 5 on."""
    hour = datetime(2026, 1, 1, tzinfo=UTC)

    assert cron("5-5/1 0 1 1 *", ZoneInfo("UTC")).due(hour, hour + HOUR).slots == (hour + 5 * MINUTE,)
    assert [next(CronSim("5-5/1 0 1 1 *", hour)).minute, len(CronSim("5-5/1 0 1 1 *", hour).minutes)] == [5, 55]
