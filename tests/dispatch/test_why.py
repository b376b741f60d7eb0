"""`idms why`: one sentence for every verdict, and for every moment that has none."""

import re
from collections.abc import Callable

import pytest

from idms_cli.history.store import Store
from idms_cli.sandbox import Sandbox
from tests.conftest import Place, until

DAILY = '{cron: "0 2 * * *"}'
HOURLY = '{{cron: "0 * * * *"{}}}'


def _why(place: Place, at: str = "") -> str:
    told = place.idms("why", "scores", *(["--at", at] if at else []))
    assert told.returncode == 0, told.stderr
    sentence = told.stdout.splitlines()[0]
    sentence = re.sub(r" in \d+(\.\d)? s", " in TIME", sentence)
    return re.sub(r"(today|yesterday) \d\d:\d\d", "NOW", sentence)


def _next(place: Place) -> str:
    return place.idms("why", "scores").stdout.splitlines()[1]


def _seen(place: Place, schedule: str = DAILY, at: str = "2099-11-30 12:00") -> None:
    place.environment["SUDO_USER"] = "kim"
    place.job("scores", schedule=schedule)
    place.scores("scores", 1)
    place.at(at)


def _ran(place: Place) -> None:
    place.at("2099-12-01 02:00", "--wait")


def _ran_late(place: Place) -> None:
    place.at("2099-12-01 05:00", "--wait")


def _failed(place: Place) -> None:
    (place.directory / "scores.csv").unlink()
    place.at("2099-12-01 02:00", "--wait")


def _over_the_grace(place: Place) -> None:
    place.at("2099-12-01 12:00", "--wait")


def _paused(place: Place) -> None:
    place.idms("pause", "scores", "--until", "2099-12-02 00:00", "--why", "new codes")
    place.at("2099-12-01 02:00")


def _disabled(place: Place) -> None:
    path = place.directory / "jobs.d/scores.yaml"
    path.write_text(path.read_text() + "enabled: false\n")
    place.at("2099-12-01 02:00")


def _broken(place: Place) -> None:
    path = place.directory / "jobs.d/scores.yaml"
    path.write_text(path.read_text() + "enbled: false\n")
    place.at("2099-12-01 02:00")


def _removed(place: Place) -> None:
    (place.directory / "jobs.d/scores.yaml").unlink()
    place.at("2099-12-01 02:00")


def _edited(place: Place) -> None:
    place.job("scores", schedule='{cron: "0 7 * * *"}')
    place.at("2099-12-01 02:00")


@pytest.mark.parametrize(
    ("happened", "sentence"),
    [
        (_ran, "scores ran for 2099-12-01 02:00: run 1, completed in TIME; 1 read = 1 inserted."),
        (_ran_late, "scores ran for 2099-12-01 02:00, 3h late: run 1, completed in TIME; 1 read = 1 inserted."),
        (
            _failed,
            "scores ran for 2099-12-01 02:00: run 1, failed in TIME; missing: DIR/scores.csv: there is no such file.",
        ),
        (_over_the_grace, "scores did not run for 2099-12-01 02:00: it was missed, over the grace of 6h."),
        (_paused, "scores did not run for 2099-12-01 02:00: it was paused, new codes (by kim)."),
        (
            _disabled,
            "scores did not run for 2099-12-01 02:00: it was switched off, the job file says enabled: false.",
        ),
        (
            _broken,
            "scores did not run for 2099-12-01 02:00: its file was broken, DIR/jobs.d/scores.yaml:10: "
            "the key 'enbled' is not known here.",
        ),
        (_removed, "scores did not run for 2099-12-01 02:00: the job file is gone."),
        (
            _edited,
            "scores did not run for 2099-12-01 02:00: the schedule was changed before anybody called run-due; "
            "it was daily 02:00 (UTC).",
        ),
    ],
)
def test_why_a_slot_did_or_did_not_run(place: Place, happened: Callable[[Place], None], sentence: str) -> None:
    _seen(place)
    happened(place)
    told = _why(place, "2099-12-01 02:00").replace(str(place.directory), "DIR")
    assert told == sentence
    if happened is not _edited:
        assert _why(place).replace(str(place.directory), "DIR") == sentence


def test_a_slot_that_a_later_one_replaced_and_one_inside_a_long_stretch(place: Place) -> None:
    _seen(place, '{cron: "* * * * *"}', "2099-12-01 00:00")
    place.at("2099-12-03 00:00", "--wait")
    assert _why(place, "2099-12-02 23:00") == (
        "scores did not run for 2099-12-02 23:00: it was missed, a later one took its place."
    )
    with Store(place.state) as store, store.database.write() as connection:
        connection.execute("UPDATE job SET since = 0")
    assert _why(place, "2099-12-01 12:34") == (
        "scores did not run for 2099-12-01 12:34: it was missed, over the grace of 6h."
    )


def test_overlap_names_the_run_that_was_still_at_work(place: Place, site: Sandbox) -> None:
    site.latency_s = 0.3
    _seen(place, HOURLY.format(""), "2099-12-01 00:30")
    place.scores("scores", 30)
    place.at("2099-12-01 01:00")
    until(lambda: place.runs()[0].status == "running")
    assert _why(place) == "scores runs for 2099-12-01 01:00: run 1 is running."
    place.at("2099-12-01 02:00")
    assert _why(place) == "scores did not run for 2099-12-01 02:00: run 1 was still running."


def test_what_waits_says_for_whom(place: Place, site: Sandbox) -> None:
    site.latency_s = 0.1
    _seen(place, HOURLY.format(", missed: all"), "2099-12-01 00:30")
    place.scores("scores", 20)
    place.at("2099-12-01 02:00")
    until(lambda: len(place.runs()) == 2 and place.runs()[1].reason)
    told = _why(place)
    assert told.startswith("scores is to run for 2099-12-01 02:00: run 2 is pending, waits for ")


