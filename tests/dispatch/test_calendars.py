"""Calendars at work: what a tick makes of holidays and windows, and of a calendar that changes."""

import time
from pathlib import Path

import pytest

from idms_cli.dispatch.glance import had_nothing_to_do
from idms_cli.history.store import Store
from tests.conftest import Place

HOLIDAYS = """\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//idms//EN
BEGIN:VEVENT
UID:1
DTSTAMP:20200101T000000Z
DTSTART;VALUE=DATE:{day}
SUMMARY:{name}
END:VEVENT
END:VCALENDAR
"""
EVENING, NIGHT, NEXT = "2026-11-30 20:00", "2026-12-01 02:00", "2026-12-02 02:00"


def holidays(place: Place, day: str, name: str = "Founders' Day") -> Path:
    return place.write("holidays.ics", HOLIDAYS.format(day=day, name=name))


def calendar(place: Place, url: str, text: str = "holidays: {file: holidays.ics}") -> None:
    place.settings(url, more=f"calendars:\n  {text}\n")


def reasons(place: Place) -> list[tuple[str, str]]:
    with Store(place.state) as store:
        return [(f"{slot.due:%d %H:%M}", slot.reason or slot.verdict) for slot in store.slots.of("scores")[::-1]]


def next_run(place: Place) -> str:
    return str(place.json("status")["jobs"][0]["next_due"])


@pytest.mark.parametrize(
    ("then", "expected"),
    [
        ("skip", [("01 02:00", "holiday: Founders' Day"), ("02 02:00", "run")]),
        ("next", [("02 02:00", "run")]),
        ("previous", [("30 02:00", "run"), ("02 02:00", "run")]),
    ],
)
def test_a_slot_on_a_holiday_is_told_or_moves(
    place: Place, url: str, then: str, expected: list[tuple[str, str]]
) -> None:
    calendar(place, url)
    holidays(place, "20261201")
    place.job("scores", schedule=f'{{daily: "02:00", holidays: {{calendar: holidays, then: {then}}}}}')
    place.scores("scores", 1)
    place.at("2026-11-30 01:00" if then == "previous" else EVENING)
    for moment in ("2026-11-30 02:00", NIGHT, NEXT):
        place.at(moment, "--wait")
    found = reasons(place)
    assert found == expected


def test_slots_in_a_window_run_once_at_its_end(place: Place, url: str) -> None:
    calendar(place, url, 'maintenance: {weekly: "tue 01:30-04:00"}')
    place.job("scores", schedule="{hourly: 0, not_during: maintenance, grace: 30m}")
    place.scores("scores", 1)
    place.at("2026-12-01 01:00")
    assert next_run(place) == "2026-12-01T04:00:00+00:00"
    assert place.at("2026-12-01 03:00").stdout == ""
    place.at("2026-12-01 04:10", "--wait")
    assert reasons(place) == [
        ("01 02:00", "window: a later slot took its place at the end of maintenance"),
        ("01 03:00", "window: a later slot took its place at the end of maintenance"),
        ("01 04:00", "run"),
    ]


def test_a_deferred_slot_keeps_its_name_and_its_grace_counts_from_the_end_of_the_window(place: Place, url: str) -> None:
    calendar(place, url, 'maintenance: {weekly: "tue 01:30-04:00"}')
    place.job("scores", schedule='{daily: "02:00", not_during: [maintenance], grace: 30m}')
    place.scores("scores", 1)
    place.at(EVENING)
    place.at("2026-12-01 04:05", "--wait")
    assert reasons(place) == [("01 02:00", "run")]


def test_jitter_puts_the_run_off_and_the_slot_keeps_its_moment(place: Place) -> None:
    place.job("scores", schedule='{daily: "02:00", jitter: 20m}')
    place.scores("scores", 1)
    place.at(EVENING)
    when = next_run(place)
    assert "2026-12-01T02:00:00+00:00" < when <= "2026-12-01T02:20:00+00:00"
    assert place.at(NIGHT).stdout == ""
    place.at(when.replace("T", " ").removesuffix(":00+00:00"), "--wait")
    assert reasons(place) == [("01 02:00", "run")]


def test_a_changed_ics_file_is_seen_and_planned_for_without_a_change_of_the_job(place: Place, url: str) -> None:
    calendar(place, url)
    holidays(place, "20261225")
    place.job("scores", schedule='{daily: "02:00", holidays: {calendar: holidays}}')
    place.at(EVENING)
    holidays(place, "20261201", "A new day off")
    place.at(NIGHT)
    assert reasons(place) == [("01 02:00", "holiday: A new day off")]


