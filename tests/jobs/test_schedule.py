"""The moments at which schedules are due, above all on the days when clocks change."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

import pytest

from idms_cli.jobs.schedule import Due, Schedule, ScheduleError, cron, one_time

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def shown(slots: tuple[datetime, ...], zone: ZoneInfo) -> list[str]:
    return [f"{slot.astimezone(zone):%d %H:%M%z}" for slot in slots]


def walk(schedule: Schedule, start: datetime) -> Iterator[datetime]:
    moment = schedule.next_after(start)
    while moment is not None:
        yield moment
        moment = schedule.next_after(moment)


# Each row: what is due from local midnight of the first day (included) to local midnight of the last (excluded).
CLOCK_CHANGES = [
    # America/New_York, 8 March: 02:00 becomes 03:00. 1 November: 02:00 becomes 01:00.
    ("America/New_York", "30 2 * * *", "2026-03-07", 3, "07 02:30-0500|08 03:00-0400|09 02:30-0400"),
    ("America/New_York", "30 2 * * *", "2026-10-31", 3, "31 02:30-0400|01 02:30-0500|02 02:30-0500"),
    ("America/New_York", "30 1 * * *", "2026-03-07", 3, "07 01:30-0500|08 01:30-0500|09 01:30-0400"),
    ("America/New_York", "30 1 * * *", "2026-10-31", 3, "31 01:30-0400|01 01:30-0400|02 01:30-0500"),
    ("America/New_York", "0 0-4 * * *", "2026-03-08", 1, "08 00:00-0500|08 01:00-0500|08 03:00-0400|08 04:00-0400"),
    ("America/New_York", "0 6 * * *", "2026-03-07", 3, "07 06:00-0500|08 06:00-0400|09 06:00-0400"),
    ("America/New_York", "0 6 * * *", "2026-10-31", 3, "31 06:00-0400|01 06:00-0500|02 06:00-0500"),
    ("America/New_York", "0,30 2 * * *", "2026-03-08", 1, "08 03:00-0400"),
    ("America/New_York", "0 2,3 * * *", "2026-03-08", 1, "08 03:00-0400"),
    ("America/New_York", "30 2,3 * * *", "2026-03-08", 1, "08 03:00-0400|08 03:30-0400"),
    ("America/New_York", "0,30 1-2 * * *", "2026-11-01", 1, "01 01:00-0400|01 01:30-0400|01 02:00-0500|01 02:30-0500"),
    ("America/New_York", "*/30 2 * * *", "2026-03-08", 1, ""),
    ("America/New_York", "*/30 1 * * *", "2026-11-01", 1, "01 01:00-0400|01 01:30-0400|01 01:00-0500|01 01:30-0500"),
    ("America/New_York", "0 */2 1-31/7 3 *", "2026-03-08", 1, "08 00:00-0500|08 04:00-0400|08 06:00-0400|08 08:00-0400|"
     "08 10:00-0400|08 12:00-0400|08 14:00-0400|08 16:00-0400|08 18:00-0400|08 20:00-0400|08 22:00-0400"),
    # Europe/Berlin, 29 March: 02:00 becomes 03:00. 25 October: 03:00 becomes 02:00.
    ("Europe/Berlin", "30 2 * * *", "2026-03-28", 3, "28 02:30+0100|29 03:00+0200|30 02:30+0200"),
    ("Europe/Berlin", "30 2 * * *", "2026-10-24", 3, "24 02:30+0200|25 02:30+0200|26 02:30+0100"),
    # Europe/Dublin counts its winter as the saving; the clocks on the wall do as in London.
    ("Europe/Dublin", "30 1 * * *", "2026-03-29", 1, "29 02:00+0100"),
    ("Europe/Dublin", "30 1 * * *", "2026-10-25", 1, "25 01:30+0100"),
    # Australia/Lord_Howe, by half an hour. 4 October: 02:00 becomes 02:30. 5 April: 02:00 becomes 01:30.
    ("Australia/Lord_Howe", "15 2 * * *", "2026-10-03", 3, "03 02:15+1030|04 02:30+1100|05 02:15+1100"),
    ("Australia/Lord_Howe", "45 2 * * *", "2026-10-04", 1, "04 02:45+1100"),
    ("Australia/Lord_Howe", "*/20 1-2 * * *", "2026-10-04", 1,
     "04 01:00+1030|04 01:20+1030|04 01:40+1030|04 02:40+1100"),
    ("Australia/Lord_Howe", "15,45 1 * * *", "2026-04-05", 1, "05 01:15+1100|05 01:45+1100"),
    ("Australia/Lord_Howe", "*/15 1 * * *", "2026-04-05", 1,
     "05 01:00+1100|05 01:15+1100|05 01:30+1100|05 01:45+1100|05 01:30+1030|05 01:45+1030"),
    ("Australia/Lord_Howe", "*/7 1-2 * * *", "2026-04-05", 1, "05 01:00+1100|05 01:07+1100|05 01:14+1100|05 01:21+1100|"
     "05 01:28+1100|05 01:35+1100|05 01:42+1100|05 01:49+1100|05 01:56+1100|05 01:35+1030|05 01:42+1030|05 01:49+1030|"
     "05 01:56+1030|05 02:00+1030|05 02:07+1030|05 02:14+1030|05 02:21+1030|05 02:28+1030|05 02:35+1030|05 02:42+1030|"
     "05 02:49+1030|05 02:56+1030"),
    # Asia/Beirut at midnight. 29 March: 00:00 becomes 01:00. 25 October: 00:00 becomes 23:00 of the 24th.
    ("Asia/Beirut", "0 0 * * *", "2026-03-28", 3, "28 00:00+0200|29 01:00+0300|30 00:00+0300"),
    ("Asia/Beirut", "59 0 29 3 *", "2026-03-29", 1, "29 01:00+0300"),
    ("Asia/Beirut", "0 */12 * * *", "2026-03-28", 2, "28 00:00+0200|28 12:00+0200|29 12:00+0300"),
    ("Asia/Beirut", "30 23 * * *", "2026-10-23", 3, "23 23:30+0300|24 23:30+0300|25 23:30+0200"),
    ("Asia/Beirut", "0 0 * * *", "2026-10-24", 3, "24 00:00+0300|25 00:00+0200|26 00:00+0200"),
    ("Asia/Beirut", "*/30 23 24 * *", "2026-10-24", 1, "24 23:00+0300|24 23:30+0300|24 23:00+0200|24 23:30+0200"),
    # Others that change at midnight. Havana doubles the hour after it, St John's changed at one minute past.
    ("Africa/Cairo", "30 0 * * *", "2026-04-23", 3, "23 00:30+0200|24 01:00+0300|25 00:30+0300"),
    ("America/Asuncion", "0 0 1 * *", "2023-10-01", 1, "01 01:00-0300"),
    ("America/Havana", "0 0 * * *", "2026-11-01", 2, "01 00:00-0400|02 00:00-0500"),
    ("America/Havana", "*/30 0 * * *", "2026-11-01", 1, "01 00:00-0400|01 00:30-0400|01 00:00-0500|01 00:30-0500"),
    ("America/St_Johns", "0 0 * * *", "2006-10-28", 3, "28 00:00-0230|29 00:00-0230|30 00:00-0330"),
    ("America/St_Johns", "0 */23 29 * *", "2006-10-29", 1, "29 00:00-0230|29 00:00-0330|29 23:00-0330"),
    ("America/St_Johns", "0,1,2 0 * * *", "2006-04-02", 1, "02 00:00-0330|02 01:01-0230"),
    # Changes of two and of three hours are still clock changes.
    ("Antarctica/Troll", "30 1,2 * * *", "2026-03-29", 1, "29 03:00+0200"),
    ("Antarctica/Troll", "30 1,2 * * *", "2026-10-25", 1, "25 01:30+0200|25 02:30+0200"),
    ("Antarctica/Casey", "0 2 * * *", "2020-10-04", 1, "04 03:01+1100"),
    # Samoa left out 30 December 2011: nothing is owed for a day that never was.
    ("Pacific/Apia", "30 2 * * *", "2011-12-29", 3, "29 02:30-1000|31 02:30+1400"),
    ("Pacific/Apia", "0 */12 * * *", "2011-12-29", 3, "29 00:00-1000|29 12:00-1000|31 00:00+1400|31 12:00+1400"),
    ("Pacific/Apia", "0 0 30 12 *", "2011-12-29", 3, ""),
    # Kwajalein had most of 30 September 1969 twice, and both are days.
    ("Pacific/Kwajalein", "0 6 * * *", "1969-09-30", 1, "30 06:00+1100|30 06:00-1200"),
    # No changes.
    ("UTC", "30 2 * * *", "2026-03-28", 3, "28 02:30+0000|29 02:30+0000|30 02:30+0000"),
    ("Asia/Kolkata", "30 2 * * *", "2026-03-29", 1, "29 02:30+0530"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "expression", "first_day", "days", "expected"),
    [pytest.param(*row, id=f"{row[0]} {row[2]} {row[1]}") for row in CLOCK_CHANGES],
)
def test_on_the_days_of_a_clock_change_slots_follow_the_rule_of_debians_cron(
    name: str, expression: str, first_day: str, days: int, expected: str
) -> None:
    zone = ZoneInfo(name)
    midnight = datetime.fromisoformat(first_day)
    start = midnight.replace(tzinfo=zone).astimezone(UTC) - timedelta(minutes=1)
    end = (midnight + timedelta(days=days)).replace(tzinfo=zone).astimezone(UTC) - timedelta(minutes=1)
    schedule = cron(expression, zone)

    slots = schedule.due(start, end).slots

    assert shown(slots, zone) == [slot for slot in expected.split("|") if slot]
    assert tuple(takewhile(lambda slot: slot <= end, walk(schedule, start))) == slots


@pytest.mark.parametrize(
    ("zone", "first", "last"),
    [
        pytest.param("America/New_York", "2026-03-08 00:00-05:00", "2026-03-09 00:00-04:00", id="short day"),
        pytest.param("America/New_York", "2026-11-01 00:00-04:00", "2026-11-02 00:00-05:00", id="long day"),
    ],
)
@pytest.mark.parametrize(("expression", "minutes"), [("0 * * * *", 60), ("*/15 * * * *", 15), ("* * * * *", 1)])
def test_what_repeats_through_a_clock_change_keeps_its_real_spacing(
    zone: str, first: str, last: str, expression: str, minutes: int
) -> None:
    start, end = datetime.fromisoformat(first).astimezone(UTC), datetime.fromisoformat(last).astimezone(UTC)

    slots = cron(expression, ZoneInfo(zone)).due(start, end, newest=2000).slots

    step = timedelta(minutes=minutes)
    assert slots == tuple(start + step * count for count in range(1, (end - start) // step + 1))


@pytest.mark.parametrize(
    ("expression", "days_of_january_2026"),
    [
        pytest.param("0 0 1 * 1", [1, 5, 12, 19, 26], id="both restricted: either"),
        pytest.param("0 0 */2 * 1", [5, 19], id="day starts with a star: both"),
        pytest.param("0 0 1-7 * */2", [1, 3, 4, 6], id="weekday starts with a star: both"),
        pytest.param("0 0 2-31/2 * 1", [*range(2, 32, 2), 5, 19], id="a range is no star: either"),
        pytest.param("0 0 1-31 * 1", list(range(1, 32)), id="all days as a range: either"),
        pytest.param("0 0 * * 7", [4, 11, 18, 25], id="Sunday as 7"),
        pytest.param("0 0 31 1,2 *", [31], id="a day that February does not have"),
    ],
)
def test_day_of_month_and_weekday_are_joined_as_in_crontab_5(expression: str, days_of_january_2026: list[int]) -> None:
    start, end = datetime(2025, 12, 31, 23, 59, tzinfo=UTC), datetime(2026, 1, 31, 23, 59, tzinfo=UTC)

    slots = cron(expression, ZoneInfo("UTC")).due(start, end).slots

    assert [slot.day for slot in slots] == sorted(set(days_of_january_2026))


@pytest.mark.parametrize(
    ("expression", "after", "expected"),
    [
        pytest.param("0 0 29 2 *", "2096-02-29T12:00", "2104-02-29T00:00", id="leap day over a century that has none"),
        pytest.param("0 0 29 2 */7", "2026-01-01T00:00", "2032-02-29T00:00", id="leap day on a Sunday"),
        pytest.param(
            "0 0 31 2 0", "2026-02-10T00:00", "2026-02-15T00:00", id="no 31 February, but Sundays of February"
        ),
        pytest.param("* * * * *", "2026-01-01T00:00:59.999999", "2026-01-01T00:01", id="less than a second before"),
        pytest.param("* * * * *", "2026-01-01T00:01:00.000001", "2026-01-01T00:02", id="less than a second after"),
        pytest.param("59 23 31 12 *", "2025-12-31T23:59", "2026-12-31T23:59", id="strictly after"),
    ],
)
def test_the_next_slot_is_found_however_far_or_near(expression: str, after: str, expected: str) -> None:
    schedule = cron(expression, ZoneInfo("UTC"))

    assert schedule.next_after(datetime.fromisoformat(after + "Z")) == datetime.fromisoformat(expected + "Z")


def test_moments_may_come_in_any_zone_and_go_out_in_utc() -> None:
    slot = cron("0 6 * * *", ZoneInfo("Asia/Tokyo")).next_after(
        datetime(2026, 6, 1, 8, tzinfo=ZoneInfo("America/New_York"))
    )

    assert slot == datetime(2026, 6, 1, 21, tzinfo=UTC)
    assert slot.tzinfo is UTC


@pytest.mark.parametrize(
    "schedule", [cron("0 6 * * *", ZoneInfo("UTC")), one_time("2026-12-01 06:00", ZoneInfo("UTC"))]
)
def test_a_naive_moment_and_an_empty_limit_are_refused(schedule: Schedule) -> None:
    aware = datetime(2026, 1, 1, tzinfo=UTC)
    naive = aware.replace(tzinfo=None)

    for call in (
        lambda: schedule.next_after(naive),
        lambda: schedule.due(naive, aware),
        lambda: schedule.due(aware, naive),
        lambda: schedule.due(aware, aware, newest=0),
    ):
        with pytest.raises(ValueError, match=r"aware datetimes|at least 1"):
            call()


def test_of_a_year_of_minutes_the_newest_are_due_and_the_ends_of_the_rest_are_told() -> None:
    until = datetime(2026, 6, 1, tzinfo=UTC)

    due = cron("* * * * *", ZoneInfo("America/New_York")).due(until - timedelta(days=365), until, newest=1000)

    assert len(due.slots) == 1000
    assert (due.slots[0], due.slots[-1]) == (datetime(2026, 5, 31, 7, 21, tzinfo=UTC), until)
    assert due.older == (datetime(2025, 6, 1, 0, 1, tzinfo=UTC), datetime(2026, 5, 31, 7, 20, tzinfo=UTC))


def test_one_slot_too_many_is_both_the_first_and_the_last_of_the_older_ones() -> None:
    start = datetime(2026, 6, 1, tzinfo=UTC)

    due = cron("0 6 * * *", ZoneInfo("UTC")).due(start, start + timedelta(days=3), newest=2)

    sixth_hours = [datetime(2026, 6, day, 6, tzinfo=UTC) for day in (1, 2, 3)]
    assert due == Due(slots=(sixth_hours[1], sixth_hours[2]), older=(sixth_hours[0], sixth_hours[0]))


def test_nothing_is_due_in_an_empty_or_reversed_span() -> None:
    schedule, moment = cron("* * * * *", ZoneInfo("UTC")), datetime(2026, 6, 1, tzinfo=UTC)

    assert schedule.due(moment, moment) == Due(())
    assert schedule.due(moment, moment - HOUR) == Due(())


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        pytest.param("2026-12-01 06:00", "America/New_York", "2026-12-01 11:00:00+00:00", id="local time"),
        pytest.param("2026-12-01T06:00:30", "America/New_York", "2026-12-01 11:00:30+00:00", id="with T and seconds"),
        pytest.param("2026-12-01 06:00Z", "America/New_York", "2026-12-01 06:00:00+00:00", id="with Z"),
        pytest.param(" 2026-12-01 06:00 +05:30", "Asia/Tokyo", "2026-12-01 00:30:00+00:00", id="with an offset"),
        pytest.param("2026-12-01T06:00-0500", "Asia/Tokyo", "2026-12-01 11:00:00+00:00", id="with an offset, no colon"),
        pytest.param("2026-03-08 02:30", "America/New_York", "2026-03-08 07:00:00+00:00", id="skipped: after the gap"),
        pytest.param("2026-11-01 01:30", "America/New_York", "2026-11-01 05:30:00+00:00", id="doubled: the first"),
        pytest.param(
            "2026-11-01 01:30-05:00", "America/New_York", "2026-11-01 06:30:00+00:00", id="doubled: the second"
        ),
    ],
)
def test_a_one_time_schedule_is_due_once(text: str, zone: str, expected: str) -> None:
    schedule, moment = one_time(text, ZoneInfo(zone)), datetime.fromisoformat(expected)

    assert schedule.next_after(moment - HOUR) == moment
    assert schedule.next_after(moment) is None
    assert schedule.due(moment - HOUR, moment) == Due((moment,))
    assert schedule.due(moment, moment + HOUR) == Due(())
    assert schedule.due(moment - DAY, moment - HOUR) == Due(())


def test_a_one_time_schedule_is_told_by_the_clock_of_its_zone() -> None:
    zone = ZoneInfo("America/New_York")

    assert one_time("2026-12-01 06:00", zone).describe() == "once, 2026-12-01 06:00 (America/New_York)"
    assert one_time("2026-12-01 06:00:30Z", zone).describe() == "once, 2026-12-01 01:00:30 (America/New_York)"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "'' is not a date and time"),
        ("tomorrow", "'tomorrow' is not a date and time"),
        ("2026-12-01", "'2026-12-01' is not a date and time"),
        ("2026-12-01 24:00", "'2026-12-01 24:00' is not a date and time"),
        ("2026-12-01 06:00+99:00", "'2026-12-01 06:00+99:00' is not a date and time"),
        ("01/12/2026 06:00", "'01/12/2026 06:00' is not a date and time"),
        ("2026-02-30 06:00", "'2026-02-30 06:00' is not in the calendar of 1970 to 2999"),
        ("2026-12-01 06:60", "'2026-12-01 06:60' is not in the calendar of 1970 to 2999"),
        ("9999-12-31 23:59", "'9999-12-31 23:59' is not in the calendar of 1970 to 2999"),
        ("2011-12-30 06:00", "'2011-12-30 06:00' never was: the clock of Pacific/Apia left that day out"),
    ],
)
def test_a_one_time_text_that_is_no_moment_is_refused_with_a_hint(text: str, message: str) -> None:
    with pytest.raises(ScheduleError) as refused:
        one_time(text, ZoneInfo("Pacific/Apia"))
    assert str(refused.value) == message
    assert refused.value.hint


def test_croniter_is_loaded_only_when_a_cron_schedule_is_made() -> None:
    program = (
        "import sys; from zoneinfo import ZoneInfo; from idms_cli.jobs.schedule import cron, one_time;"
        "one_time('2026-12-01 06:00', ZoneInfo('UTC')); before = 'croniter' in sys.modules;"
        "cron('@daily', ZoneInfo('UTC')); print(before, 'croniter' in sys.modules)"
    )

    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert answer.stdout == "False True\n"