@pytest.mark.parametrize(
    ("at", "sentence"),
    [
        (
            "2099-12-01 12:00",
            "scores is not due 2099-12-01 12:00. "
            "Nearest slots: 2099-12-01 02:00 (completed) before it, 2099-12-02 02:00 after it.",
        ),
        ("2099-12-05 02:00", "scores is to run for 2099-12-05 02:00: that is still to come."),
        (
            "2000-01-01 02:00",
            "scores was not there 2000-01-01 02:00: it was first seen 2099-11-30 12:00. "
            "Nearest slot: 2099-12-01 02:00 (completed) after it.",
        ),
    ],
)
def test_a_moment_without_a_verdict(place: Place, at: str, sentence: str) -> None:
    _seen(place)
    place.at("2099-12-01 02:00", "--wait")
    assert _why(place, at) == sentence


def test_a_slot_in_a_window_says_what_it_waits_for_and_what_takes_its_place(place: Place, url: str) -> None:
    place.settings(url, more='calendars: {inventory: {weekly: "tue 01:30-04:30"}}\n')
    _seen(place, "{hourly: 0, not_during: inventory}", "2099-12-01 01:00")
    assert _why(place, "2099-12-01 02:00") == (
        "scores will not run for 2099-12-01 02:00: "
        "a later slot takes its place at the end of inventory, 2099-12-01 04:30."
    )
    assert _why(place, "2099-12-01 04:00") == (
        "scores is to run for 2099-12-01 04:00, at 2099-12-01 04:30 (deferred to the end of inventory): "
        "that is still to come."
    )
    place.at("2099-12-01 04:30", "--wait")
    assert _why(place, "2099-12-01 02:00") == (
        "scores did not run for 2099-12-01 02:00: a later slot took its place at the end of inventory."
    )


def test_a_slot_that_a_holiday_moves_says_where_to(place: Place, url: str) -> None:
    place.settings(url, more="calendars: {feasts: {dates: {2099-12-25: Christmas Day}}}\n")
    _seen(place, "{at: 2099-12-25 09:00, holidays: {calendar: feasts, then: previous}}")
    assert _why(place, "2099-12-25 09:00") == (
        "scores is not due 2099-12-25 09:00: it is moved to 2099-12-24 09:00 for Christmas Day. "
        "Nearest slot: 2099-12-24 09:00 before it."
    )
    assert _why(place, "2099-12-25 09:30").startswith("scores is not due 2099-12-25 09:30. ")


def test_a_slot_that_was_due_while_nobody_called_run_due_has_no_verdict_yet(place: Place) -> None:
    _seen(place)
    place.idms("run-due")
    with Store(place.state) as store:
        store.catalog.rewind("scores", decided_until=86_400, next_due=86_400 + 7200)
    assert _why(place).startswith("scores was due NOW, and nothing has been decided yet: nobody has called run-due ")


def test_when_it_will_run(place: Place) -> None:
    _seen(place, "{at: 2099-12-01 02:00}")
    place.idms("run-due")
    assert _next(place) == "Next: 2099-12-01 02:00."
    place.idms("pause", "scores", "--why", "audit")
    assert _next(place) == ("It will not run before somebody calls `idms resume scores`; it is paused: audit (by kim).")
    place.idms("pause", "scores", "--until", "2099-11-01", "--why", "audit")
    assert _next(place) == "Next: 2099-12-01 02:00, after the pause, audit (by kim)."
    place.idms("pause", "scores", "--until", "2099-12-24")
    assert _next(place) == "It will not run again: its schedule is over."
    _disabled(place)
    assert _next(place) == "It will not run on its own: the job file says enabled: false."
    _broken(place)
    assert _next(place).startswith(f"It will not run before its file is mended: {place.directory}/jobs.d/scores.yaml:")
    _removed(place)
    assert _next(place) == "It will not run: its file is gone."


def test_a_job_without_a_schedule(place: Place) -> None:
    path = place.job("scores")
    path.write_text(path.read_text().replace(f"schedule: {DAILY}\n", ""))
    assert _why(place) == "scores never ran on its own: it has no schedule."
    assert _next(place) == "It runs when somebody calls `idms run scores`."
    assert _why(place, "2099-01-01") == "scores was not due 2099-01-01 00:00: it has no schedule."


def test_times_are_by_the_clock_of_the_job(place: Place) -> None:
    _seen(place, '{cron: "0 2 * * *", timezone: Asia/Tokyo}')
    place.at("2099-11-30 17:00", "--wait")
    told = place.idms("why", "scores", "--at", "2099-12-01 02:00").stdout
    assert told.startswith("scores ran for 2099-12-01 02:00: run 1, completed")
    assert told.endswith("Times are in Asia/Tokyo.\n")


def test_json_has_the_facts_and_the_sentences(place: Place) -> None:
    _seen(place)
    _over_the_grace(place)
    told = place.json("why", "scores", "--at", "2099-12-01 02:00")
    assert told["version"] == 1
    why = told["why"]
    assert (why["verdict"], why["code"], why["run"]) == ("skipped", "missed", None)
    assert why["slot"] == "2099-12-01T02:00:00+00:00"
    assert why["sentence"] == "scores did not run for 2099-12-01 02:00: it was missed, over the grace of 6h."
    assert why["next_due"] is not None


def test_a_name_that_is_none_is_told_with_a_near_one(place: Place) -> None:
    place.job("scores")
    told = place.idms("why", "scroes")
    assert (told.returncode, told.stderr) == (2, "idms: there is no job 'scroes'\nhint: did you mean 'scores'?\n")