def test_a_holiday_that_is_taken_back_at_noon_does_not_fire_for_the_morning(place: Place, url: str) -> None:
    calendar(place, url)
    holidays(place, "20261201")
    place.job("scores", schedule='{daily: "02:00", holidays: {calendar: holidays, then: next}}')
    place.at(EVENING)
    assert next_run(place) == "2026-12-02T02:00:00+00:00"
    place.at(NIGHT)
    holidays(place, "20261225")
    place.at("2026-12-01 12:00")
    assert reasons(place) == []
    assert next_run(place) == "2026-12-02T02:00:00+00:00"


def test_a_change_of_the_calendar_in_the_very_minute_of_a_slot_does_not_lose_it(place: Place, url: str) -> None:
    calendar(place, url)
    holidays(place, "20261225")
    place.job("scores", schedule='{daily: "02:00", holidays: {calendar: holidays}}')
    place.scores("scores", 1)
    place.at(EVENING)
    holidays(place, "20261226")
    place.at(NIGHT, "--wait")
    assert reasons(place) == [("01 02:00", "run")]


def test_an_idle_tick_watches_the_ics_files_and_loads_nothing_for_them(place: Place, url: str) -> None:
    calendar(place, url)
    path = holidays(place, "20261225")
    place.job("scores", schedule="{at: 2099-01-01 02:00, holidays: {calendar: holidays}}")
    assert place.idms("run-due").returncode == 0
    config = str(place.directory / "idms.yaml")
    assert had_nothing_to_do(config)
    holidays(place, "20261226")
    assert not had_nothing_to_do(config)
    place.idms("run-due")
    assert had_nothing_to_do(config)
    path.unlink()
    assert not had_nothing_to_do(config)


def test_a_new_year_reads_the_ics_files_anew(place: Place, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    calendar(place, url)
    holidays(place, "20261225")
    place.job("scores", schedule="{at: 2099-01-01 02:00, holidays: {calendar: holidays}}")
    place.idms("run-due")
    config = str(place.directory / "idms.yaml")
    with Store(place.state) as store:
        (mark,) = store.database.connection.execute("SELECT fingerprint FROM config").fetchone()
    assert mark.endswith(f"|{time.gmtime().tm_year}")
    with Store(place.state) as store, store.database.write() as connection:
        connection.execute("UPDATE config SET fingerprint = ?", (mark[:-4] + "2020",))
    assert not had_nothing_to_do(config)


@pytest.mark.parametrize(
    ("text", "schedule", "message"),
    [
        ("holidays: {file: nowhere.ics}", "holidays: {calendar: holidays}", "nowhere.ics cannot be read: No such file"),
        ("holidays: {weekly: sun 02:00-04:00}", "holidays: {calendar: holidays}", "it has no whole days"),
        ("holidays: {weekly: mon-sun}", "not_during: holidays", "the calendars leave no time of the week"),
    ],
    ids=["no file", "no days", "all days"],
)
def test_a_calendar_that_a_job_cannot_heed_is_that_jobs_problem(
    place: Place, url: str, text: str, schedule: str, message: str
) -> None:
    calendar(place, url, text)
    place.job("scores", schedule=f'{{daily: "02:00", {schedule}}}')
    place.job("other")
    told = place.idms("check")
    assert told.returncode == 2
    assert message in told.stdout
    assert "scores.yaml:3:" in told.stdout
    assert "other: ok" in told.stdout
    ticked = place.idms("run-due")
    assert message in ticked.stderr
    assert [job["state"] for job in place.json("status")["jobs"]] == ["new", "broken"]


def test_a_job_goes_on_when_its_broken_calendar_is_mended(place: Place, url: str) -> None:
    calendar(place, url)
    place.job("scores", schedule='{daily: "02:00", holidays: {calendar: holidays}}')
    assert place.idms("run-due").returncode == 2
    holidays(place, "20261225")
    assert place.idms("run-due").returncode == 0
    assert [job["state"] for job in place.json("status")["jobs"]] == ["new"]


def test_check_shows_when_it_really_runs(place: Place, url: str) -> None:
    calendar(place, url, "holidays: {weekly: [mon-sat]}")
    place.job("scores", schedule='{daily: "02:00", holidays: {calendar: holidays}}')
    told = place.json("check")["jobs"][0]
    assert told["schedule"] == "daily 02:00 (UTC), skipped on days of holidays"
    assert len(told["next"]) == 3
    assert {moment[10:] for moment in told["next"]} == {"T02:00:00+00:00"}
    from datetime import datetime

    assert {datetime.fromisoformat(moment).weekday() for moment in told["next"]} == {6}
