"""`idms next`: what is to come, with what will keep it from running, and clocks that change."""

from datetime import UTC, datetime

from icalendar import Calendar

from tests.conftest import Place

NEW_YORK = '{{cron: "{}", timezone: America/New_York}}'


def _lines(place: Place, *arguments: str) -> list[str]:
    told = place.idms("next", *arguments)
    assert told.returncode == 0, told.stderr
    return [line.rstrip() for line in told.stdout.splitlines()]


def test_the_slots_of_all_jobs_come_in_the_order_of_time(place: Place) -> None:
    place.job("nightly")
    place.job("weekly", schedule='{cron: "0 6 * * 1"}')
    assert _lines(place, "--from", "2099-11-29", "--days", "3") == [
        "WHEN              JOB      NOTE",
        "2099-11-29 02:00  nightly",
        "2099-11-30 02:00  nightly",
        "2099-11-30 06:00  weekly",
        "2099-12-01 02:00  nightly",
        "Times are in UTC.",
    ]


def test_the_night_on_which_the_clock_goes_back_is_marked(place: Place) -> None:
    place.job("night", schedule=NEW_YORK.format("30 1 * * *"))
    assert _lines(place, "night", "--from", "2099-10-31", "--days", "3") == [
        "WHEN              JOB    NOTE",
        "2099-10-31 01:30  night",
        "2099-11-01 01:30  night  01:30 comes twice: the first (EDT)",
        "2099-11-01 01:00  -      America/New_York: clocks go back by 1h: 01:00 to 02:00 comes twice",
        "2099-11-02 01:30  night",
        "Times are in America/New_York.",
    ]


def test_the_night_on_which_the_clock_goes_forward_is_marked(place: Place) -> None:
    place.job("night", schedule=NEW_YORK.format("30 2 * * *"))
    assert _lines(place, "night", "--from", "2099-03-07", "--days", "2") == [
        "WHEN              JOB    NOTE",
        "2099-03-07 02:30  night",
        "2099-03-08 03:00  -      America/New_York: clocks go forward by 1h: 02:00 to 03:00 is left out",
        "2099-03-08 03:00  night",
        "Times are in America/New_York.",
    ]


def test_a_job_that_repeats_through_the_doubled_hour_is_told_which_pass_it_is(place: Place) -> None:
    place.job("often", schedule=NEW_YORK.format("0,30 * * * *"))
    told = place.json("next", "often", "--from", "2099-11-01 00:30", "--days", "1", "--limit", "6")
    assert [(slot["local"], slot["comes_twice"]) for slot in told["next"]] == [
        ("2099-11-01T00:30:00-04:00", ""),
        ("2099-11-01T01:00:00-04:00", "first"),
        ("2099-11-01T01:30:00-04:00", "first"),
        ("2099-11-01T01:00:00-05:00", "second"),
        ("2099-11-01T01:30:00-05:00", "second"),
        ("2099-11-01T02:00:00-05:00", ""),
    ]
    assert [(change["at"], change["moved_s"]) for change in told["clock_changes"]] == [
        ("2099-11-01T06:00:00+00:00", -3600)
    ]
    assert told["more"] is True


def test_times_are_shown_by_the_clock_that_was_asked_for(place: Place) -> None:
    place.job("tokyo", schedule='{cron: "0 9 * * *", timezone: Asia/Tokyo}')
    assert _lines(place, "tokyo", "--from", "2099-12-01", "--days", "1")[1] == "2099-12-01 09:00  tokyo"
    assert _lines(place, "--from", "2099-12-01", "--days", "1")[1] == "2099-12-01 00:00  tokyo  09:00 in Asia/Tokyo"
    shown = _lines(place, "tokyo", "--from", "2099-12-01", "--days", "1", "--zone", "Europe/Zurich")
    assert shown[1] == "2099-12-01 01:00  tokyo  09:00 in Asia/Tokyo"
    assert _lines(place, "tokyo", "--from", "2099-12-01", "--days", "1", "--utc")[-1] == "Times are in UTC."


