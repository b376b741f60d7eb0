"""A whole `schedule:`: several words and lists, from and until, jitter; what is stored, and made again from it."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from idms_cli.config.documents import parse_document
from idms_cli.config.problems import ProblemsFound, format_problem
from idms_cli.config.settings import Settings, read_settings
from idms_cli.jobs.calendar import Calendar
from idms_cli.jobs.job import Job, parse_job
from idms_cli.jobs.stored import Stored, same_rules

SETTINGS = """\
timezone: America/New_York
connections: {test: {url: http://127.0.0.1:1, username: u, password: {env: X}}}
calendars:
  holidays: {dates: [2026-12-25]}
  maintenance: {weekly: "sun 02:00-04:00"}
"""
JOB = "module: import\nschedule: {}\nwith: {{}}\n"
Parse = Callable[..., Job]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    path = tmp_path / "idms.yaml"
    path.write_text(SETTINGS)
    path.chmod(0o600)
    return read_settings(path)


@pytest.fixture
def parse(settings: Settings) -> Parse:
    def parse_schedule(schedule: str, name: str = "scores") -> Job:
        return parse_job(name, parse_document(JOB.format(schedule).encode(), f"{name}.yaml"), settings)

    return parse_schedule


def upcoming(job: Job, start: str, number: int = 4, calendar: Callable[[str], Calendar] | None = None) -> list[str]:
    zone = job.zone
    occurrences = Stored.from_text(job.schedule_text).occurrences(zone, calendar or _empty)
    moment, found = datetime.fromisoformat(start).replace(tzinfo=zone), []
    for _ in range(number):
        following = occurrences.next_after(moment)
        if following is None:
            break
        moment = following.acts_at
        found.append(f"{moment.astimezone(zone):%d %b %H:%M}")
    return found


def _empty(name: str) -> Calendar:
    return Calendar(name, ZoneInfo("UTC"))


@pytest.mark.parametrize(
    ("schedule", "expected", "told"),
    [
        ("hourly", "01 Dec 13:00|01 Dec 14:00", "hourly at :00 (America/New_York)"),
        ("daily 02:15", "02 Dec 02:15|03 Dec 02:15", "daily 02:15 (America/New_York)"),
        ("{hourly: 15}", "01 Dec 12:15|01 Dec 13:15", "hourly at :15 (America/New_York)"),
        ('{daily: ["06:00", "18:00"]}', "01 Dec 18:00|02 Dec 06:00", "daily 06:00, 18:00 (America/New_York)"),
        (
            '{daily: "13:00", weekly: [tue 13:00, wed 07:00]}',
            "01 Dec 13:00|02 Dec 07:00",
            "daily 13:00; Tue 13:00; Wed 07:00 (America/New_York)",
        ),
        (
            '[{daily: "13:00"}, {daily: "13:00", timezone: America/Chicago}]',
            "01 Dec 13:00|01 Dec 14:00",
            "daily 13:00 (America/New_York); daily 13:00 (America/Chicago)",
        ),
        (
            '{timezone: UTC, weekly: sun 07:00, any: [{daily: "20:00"}]}',
            "01 Dec 20:00|02 Dec 20:00",
            "Sun 07:00; daily 20:00 (UTC)",
        ),
        (
            '{daily: "12:30", from: 2026-12-03, until: 2026-12-04}',
            "03 Dec 12:30|04 Dec 12:30",
            "daily 12:30 (America/New_York) from 2026-12-03 until 2026-12-04",
        ),
        (
            '{daily: "12:30", from: "2026-12-03 12:30", until: "2026-12-04 12:29"}',
            "03 Dec 12:30",
            "daily 12:30 (America/New_York) from 2026-12-03 12:30 until 2026-12-04 12:29",
        ),
        (
            "{every: 36h, from: 2026-12-03 12:30}",
            "03 Dec 12:30|05 Dec 00:30",
            "every 1d12h (America/New_York) from 2026-12-03 12:30",
        ),
        (
            "{at: [2026-12-02 06:00, 2026-12-09 06:00]}",
            "02 Dec 06:00|09 Dec 06:00",
            "once, 2026-12-02 06:00; once, 2026-12-09 06:00 (America/New_York)",
        ),
    ],
)
def test_all_that_a_schedule_says_is_due(parse: Parse, schedule: str, expected: str, told: str) -> None:
    job = parse(schedule)
    assert upcoming(job, "2026-12-01 12:00", 2) == expected.split("|")
    assert job.schedule is not None
    assert job.schedule.describe() == told


@pytest.mark.parametrize(
    ("schedule", "problems"),
    [
        ("hurly", ["2:11: 'hurly' is not a word of schedules|did you mean 'hourly'?"]),
        ("daily", ["2:11: 'daily' alone does not say when|write daily: \"02:15\""]),
        ('"15 2 * * *"', ['2:11: a cron expression stands under cron:|write {cron: "15 2 * * *"}']),
        ("{timezone: UTC}", ["2:1: the schedule does not say when|Write `cron:"]),
        ("[]", ["2:1: the list is empty|write something into it"]),
        ('[{daily: "06:00"}, {timezone: UTC}]', ["2:30: this entry does not say when|Write `cron:"]),
        ('[{daily: "06:00", grace: 2h}]', ["2:29: the key 'grace' is not known here|known here: cron, at"]),
        ('[{daily: "06:00"}, {daily: "25:00"}]', ["2:38: '25:00' is not a time of day|write hours"]),
        ("{every: 15}", ["2:19: this is not what every: takes, not the number '15'|every: 15m"]),
        ('{daily: "06:00", jitter: 90s}', ["2:36: a jitter is from 1m to 24h, in whole minutes|write 10m"]),
        (
            '{daily: "06:00", from: 2027-01-01, until: 2026-01-01}',
            ["2:53: until: is before from:|Write a later day"],
        ),
        (
            "{monthly: last 06:00, from: 2026-11-01, until: 2026-11-15}",
            ["2:58: nothing is due from 2026-11-01 until 2026-11-15|Write other ends"],
        ),
        ('{daily: "06:00", from: soon}', ["2:34: 'soon' is not a date|write year, month and day"]),
        (
            '{daily: "06:00", holidays: {calendar: holydays, then: nxt}, not_during: [maintenence]}',
            [
                "2:49: there is no calendar 'holydays' in idms.yaml|did you mean 'holidays'?",
                "2:65: 'nxt' is not one of: skip, previous, next|did you mean 'next'?",
                "2:84: there is no calendar 'maintenence' in idms.yaml|did you mean 'maintenance'?",
            ],
        ),
        (
            '{after: other, daily: "06:00", jitter: 5m}',
            ["2:26: this key cannot stand beside after:|The times are", "2:42: this key cannot stand beside after:|"],
        ),
        ("{after: {job: other, accept: [failed]}}", ["2:41: 'failed' is not one of: completed, partial|"]),
        ("{at: 2011-12-30 06:00, timezone: Pacific/Apia}", ["2:16: '2011-12-30 06:00' never was: the clock of|"]),
    ],
)
def test_every_mistake_has_its_place_and_a_hint(parse: Parse, schedule: str, problems: list[str]) -> None:
    with pytest.raises(ProblemsFound) as found:
        parse(schedule)
    assert len(found.value.problems) == len(problems)
    for problem, expected in zip(found.value.problems, problems, strict=True):
        place, hint = expected.split("|")
        told = format_problem(problem)
        assert told.startswith(f"scores.yaml:{place}"), told
        assert hint in problem.hint


def test_jitter_is_the_same_for_a_name_and_spread_over_names(parse: Parse) -> None:
    def minutes(name: str) -> int:
        text = json.loads(parse('{daily: "06:00", jitter: 10m}', name).schedule_text)["jitter"]
        return int(text.removesuffix("m"))

    shares = [minutes(f"job{number}") for number in range(220)]
    assert shares == [minutes(f"job{number}") for number in range(220)]
    assert set(shares) == set(range(11))
    assert max(shares.count(share) for share in set(shares)) < 45


def test_jitter_puts_off_when_a_slot_acts_but_not_its_name(parse: Parse) -> None:
    job = parse('{daily: "06:00", jitter: 10m}', "job1")
    share = timedelta(minutes=int(json.loads(job.schedule_text)["jitter"].removesuffix("m")))
    occurrences = Stored.from_text(job.schedule_text).occurrences(job.zone, _empty)
    first = occurrences.next_after(datetime(2026, 12, 1, tzinfo=UTC))
    assert first is not None
    assert first.slot == datetime(2026, 12, 1, 11, tzinfo=UTC)
    assert first.acts_at == first.slot + share
    assert share
    assert occurrences.next_after(first.slot) == first


@pytest.mark.parametrize(
    "schedule",
    [
        "daily 02:15",
        '[{daily: "06:00"}, {every: 2h, from: 2026-01-01, timezone: Europe/London}]',
        '{cron: "0 6 * * *", jitter: 10m, holidays: {calendar: holidays, then: previous}, not_during: maintenance}',
        "{after: {job: other, accept: [partial]}}",
    ],
)
def test_what_is_stored_says_all_that_the_file_says(parse: Parse, schedule: str) -> None:
    job = parse(schedule)
    stored = Stored.from_text(job.schedule_text)
    assert stored.to_text() == job.schedule_text
    assert job.schedule is not None
    assert stored.schedule(job.zone).describe() == job.schedule.describe()
    marked = stored.to_text({"holidays": "abc"})
    assert marked != job.schedule_text
    assert same_rules(marked, job.schedule_text)
    assert not same_rules(marked, parse("hourly").schedule_text)
