"""Calendars of idms.yaml: dates, weekly times and .ics files, and how the wrong ones are refused."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from idms_cli.config.problems import BadValue, ProblemsFound, format_problem
from idms_cli.config.settings import read_settings
from idms_cli.jobs.calendar import Calendar, Span
from idms_cli.jobs.calendars import Calendars

NEW_YORK = ZoneInfo("America/New_York")
EVENT = "BEGIN:VEVENT\nUID:{number}\nDTSTAMP:20200101T000000Z\n{lines}\nEND:VEVENT\n"


def calendars(directory: Path, text: str, *, year: int = 2026) -> Calendars:
    path = directory / "idms.yaml"
    path.write_text(f"timezone: America/New_York\ncalendars:\n  it: {text}\n")
    path.chmod(0o600)
    settings = read_settings(path)
    return Calendars(settings.calendars, directory, settings.timezone, year=year)


def ics(directory: Path, *events: str) -> Path:
    path = directory / "it.ics"
    body = "".join(EVENT.format(number=number, lines=lines) for number, lines in enumerate(events))
    path.write_text(f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//idms//EN\n{body}END:VCALENDAR\n".replace("\n", "\r\n"))
    return path


def span(start: str, end: str) -> Span:
    return Span(*(datetime.fromisoformat(text).replace(tzinfo=NEW_YORK).astimezone(UTC) for text in (start, end)))


def test_dates_may_be_a_list_or_have_names_and_stretch(tmp_path: Path) -> None:
    plain = calendars(tmp_path, "{dates: [2026-12-25, 2026-12-30 to 2027-01-02]}").get("it")
    assert [f"{day}" for day in plain.days] == [
        "2026-12-25",
        *(f"2026-12-{n}" for n in (30, 31)),
        "2027-01-01",
        "2027-01-02",
    ]
    assert plain.day(date(2026, 12, 31)) == "it"
    named = calendars(tmp_path, "{dates: {2026-12-24 to 2026-12-25: Christmas}}").get("it")
    assert [named.day(date(2026, 12, day)) for day in (23, 24, 25, 26)] == [None, "Christmas", "Christmas", None]


@pytest.mark.parametrize(
    ("weekly", "inside", "expected"),
    [
        ("sun 02:00-04:00", "2026-12-06 02:00", ("2026-12-06 02:00", "2026-12-06 04:00")),
        ("sun 02:00-04:00", "2026-12-06 04:00", None),
        ("sun 02:00-04:00", "2026-12-07 03:00", None),
        ("sat 22:00-02:00", "2026-12-06 01:59", ("2026-12-05 22:00", "2026-12-06 02:00")),
        ("sat 22:00-24:00", "2026-12-05 23:59", ("2026-12-05 22:00", "2026-12-06 00:00")),
        ("mon-fri 00:00-24:00", "2026-12-01 12:00", ("2026-12-01 00:00", "2026-12-02 00:00")),
        ("sat,sun", "2026-12-06 23:59", ("2026-12-06 00:00", "2026-12-07 00:00")),
        # 02:00 becomes 03:00: what is left of the window is an hour
        ("sun 02:00-04:00", "2026-03-08 03:30", ("2026-03-08 03:00", "2026-03-08 04:00")),
        # 02:00 becomes 01:00: a window that ends in the doubled hour ends in its second pass
        ("sun 00:30-01:30", "2026-11-01 01:00", ("2026-11-01 00:30", "2026-11-01 06:30Z")),
    ],
)
def test_weekly_times_are_windows_by_the_clock_on_the_wall(
    tmp_path: Path, weekly: str, inside: str, expected: tuple[str, str] | None
) -> None:
    found = calendars(tmp_path, f'{{weekly: "{weekly}"}}').get("it").span_at(span(inside, inside).start)
    wanted = expected and tuple(
        datetime.fromisoformat(text) if text.endswith("Z") else span(text, text).start for text in expected
    )
    assert found == wanted


@pytest.mark.parametrize(
    ("weekly", "always"),
    [
        ("mon-sun", True),
        ('["mon-fri", "weekends"]', True),
        ('["mon-sun 00:00-12:00", "mon-sun 12:00-00:00"]', True),
        ('["mon-sun 00:00-12:00", "mon-sun 12:01-00:00"]', False),
        ("mon-sat", False),
        ('["mon-sat", "sun 00:00-23:59"]', False),
    ],
)
def test_a_calendar_that_leaves_no_time_of_the_week_is_known(tmp_path: Path, weekly: str, *, always: bool) -> None:
    assert calendars(tmp_path, f"{{weekly: {weekly}}}").get("it").is_always is always


def test_a_calendar_has_its_own_zone_or_that_of_the_installation(tmp_path: Path) -> None:
    moment = datetime(2026, 12, 6, 2, 30, tzinfo=UTC)
    assert calendars(tmp_path, '{weekly: "sun 02:00-04:00", timezone: UTC}').get("it").span_at(moment)
    assert calendars(tmp_path, '{weekly: "sun 02:00-04:00"}').get("it").span_at(moment) is None


def test_events_of_whole_days_are_holidays_with_their_names(tmp_path: Path) -> None:
    ics(
        tmp_path,
        "DTSTART;VALUE=DATE:20200704\nRRULE:FREQ=YEARLY\nSUMMARY:Independence Day",
        "DTSTART;VALUE=DATE:20201126\nRRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH\nSUMMARY:Thanksgiving",
        "DTSTART;VALUE=DATE:20261224\nDTEND;VALUE=DATE:20261227\nSUMMARY:Christmas\\, closed\nTRANSP:TRANSPARENT",
        "DTSTART;TZID=America/New_York:20260525T000000\nDTEND;TZID=America/New_York:20260526T000000\n"
        "SUMMARY:Memorial Day",
        "DTSTART:20260619T000000\nDTEND:20260620T000000\nSUMMARY:Juneteenth",
        "DTSTART;VALUE=DATE:20261012\nSUMMARY:Moved\nSTATUS:CANCELLED",
        "DTSTART;VALUE=DATE:20261111",
    )
    found = calendars(tmp_path, "{file: it.ics}").get("it")
    of_2026 = {f"{day:%m-%d}": found.day(day) for day in sorted(found.days) if day.year == 2026}
    assert of_2026 == {
        "05-25": "Memorial Day",
        "06-19": "Juneteenth",
        "07-04": "Independence Day",
        "11-11": "it",
        "11-26": "Thanksgiving",
        "12-24": "Christmas, closed",
        "12-25": "Christmas, closed",
        "12-26": "Christmas, closed",
    }
    assert {day.year for day in found.days} == {2025, 2026, 2027, 2028}
    assert not found.spans


def test_events_with_times_are_windows_joined_where_they_touch(tmp_path: Path) -> None:
    ics(
        tmp_path,
        "DTSTART;TZID=America/New_York:20261205T220000\nDTEND;TZID=America/New_York:20261206T020000\nSUMMARY:Upgrade",
        "DTSTART:20261206T020000\nDURATION:PT2H\nSUMMARY:More, by the clock of the calendar",
        "DTSTART:20261213T070000Z\nDTEND:20261213T090000Z\nRRULE:FREQ=WEEKLY;COUNT=2\nSUMMARY:Backup",
        "DTSTART:20261225T120000Z\nDTEND:20261225T120000Z\nSUMMARY:A moment",
    )
    found = calendars(tmp_path, "{file: it.ics}").get("it")
    assert found.spans == (
        span("2026-12-05 22:00", "2026-12-06 04:00"),
        span("2026-12-13 02:00", "2026-12-13 04:00"),
        span("2026-12-20 02:00", "2026-12-20 04:00"),
    )
    assert not found.has_days
    assert found.span_at(span("2026-12-06 01:00", "2026-12-06 01:00").start) == found.spans[0]


def test_file_dates_and_weekly_times_count_together(tmp_path: Path) -> None:
    ics(tmp_path, "DTSTART;VALUE=DATE:20261225\nSUMMARY:Christmas Day")
    text = "{file: it.ics, dates: [2026-12-28], weekly: [sat, sun 02:00-04:00]}"
    found = calendars(tmp_path, text).get("it")
    days = [found.day(date(2026, 12, day)) for day in (25, 26, 27, 28, 29)]
    assert days == ["Christmas Day", "it", None, "it", None]


def test_a_calendar_is_the_same_after_it_was_stored(tmp_path: Path) -> None:
    ics(
        tmp_path,
        "DTSTART;VALUE=DATE:20261225\nSUMMARY:Noël",
        "DTSTART:20261213T070000Z\nDTEND:20261213T090000Z\nSUMMARY:Backup",
    )
    found = calendars(tmp_path, '{file: it.ics, weekly: "sat"}').get("it")
    again = Calendar.from_text(found.to_text())
    assert again == found
    assert again.mark == found.mark
    assert calendars(tmp_path, '{file: it.ics, weekly: "sun"}').get("it").mark != found.mark


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "it.ics cannot be read: No such file or directory"),
        ("", "it.ics is not an iCalendar file"),
        ("Date,Name\n2026-12-25,Christmas\n", "it.ics is not an iCalendar file"),
        ("BEGIN:VCALENDAR\nBEGIN:VEVENT\n", "it.ics is not an iCalendar file"),
        ("BEGIN:VCALENDAR\n" + "X" * (4 * 1024 * 1024), "it.ics is larger than 4 MiB"),
    ],
    ids=["missing", "empty", "a CSV file", "cut off", "too large"],
)
def test_a_file_that_is_no_calendar_is_refused(tmp_path: Path, content: str | None, message: str) -> None:
    if content is not None:
        (tmp_path / "it.ics").write_text(content)
    found = calendars(tmp_path, "{file: it.ics}")
    for _ in range(2):  # also when it is asked for again
        with pytest.raises(BadValue, match=message) as refused:
            found.get("it")
        assert refused.value.hint


@pytest.mark.parametrize("rule", ["FREQ=SECONDLY", "FREQ=HOURLY;COUNT=3", "FREQ=DAILY;BYHOUR=1,2,3"])
def test_an_event_that_would_be_counted_out_for_hours_is_refused(tmp_path: Path, rule: str) -> None:
    ics(tmp_path, f"DTSTART:20200101T000000Z\nRRULE:{rule}\nSUMMARY:Often")
    with pytest.raises(BadValue, match="'Often' comes more than once a day"):
        calendars(tmp_path, "{file: it.ics}").get("it")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{}", "3:3: the calendar is empty|write file: holidays.ics"),
        ("{dates: [2026-02-30]}", "3:16: '2026-02-30' is not in the calendar|check month and day"),
        ("{dates: [25.12.2026]}", "3:16: '25.12.2026' is not a date|2026-12-25"),
        ("{dates: [2026-12-25 to 2026-12-20]}", "3:16: '2026-12-25 to 2026-12-20' is not a span of days|the first day"),
        ("{dates: {christmas: 2026-12-25}}", "3:16: 'christmas' is not a date|2026-12-25"),
        ('{weekly: "sun 2-4"}', "3:16: '2' is not a time of day|06:00"),
        ('{weekly: "02:00-04:00"}', "3:16: '02:00-04:00' is not a time of the week|sun 02:00-04:00"),
        ('{weekly: "sun 02:00-02:00"}', "3:16: 'sun 02:00-02:00' ends when it begins|leave the times out"),
        ('{weekly: ["sonntag"]}', "3:17: 'sonntag' is not a weekday|"),
        ("{ics: holidays.ics}", "3:8: the key 'ics' is not known here|known here: file, dates, weekly, timezone"),
    ],
)
def test_a_mistake_in_idms_yaml_has_its_place_and_a_hint(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(ProblemsFound) as found:
        calendars(tmp_path, text)
    told = [format_problem(each) for each in found.value.problems]
    place, hint = problem.split("|")
    assert any(f"idms.yaml:{place}" in each and hint in each for each in told), told


def test_spans_are_half_open(tmp_path: Path) -> None:
    calendar = Calendar("it", NEW_YORK, spans=(span("2026-12-06 02:00", "2026-12-06 04:00"),))
    start, end = calendar.spans[0]
    inside = [calendar.span_at(moment) is not None for moment in (start - timedelta(seconds=1), start, end)]
    assert inside == [False, True, False]
