"""Holidays, windows and jitter: what they make of slots, against a slow second way to find it out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from idms_cli.jobs.calendar import Calendar, Span
from idms_cli.jobs.holidays import Holidays, Then
from idms_cli.jobs.occurrences import Occurrence, Occurrences, Plain
from idms_cli.jobs.rules import Ruled
from idms_cli.jobs.schedule import cron
from idms_cli.jobs.several import all_of, between
from idms_cli.jobs.slots import Schedule
from idms_cli.jobs.words import WORDS
from tests.conftest import SOAK

NEW_YORK = ZoneInfo("America/New_York")
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

CHRISTMAS = Calendar(
    "holidays",
    NEW_YORK,
    {date(2026, 12, 24): "", date(2026, 12, 25): "Christmas Day", date(2027, 1, 1): "New Year"},
)
WEEKENDS = Calendar("weekends", NEW_YORK, weekly=("sat,sun",))
MAINTENANCE = Calendar("maintenance", NEW_YORK, weekly=("sun 02:00-04:00",))


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=NEW_YORK)


def shown(occurrences: Sequence[Occurrence]) -> list[str]:
    """When each acts, its slot where that is another moment, and the reason of those that are skipped."""
    found = []
    for one in occurrences:
        acts_at, slot = (f"{moment.astimezone(NEW_YORK):%a %d %H:%M}" for moment in (one.acts_at, one.slot))
        found.append(" ".join(filter(None, (acts_at, f"({slot})" if slot != acts_at else "", one.skip))))
    return found


@pytest.mark.parametrize(
    ("text", "calendars", "then", "expected"),
    [
        ("daily 07:00", [CHRISTMAS], "skip",
         "Wed 23 07:00|Thu 24 07:00 holiday: holidays|Fri 25 07:00 holiday: Christmas Day|Sat 26 07:00"),
        ("daily 07:00", [CHRISTMAS], "next", "Wed 23 07:00|Sat 26 07:00|Sun 27 07:00"),
        ("daily 07:00", [CHRISTMAS], "previous", "Wed 23 07:00|Sat 26 07:00|Sun 27 07:00"),
        ("weekly thu 07:00", [CHRISTMAS], "next", "Sat 26 07:00|Thu 31 07:00"),
        ("weekly fri 07:00", [CHRISTMAS], "previous", "Wed 23 07:00|Thu 31 07:00|Fri 08 07:00"),
        ("weekly fri 07:00", [CHRISTMAS, WEEKENDS], "next", "Mon 28 07:00|Mon 04 07:00"),
        ("weekly sat 07:00", [CHRISTMAS, WEEKENDS], "previous", "Wed 23 07:00|Thu 31 07:00|Fri 08 07:00"),
        ("weekly thu,fri,sat 07:00", [CHRISTMAS], "next", "Sat 26 07:00|Thu 31 07:00"),
        ("daily 07:00, 09:00", [CHRISTMAS], "next", "Wed 23 07:00|Wed 23 09:00|Sat 26 07:00|Sat 26 09:00|Sun 27 07:00"),
    ],
)  # fmt: skip
def test_a_slot_on_a_holiday_is_skipped_or_moves_to_a_day_that_is_none(
    text: str, calendars: list[Calendar], then: Then, expected: str
) -> None:
    word, _, rest = text.partition(" ")
    planned = Ruled(WORDS[word](rest, NEW_YORK), holidays=Holidays(calendars, then, NEW_YORK))
    found = []
    moment = local("2026-12-22 12:00")
    for _ in expected.split("|"):
        following = planned.next_after(moment)
        assert following is not None
        found.append(following)
        moment = following.acts_at
    assert shown(found) == expected.split("|")
    assert list(planned.due(local("2026-12-22 12:00"), found[-1].acts_at).occurrences) == found


def test_a_moved_slot_says_from_where() -> None:
    planned = Ruled(WORDS["weekly"]("fri 07:00", NEW_YORK), holidays=Holidays([CHRISTMAS], "next", NEW_YORK))
    moved = planned.next_after(local("2026-12-24 12:00"))
    assert moved is not None
    assert moved.note == "moved from Fri 2026-12-25 07:00 (Christmas Day)"


def test_without_a_day_that_is_none_within_a_year_a_slot_is_skipped() -> None:
    every_day = Calendar("always", NEW_YORK, {date(2026, 1, 1) + DAY * count: "" for count in range(800)})
    planned = Ruled(WORDS["monthly"]("15 07:00", NEW_YORK), holidays=Holidays([every_day], "next", NEW_YORK))
    assert shown(planned.due(local("2026-02-01"), local("2026-03-31")).occurrences) == [
        "Sun 15 07:00 holiday: always",
        "Sun 15 07:00 holiday: always",
    ]


@pytest.mark.parametrize(
    ("text", "windows", "start", "end", "expected"),
    [
        ("daily 03:00", [MAINTENANCE], "2026-12-05", "2026-12-07", "Sat 05 03:00|Sun 06 04:00 (Sun 06 03:00)"),
        ("daily 02:00", [MAINTENANCE], "2026-12-06", "2026-12-07", "Sun 06 04:00 (Sun 06 02:00)"),
        ("daily 04:00", [MAINTENANCE], "2026-12-06", "2026-12-07", "Sun 06 04:00"),
        ("every 30m", [MAINTENANCE], "2026-12-06 01:45", "2026-12-06 05:00",
         "Sun 06 04:00 (Sun 06 02:00) window: a later slot took its place at the end of maintenance|"
         "Sun 06 04:00 (Sun 06 02:30) window: a later slot took its place at the end of maintenance|"
         "Sun 06 04:00 (Sun 06 03:00) window: a later slot took its place at the end of maintenance|"
         "Sun 06 04:00 (Sun 06 03:30) window: a later slot took its place at the end of maintenance|"
         "Sun 06 04:00|Sun 06 04:30|Sun 06 05:00"),
        ("daily 03:00", [MAINTENANCE, Calendar("more", NEW_YORK, weekly=("sun 03:30-06:00",))], "2026-12-06",
         "2026-12-07", "Sun 06 06:00 (Sun 06 03:00)"),
        ("daily 12:00", [WEEKENDS], "2026-12-04 13:00", "2026-12-07 13:00",
         "Mon 07 00:00 (Sat 05 12:00) window: a later slot took its place at the end of weekends|"
         "Mon 07 00:00 (Sun 06 12:00)|Mon 07 12:00"),
        ("daily 23:30", [Calendar("night", NEW_YORK, weekly=("mon-sun 22:00-02:00",))], "2026-12-06",
         "2026-12-07 03:00", "Sun 06 02:00 (Sat 05 23:30)|Mon 07 02:00 (Sun 06 23:30)"),
        # On 8 March 02:00 becomes 03:00; on 1 November 02:00 becomes 01:00, and 01:30 comes twice.
        ("daily 02:30", [MAINTENANCE], "2026-03-08", "2026-03-09", "Sun 08 04:00 (Sun 08 03:00)"),
        ("every 1h", [Calendar("w", NEW_YORK, weekly=("sun 01:30-02:30",))], "2026-11-01 00:30", "2026-11-01 04:00",
         "Sun 01 01:00|Sun 01 02:30 (Sun 01 01:00) window: a later slot took its place at the end of w|"
         "Sun 01 02:30 (Sun 01 02:00)|Sun 01 03:00|Sun 01 04:00"),
    ],
)  # fmt: skip
def test_a_slot_in_a_window_waits_for_its_end_and_several_run_once(
    text: str, windows: list[Calendar], start: str, end: str, expected: str
) -> None:
    word, _, rest = text.partition(" ")
    planned = Ruled(WORDS[word](rest, NEW_YORK), windows=windows)
    assert shown(planned.due(local(start), local(end)).occurrences) == expected.split("|")


def test_a_window_that_outlasts_a_year_is_the_reason() -> None:
    years = Calendar("closed", NEW_YORK, spans=(Span(local("2026-01-01"), local("2028-01-01")),))
    planned = Ruled(WORDS["monthly"]("15 07:00", NEW_YORK), windows=[years])
    found = planned.due(local("2027-12-01"), local("2028-01-02")).occurrences
    assert [one.skip for one in found[-14:]] == [
        *["window: closed has no end within a year"] * 2,
        *["window: a later slot took its place at the end of closed"] * 11,
        "",
    ]


@dataclass(frozen=True)
class SlowRules:
    """The same by brute force: day after day, minute after minute."""

    schedule: Schedule
    jitter: timedelta
    holidays: frozenset[date]
    then: Then
    window: str

    def occurrences(self, after: datetime, until: datetime) -> list[tuple[datetime, datetime, str]]:
        """When each acts, its slot, and the first word of the reason why it is skipped."""
        found: dict[datetime, tuple[datetime, datetime, str]] = {}
        for nominal in self.schedule.due(after - 12 * DAY, until + 12 * DAY, newest=50_000).slots:
            slot, reason = self._placed(nominal)
            if slot not in found or slot == nominal:
                found[slot] = (self._acts(slot), slot, reason)
        last = {acts_at: slot for acts_at, slot, reason in sorted(found.values()) if not reason}
        return [
            (acts_at, slot, reason or ("window" if last[acts_at] != slot else ""))
            for acts_at, slot, reason in sorted(found.values())
            if after < acts_at <= until
        ]

    def _placed(self, nominal: datetime) -> tuple[datetime, str]:
        here = nominal.astimezone(NEW_YORK).replace(tzinfo=None)
        day = here
        if day.date() not in self.holidays:
            return nominal, ""
        if self.then == "skip":
            return nominal, "holiday"
        while day.date() in self.holidays:
            day += DAY if self.then == "next" else -DAY
        return _moment(day), ""

    def _acts(self, slot: datetime) -> datetime:
        closed = minutes_in(self.window, slot.year, slot.month)
        moment = slot + self.jitter
        while moment in closed:
            moment += MINUTE
        return moment


@cache
def minutes_in(window: str, year: int, month: int) -> frozenset[datetime]:
    """The minutes of a month and the days around it at which the clock of New York shows a time of the window."""
    start = datetime(year, month, 1, tzinfo=UTC) - 5 * DAY
    moments = (start + MINUTE * count for count in range(41 * 24 * 60))
    return frozenset(moment for moment in moments if shows(window, moment.astimezone(NEW_YORK)))


def shows(window: str, local: datetime) -> bool:
    names, _, times = window.partition(" ")
    words = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    first, _, last = names.partition("-")
    days = words[words.index(first) : words.index(last) + 1] if last else names.split(",")
    today, yesterday = words[local.weekday()], words[local.weekday() - 1]
    if not times:
        return today in days
    start, _, end = times.partition("-")
    time = f"{local:%H:%M}"
    if start < end:
        return today in days and start <= time < end
    return (today in days and time >= start) or (yesterday in days and time < end)


def _moment(reading: datetime) -> datetime:
    """When the clock of New York shows this first; in the hour that is skipped, the end of it."""
    moment = reading.replace(tzinfo=NEW_YORK).astimezone(UTC)
    if moment.astimezone(NEW_YORK).replace(tzinfo=None) == reading:
        return moment
    return datetime(reading.year, 3, reading.day, 7, tzinfo=UTC)


SCHEDULES = st.sampled_from(
    [
        "daily 02:30",
        "daily 01:15, 23:45",
        "weekly mon,fri 12:00",
        "every 50m",
        "every 7h",
        "hourly 30",
        "monthly 10 02:30",
    ]
)
STARTS = st.sampled_from([local("2026-03-02"), local("2026-10-26"), local("2026-06-01")])
HOLIDAYS = st.frozensets(st.integers(0, 16), max_size=6)
WINDOWS = st.sampled_from(
    ["sun 02:00-04:00", "sun 01:00-03:30", "mon-fri 23:00-01:30", "sat,sun", "wed 00:00-12:00", "mon-sun 02:15-02:45"]
)


@settings(max_examples=300 if SOAK else 50, deadline=None, derandomize=True, database=None)
@given(
    text=SCHEDULES,
    start=STARTS,
    days=HOLIDAYS,
    then=st.sampled_from(["skip", "previous", "next"]),
    window=WINDOWS,
    jitter=st.sampled_from([0, 7, 90]),
    begin=st.integers(0, 12 * 24 * 60),
    length=st.integers(1, 5 * 24 * 60),
    newest=st.integers(1, 30),
)
def test_occurrences_are_what_brute_force_finds_and_do_not_depend_on_where_one_starts(
    *,
    text: str,
    start: datetime,
    days: frozenset[int],
    then: Then,
    window: str,
    jitter: int,
    begin: int,
    length: int,
    newest: int,
) -> None:
    word, _, rest = text.partition(" ")
    schedule = WORDS[word](rest, NEW_YORK)
    holidays = Calendar("holidays", NEW_YORK, {start.date() + DAY * number: "" for number in days})
    windows = Calendar("window", NEW_YORK, weekly=(window,))
    planned = Ruled(schedule, MINUTE * jitter, Holidays([holidays], then, NEW_YORK), [windows])
    after = start.astimezone(UTC) + MINUTE * begin
    until = after + MINUTE * length
    expected = SlowRules(schedule, MINUTE * jitter, frozenset(holidays.days), then, window).occurrences(after, until)

    found = planned.due(after, until, newest=10_000)
    assert [(one.acts_at, one.slot, one.skip.partition(":")[0]) for one in found.occurrences] == expected
    assert found.older is None
    short = planned.due(after, until, newest=newest)
    assert short.occurrences == found.occurrences[-newest:]
    cut = found.occurrences[:-newest]
    assert short.older == ((cut[0].slot, cut[-1].slot) if cut else None)
    assert walk(planned, after, until) == last_of_each(found.occurrences)[:40]


def walk(planned: Occurrences, after: datetime, until: datetime) -> list[Occurrence]:
    found, following = [], planned.next_after(after)
    while following is not None and following.acts_at <= until and len(found) < 40:
        found.append(following)
        following = planned.next_after(following.acts_at)
    return found


def last_of_each(occurrences: Sequence[Occurrence]) -> list[Occurrence]:
    """Of those that act together the one that `next_after` gives: the last."""
    return list({one.acts_at: one for one in occurrences}.values())


@settings(max_examples=200 if SOAK else 33, deadline=None, derandomize=True, database=None)
@given(
    texts=st.lists(
        st.sampled_from(["0 2 * * *", "*/20 1-3 * * *", "30 1 * * 1", "0 */5 * * *", "15 12 1 * *"]),
        min_size=2,
        max_size=4,
    ),
    first=st.none() | st.integers(0, 20_000),
    last=st.none() | st.integers(0, 20_000),
    begin=st.integers(-3000, 20_000),
    length=st.integers(0, 20_000),
    newest=st.integers(1, 40),
)
def test_several_schedules_with_ends_are_due_as_their_slots_put_together(
    *, texts: list[str], first: int | None, last: int | None, begin: int, length: int, newest: int
) -> None:
    base = datetime(2026, 3, 1, tzinfo=UTC)
    ends = [None if end is None else base + MINUTE * end for end in (first, last)]
    schedules = [cron(text, NEW_YORK) for text in texts]
    whole = between(all_of(schedules), *ends, words="")
    after = base + MINUTE * begin
    until = after + MINUTE * length
    slots = sorted({slot for schedule in schedules for slot in schedule.due(after, until, newest=50_000).slots})
    expected = [slot for slot in slots if (not ends[0] or slot >= ends[0]) and (not ends[1] or slot <= ends[1])]

    due = whole.due(after, until, newest=newest)

    assert list(due.slots) == expected[-newest:]
    assert due.older == ((expected[0], expected[-newest - 1]) if len(expected) > newest else None)
    following = whole.next_after(after)
    if expected:
        assert following == expected[0]
    else:
        assert following is None or following > until


def test_a_schedule_without_rules_acts_at_its_own_moments() -> None:
    schedule = cron("0 6 * * *", NEW_YORK)
    ruled, plain = Ruled(schedule), Plain(schedule)
    after, until = local("2026-03-01"), local("2026-04-01")
    for newest in (5, 1000):
        assert ruled.due(after, until, newest=newest) == plain.due(after, until, newest=newest)
    assert ruled.next_after(after) == plain.next_after(after)
