"""The words of `schedule:`: what each is due at, how it is told, and how the wrong ones are refused."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from idms_cli.jobs.crontab import ScheduleError
from idms_cli.jobs.schedule import cron
from idms_cli.jobs.words import WORDS

NEW_YORK = ZoneInfo("America/New_York")


def first_slots(word: str, text: str, start: str, number: int = 4) -> list[str]:
    schedule = WORDS[word](text, NEW_YORK)
    moment, found = datetime.fromisoformat(start).replace(tzinfo=NEW_YORK), []
    for _ in range(number):
        following = schedule.next_after(moment)
        assert following is not None
        found.append(f"{following.astimezone(NEW_YORK):%a %d %b %H:%M}")
        moment = following
    return found


@pytest.mark.parametrize(
    ("word", "text", "expected", "told"),
    [
        ("hourly", "0", "Sun 01 Feb 13:00|Sun 01 Feb 14:00|Sun 01 Feb 15:00|Sun 01 Feb 16:00", "hourly at :00"),
        ("hourly", ":15", "Sun 01 Feb 12:15|Sun 01 Feb 13:15|Sun 01 Feb 14:15|Sun 01 Feb 15:15", "hourly at :15"),
        ("hourly", "30, 0", "Sun 01 Feb 12:30|Sun 01 Feb 13:00|Sun 01 Feb 13:30|Sun 01 Feb 14:00", "every 30 minutes"),
        ("daily", "02:15", "Mon 02 Feb 02:15|Tue 03 Feb 02:15|Wed 04 Feb 02:15|Thu 05 Feb 02:15", "daily 02:15"),
        ("daily", "18:00,06:00", "Sun 01 Feb 18:00|Mon 02 Feb 06:00|Mon 02 Feb 18:00|Tue 03 Feb 06:00",
         "daily 06:00, 18:00"),
        ("weekly", "mon 06:00", "Mon 02 Feb 06:00|Mon 09 Feb 06:00|Mon 16 Feb 06:00|Mon 23 Feb 06:00", "Mon 06:00"),
        ("weekly", "Sunday,THU 06:00", "Thu 05 Feb 06:00|Sun 08 Feb 06:00|Thu 12 Feb 06:00|Sun 15 Feb 06:00",
         "Thu, Sun 06:00"),
        ("weekly", "fri-mon 06:00", "Mon 02 Feb 06:00|Fri 06 Feb 06:00|Sat 07 Feb 06:00|Sun 08 Feb 06:00",
         "Mon, Fri, Sat, Sun 06:00"),
        ("weekly", "weekdays 06:00, 18:00", "Mon 02 Feb 06:00|Mon 02 Feb 18:00|Tue 03 Feb 06:00|Tue 03 Feb 18:00",
         "weekdays 06:00, 18:00"),
        ("monthly", "15 07:00", "Sun 15 Feb 07:00|Sun 15 Mar 07:00|Wed 15 Apr 07:00|Fri 15 May 07:00",
         "monthly on the 15th, 07:00"),
        ("monthly", "1, 15th 07:00", "Sun 15 Feb 07:00|Sun 01 Mar 07:00|Sun 15 Mar 07:00|Wed 01 Apr 07:00",
         "monthly on the 1st, 15th, 07:00"),
        ("monthly", "last 23:00", "Sat 28 Feb 23:00|Tue 31 Mar 23:00|Thu 30 Apr 23:00|Sun 31 May 23:00",
         "monthly on the last day, 23:00"),
        ("monthly", "1,last 23:00", "Sun 01 Feb 23:00|Sat 28 Feb 23:00|Sun 01 Mar 23:00|Tue 31 Mar 23:00",
         "monthly on the 1st, last day, 23:00"),
        ("monthly", "3rd fri 07:00", "Fri 20 Feb 07:00|Fri 20 Mar 07:00|Fri 17 Apr 07:00|Fri 15 May 07:00",
         "monthly on the 3rd Fri, 07:00"),
        ("monthly", "first monday 07:00", "Mon 02 Feb 07:00|Mon 02 Mar 07:00|Mon 06 Apr 07:00|Mon 04 May 07:00",
         "monthly on the 1st Mon, 07:00"),
        ("monthly", "last fri 07:00", "Fri 27 Feb 07:00|Fri 27 Mar 07:00|Fri 24 Apr 07:00|Fri 29 May 07:00",
         "monthly on the last Fri, 07:00"),
        ("monthly", "1st, 3rd fri 07:00", "Fri 06 Feb 07:00|Fri 20 Feb 07:00|Fri 06 Mar 07:00|Fri 20 Mar 07:00",
         "monthly on the 1st Fri, 3rd Fri, 07:00"),
        ("monthly", "last weekday 18:00", "Fri 27 Feb 18:00|Tue 31 Mar 18:00|Thu 30 Apr 18:00|Fri 29 May 18:00",
         "monthly on the last weekday, 18:00"),
        ("monthly", "3rd weekday 07:00", "Wed 04 Feb 07:00|Wed 04 Mar 07:00|Fri 03 Apr 07:00|Tue 05 May 07:00",
         "monthly on the 3rd weekday, 07:00"),
        ("every", "15m", "Sun 01 Feb 12:15|Sun 01 Feb 12:30|Sun 01 Feb 12:45|Sun 01 Feb 13:00", "every 15m"),
        ("every", "2h", "Sun 01 Feb 14:00|Sun 01 Feb 16:00|Sun 01 Feb 18:00|Sun 01 Feb 20:00", "every 2h"),
        ("every", "1h30m", "Sun 01 Feb 13:30|Sun 01 Feb 15:00|Sun 01 Feb 16:30|Sun 01 Feb 18:00", "every 1h30m"),
        ("every", "3d", "Wed 04 Feb 00:00|Sat 07 Feb 00:00|Tue 10 Feb 00:00|Fri 13 Feb 00:00", "every 3d"),
        ("cron", "0 6 * * 1", "Mon 02 Feb 06:00|Mon 09 Feb 06:00|Mon 16 Feb 06:00|Mon 23 Feb 06:00", "Mon 06:00"),
    ],
)  # fmt: skip
def test_each_word_is_due_when_it_says_and_is_told_in_words(word: str, text: str, expected: str, told: str) -> None:
    assert first_slots(word, text, "2026-02-01 12:00") == expected.split("|")
    assert WORDS[word](text, NEW_YORK).describe() == f"{told} (America/New_York)"


@pytest.mark.parametrize(
    ("word", "text", "expression"),
    [
        ("hourly", "15", "15 * * * *"),
        ("daily", "02:30", "30 2 * * *"),
        ("daily", "01:30, 02:30", "30 1,2 * * *"),
        ("weekly", "sun 02:30", "30 2 * * 0"),
        ("weekly", "mon-fri 23:59", "59 23 * * 1-5"),
        ("monthly", "1,8 02:30", "30 2 1,8 * *"),
    ],
)
def test_a_word_is_due_as_the_cron_expression_that_says_the_same_over_all_clock_changes(
    word: str, text: str, expression: str
) -> None:
    for zone in (NEW_YORK, ZoneInfo("Australia/Lord_Howe"), ZoneInfo("Asia/Beirut"), ZoneInfo("Pacific/Apia")):
        start, end = datetime(2011, 1, 1, tzinfo=UTC), datetime(2013, 1, 1, tzinfo=UTC)
        slots = WORDS[word](text, zone).due(start, end, newest=20_000)
        assert slots == cron(expression, zone).due(start, end, newest=20_000)
        assert len(slots.slots) > 20


@pytest.mark.parametrize(
    ("word", "text", "message", "hint"),
    [
        ("hourly", "60", "'60' is not a minute of the hour", "`hourly: 15`"),
        ("hourly", "", "'' is not a minute of the hour", "`hourly: 15`"),
        ("daily", "24:00", "'24:00' is not a time of day", "00:00 to 23:59"),
        ("daily", "6:00", "'6:00' is not a time of day", "06:00"),
        ("daily", "06:00,", "'' is not a time of day", "06:00"),
        ("weekly", "mon", "'mon' has no time of day at its end", "`mon 06:00`"),
        ("weekly", "06:00", "'06:00' does not say on which day", "`mon 06:00`"),
        ("weekly", "tues 06:00", "'tues' is not a weekday", "did you mean 'tue'?"),
        ("weekly", "mon-- 06:00", "'-' is not a weekday", "a range (mon-fri)"),
        ("monthly", "29 07:00", "not every month has '29'", '`cron: "0 7 29 * *"` leaves the short months out'),
        ("monthly", "31st 07:00", "not every month has '31st'", "Write `last`"),
        ("monthly", "40 07:00", "not every month has '40'", "from 1 to 28"),
        ("monthly", "0 07:00", "'0' is not a place in the month", "`first` or `last`"),
        ("monthly", "5th fri 07:00", "not every month has '5th fri'", "Write `last fri`."),
        ("monthly", "21st weekday 07:00", "not every month has '21st weekday'", "Write `last weekday`."),
        ("monthly", "3rd mon-fri 07:00", "'3rd mon-fri' is not a day of the month", "`3rd fri`"),
        ("monthly", "3rd friyay 07:00", "'3rd friyay' is not a day of the month", "`3rd fri`"),
        ("monthly", "fri 07:00", "'fri' is not a place in the month", "`first` or `last`"),
        ("monthly", "07:00", "'07:00' does not say on which day", "`15 07:00`"),
        ("weekly", "mon 06:00, fri 18:00", "has days after a time of day", "Write a list, "),
        ("monthly", "1st mon 07:00, last 08:00", "has days after a time of day", "`[1st mon 07:00, last 08:00]`"),
        ("every", "90s", "'90s' is not in whole minutes", "`15m`, `2h`, `3d`"),
        ("every", "0m", "'0m' is not in whole minutes", "`15m`, `2h`, `3d`"),
        ("every", "367d", "'367d' is longer than a year", "`366d`"),
        ("every", "15", "a duration is wanted here", "30s, 5m, 2h, 1d"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_the_value_and_a_way_out(
    word: str, text: str, message: str, hint: str
) -> None:
    with pytest.raises(ScheduleError) as refused:
        WORDS[word](text, NEW_YORK)
    assert message in str(refused.value)
    assert hint in refused.value.hint


def test_what_is_refused_is_what_some_month_does_not_have() -> None:
    """Every place that `monthly` takes comes twelve times a year, in leap years and others."""
    texts = [*map(str, range(1, 29)), "last", *(f"{n}th weekday" for n in range(1, 21)), "last weekday"]
    texts += [f"{place} {day}" for day in ("sun", "mon", "sat") for place in ("1st", "2nd", "3rd", "4th", "last")]
    for text in texts:
        schedule = WORDS["monthly"](f"{text} 07:00", NEW_YORK)
        slots = schedule.due(datetime(2015, 1, 1, tzinfo=UTC), datetime(2044, 1, 1, tzinfo=UTC)).slots
        months = [(slot.year, slot.month) for slot in slots]
        assert months == [(year, month) for year in range(2015, 2044) for month in range(1, 13)], text