def test_what_a_pause_will_keep_from_running_is_marked(place: Place) -> None:
    place.environment["SUDO_USER"] = "kim"
    place.job("scores")
    place.idms("pause", "scores", "--until", "2099-12-02", "--why", "audit")
    assert _lines(place, "--from", "2099-12-01", "--days", "2")[1:3] == [
        "2099-12-01 02:00  scores  skipped, paused: audit (by kim)",
        "2099-12-02 02:00  scores",
    ]


def test_what_a_test_will_keep_from_running_is_marked_and_in_no_calendar(place: Place) -> None:
    place.job("scores", more="require_test: true")
    place.scores("scores", 1)
    asked = ("--from", "2099-12-01", "--days", "1")
    assert _lines(place, *asked)[1] == "2099-12-01 02:00  scores  skipped, untested: idms test scores first"
    assert not Calendar.from_ical(place.idms("next", *asked, "--ical").stdout).events
    place.idms("test", "scores")
    assert _lines(place, *asked)[1] == "2099-12-01 02:00  scores"
    assert len(Calendar.from_ical(place.idms("next", *asked, "--ical").stdout).events) == 1


def test_a_job_that_comes_after_another_says_what_starts_it_and_when_that_is_due(place: Place) -> None:
    place.job("up")
    place.job("mid", schedule="{after: up}")
    place.job("down", schedule="{after: mid}")
    asked = ("--from", "2099-12-01")
    assert _lines(place, "mid", *asked)[0] == (
        "mid starts when a scheduled run of up has gone well; up is next due 2099-12-01 02:00."
    )
    assert _lines(place, "down", *asked)[0] == (
        "down starts when a scheduled run of mid has gone well; "
        "up, with which the chain to mid begins, is next due 2099-12-01 02:00."
    )
    told = place.json("next", "mid", *asked)
    assert (told["next"], told["idle"]) == ([], {"mid": "comes after up"})
    place.idms("pause", "up", "--until", "2099-12-03")
    assert _lines(place, "mid", *asked)[0].endswith("; up is next due 2099-12-03 02:00.")
    place.idms("pause", "up")
    assert _lines(place, "mid", *asked)[0].endswith("; up has no run to come.")


def test_a_job_that_runs_every_minute_leaves_room_for_the_others(place: Place) -> None:
    place.job("often", schedule='{cron: "* * * * *"}')
    place.job("scores")
    told = place.json("next", "--from", "2099-12-01", "--days", "30")
    jobs = [slot["job"] for slot in told["next"]]
    assert (jobs.count("often"), jobs.count("scores")) == (24, 24)
    assert told["cut_off"] == {"often": "2099-12-01T00:23:00+00:00", "scores": "2099-12-24T02:00:00+00:00"}
    assert "often goes on after 2099-12-01 00:23: idms next often" in _lines(place, "--from", "2099-12-01")
    shown = _lines(place, "often", "--from", "2099-12-01", "--limit", "3")
    assert shown[3:5] == ["2099-12-01 00:02  often", "There is more after these 3 slots: --limit N"]


def test_jobs_without_anything_to_come_are_named(place: Place) -> None:
    path = place.job("scores")
    path.write_text(path.read_text() + "enabled: false\n")
    place.write("jobs.d/bad.yaml", "module: import\n")
    shown = _lines(place, "--from", "2099-12-01")
    assert shown == [
        "Nothing is to come until 2099-12-08 00:00.",
        "bad: broken.",
        "scores: disabled.",
        "Times are in UTC.",
    ]


def test_a_calendar_has_an_event_for_each_slot_that_will_run(place: Place) -> None:
    place.job("scores", schedule=NEW_YORK.format("0 2 * * *"))
    place.idms("pause", "scores", "--until", "2099-12-02")
    told = place.idms("next", "--from", "2099-12-01", "--days", "3", "--ical")
    events = Calendar.from_ical(told.stdout).walk("VEVENT")
    assert [(str(event["SUMMARY"]), event.decoded("DTSTART")) for event in events] == [
        ("idms scores", datetime(2099, 12, 2, 7, tzinfo=UTC)),
        ("idms scores", datetime(2099, 12, 3, 7, tzinfo=UTC)),
    ]
    assert len({str(event["UID"]) for event in events}) == 2


def test_what_cannot_be_meant_is_told(place: Place) -> None:
    place.job("scores")
    assert "there is no time zone 'Nowhere/Land'" in place.idms("next", "--zone", "Nowhere/Land").stderr
    assert "--utc and --zone contradict each other" in place.idms("next", "--utc", "--zone", "UTC").stderr
    assert "did you mean 'scores'?" in place.idms("next", "scroes").stderr
    assert "'someday' is no time" in place.idms("next", "--from", "someday").stderr


def test_who_will_wait_for_whom_is_marked_with_a_free_time(place: Place) -> None:
    place.job("early", schedule='{cron: "0 2 * * *"}')
    place.job("late", schedule='{cron: "3 2 * * *"}')
    lines = _lines(place, "--from", "2099-12-01", "--days", "1")
    assert lines[:3] == [
        "WHEN              JOB    NOTE",
        "2099-12-01 02:00  early  late waits for it (abc_scores on test)",
        "2099-12-01 02:03  late   waits for early (abc_scores on test)",
    ]
    assert lines[3] == "In the next 14 days, one of these will wait for the other:"
    assert lines[4].startswith("    early and late over abc_scores on test: ")
    assert " meet nobody " in lines[4]
    told = place.json("next", "late", "--from", "2099-12-01", "--days", "1")
    assert told["next"][0]["conflict"] == "waits for early (abc_scores on test)"
    assert [meeting["jobs"] for meeting in told["meetings"]] in ([["early", "late"]], [["late", "early"]])
    (event,) = Calendar.from_ical(
        place.idms("next", "late", "--from", "2099-12-01", "--days", "1", "--ical").stdout
    ).events
    assert event["description"] == "waits for early (abc_scores on test)"


def test_what_is_skipped_meets_nobody(place: Place) -> None:
    place.job("early", schedule='{cron: "0 2 * * *"}')
    place.job("late", schedule='{cron: "3 2 * * *"}')
    place.idms("pause", "late")
    lines = _lines(place, "--from", "2099-12-01", "--days", "1")
    assert "wait" not in "\n".join(lines)
    place.idms("resume", "late")
    place.job("late", schedule='{cron: "3 2 * * *"}', more="require_test: true")
    lines = _lines(place, "--from", "2099-12-01", "--days", "1")
    assert "wait" not in "\n".join(lines)


def test_of_a_job_without_a_slot_in_that_time_the_first_one_after_it_is_told(place: Place) -> None:
    place.job("yearly", schedule='{cron: "0 2 5 7 *"}')
    assert _lines(place, "yearly", "--from", "2099-01-01", "--days", "2") == [
        "Nothing of yearly is to come until 2099-01-03 00:00; the first after that is 2099-07-05 02:00.",
        "Times are in UTC.",
    ]
    place.idms("pause", "yearly", "--why", "audit")
    paused = _lines(place, "yearly", "--from", "2099-01-01", "--days", "2")[0]
    assert "; the first after that is 2099-07-05 02:00, skipped, paused: audit (by " in paused


def test_of_a_job_whose_schedule_is_over_that_is_told(place: Place) -> None:
    place.job("once", schedule="{at: 2020-12-01 02:00}")
    assert _lines(place, "once")[0] == "once will not run again: its schedule is over."


def test_a_schedule_is_over_only_for_who_asks_about_the_time_after_it(place: Place) -> None:
    place.job("once", schedule="{at: 2098-12-01 02:00}")
    assert _lines(place, "once")[0].endswith("; the first after that is 2098-12-01 02:00.")
    told = _lines(place, "once", "--from", "2099-01-01")[0]
    assert told == "once will not run from 2099-01-01 00:00 on: its schedule is over then."
