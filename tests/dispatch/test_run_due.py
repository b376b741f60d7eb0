"""One call of run-due: each slot gets exactly one verdict."""

from datetime import UTC, datetime, timedelta

import pytest

from idms_cli.history.store import Store
from idms_cli.sandbox import Sandbox
from tests.conftest import SOAK, Place, courses, until

EVENING, NIGHT = "2026-11-30 20:00", "2026-12-01 02:00"


def test_a_due_job_runs_and_its_rows_reach_the_site(place: Place, site: Sandbox) -> None:
    place.job("scores")
    place.scores("scores", 3)
    place.at(EVENING)
    told = place.at(NIGHT, "--wait")
    assert told.returncode == 0
    assert told.stdout == "scores: run 1\n"
    assert place.slots("scores") == [("2026-12-01 02:00", "run", "")]
    (run,) = place.runs()
    assert (run.status, run.by_hand, run.due) == ("completed", False, datetime(2026, 12, 1, 2, tzinfo=UTC))
    assert run.counts["read"] == run.counts["inserted"] == 3
    assert {key: number for key, number in courses(site).items() if key[1] == "Bookbinding"} == {
        ("101", "Bookbinding"): 1,
        ("102", "Bookbinding"): 1,
        ("103", "Bookbinding"): 1,
    }


def test_run_due_leaves_before_its_run_ends(place: Place, site: Sandbox) -> None:
    site.latency_s = 0.2
    place.job("scores")
    place.scores("scores", 20)
    place.at(EVENING)
    place.at(NIGHT)
    assert place.json("status")["jobs"][0]["state"] in ("running", "pending")
    place.settled()
    assert place.runs()[0].status == "completed"


def test_the_same_slot_is_never_taken_twice(place: Place) -> None:
    place.job("scores")
    place.scores("scores", 1)
    place.at(EVENING)
    place.at(NIGHT, "--wait")
    place.at(NIGHT, "--wait")
    place.at("2026-12-01 02:01", "--wait")
    assert len(place.runs()) == 1


def test_a_new_job_owes_nothing_from_before_it_was_seen(place: Place) -> None:
    place.job("scores", schedule='{cron: "* * * * *"}')
    place.at(NIGHT)
    assert place.slots("scores") == []


def test_after_downtime_the_latest_slot_runs_and_older_ones_are_told_as_missed(place: Place) -> None:
    place.job("scores", schedule='{cron: "0 * * * *"}')
    place.scores("scores", 1)
    place.at("2026-12-01 00:30")
    told = place.at("2026-12-01 03:30", "--wait")
    assert told.stdout == "scores: run 1, 30m late\nscores: 2 earlier slots skipped\n"
    assert place.slots("scores") == [
        ("2026-12-01 01:00", "skipped", "missed"),
        ("2026-12-01 02:00", "skipped", "missed"),
        ("2026-12-01 03:00", "run", ""),
    ]


@pytest.mark.parametrize(
    ("grace", "late", "verdict"),
    [
        ("", "08:00", "run"),
        ("", "08:01", "skipped"),
        (", grace: 30m", "02:30", "run"),
        (", grace: 30m", "02:31", "skipped"),
    ],
    ids=["default in time", "default too late", "own in time", "own too late"],
)
def test_a_slot_over_its_grace_does_not_run(place: Place, grace: str, late: str, verdict: str) -> None:
    place.job("scores", schedule=f'{{cron: "0 2 * * *"{grace}}}')
    place.scores("scores", 1)
    place.at(EVENING)
    place.at(f"2026-12-01 {late}", "--wait")
    assert place.slots("scores") == [("2026-12-01 02:00", verdict, "missed" if verdict == "skipped" else "")]


def test_a_long_absence_costs_one_row_for_what_is_older_than_a_thousand_slots(place: Place) -> None:
    place.job("scores", schedule='{cron: "* * * * *"}')
    place.scores("scores", 1)
    place.at("2026-01-01 00:00")
    place.at("2026-12-01 00:00", "--wait")
    first, *rest = place.json("history", "scores", "--limit", "5000")["history"][::-1]
    assert (first["due"], first["until"]) == ("2026-01-01T00:01:00+00:00", "2026-11-30T07:20:00+00:00")
    assert [item["status"] for item in rest] == ["skipped"] * 999 + ["completed"]


def test_one_broken_file_stops_nobody_and_its_own_slots_are_told(place: Place) -> None:
    place.job("good")
    place.scores("good", 1)
    place.job("bad")
    place.at(EVENING)
    place.write("jobs.d/bad.yaml", "module: import\nwith: {\n")
    told = place.at(NIGHT, "--wait")
    assert told.returncode == 2
    assert f"{place.directory}/jobs.d/bad.yaml:3:1:" in told.stderr
    assert place.runs()[0].job == "good"
    assert place.slots("bad") == [("2026-12-01 02:00", "skipped", "broken")]


def test_a_disabled_job_has_its_slots_told(place: Place) -> None:
    path = place.job("scores")
    place.at(EVENING)
    path.write_text(path.read_text() + "enabled: false\n")
    place.at(NIGHT)
    assert place.slots("scores") == [("2026-12-01 02:00", "skipped", "disabled")]


def test_a_schedule_edited_at_noon_does_not_fire_for_the_morning(place: Place) -> None:
    place.job("scores", schedule='{cron: "0 18 * * *"}')
    place.at("2026-12-01 06:00")
    place.job("scores", schedule='{cron: "0 9 * * *"}')
    place.at("2026-12-01 12:00")
    assert place.slots("scores") == []
    assert place.json("status")["jobs"][0]["next_due"] == "2026-12-02T09:00:00+00:00"


def test_a_slot_that_was_due_when_its_schedule_was_changed_is_told(place: Place) -> None:
    place.job("scores", schedule='{cron: "0 9 * * *"}')
    place.at("2026-12-01 06:00")
    place.job("scores", schedule='{cron: "0 18 * * *"}')
    place.at("2026-12-01 12:00")
    assert place.slots("scores") == [("2026-12-01 09:00", "skipped", "schedule changed")]


def test_a_removed_job_has_its_due_slot_told(place: Place) -> None:
    path = place.job("scores")
    place.at(EVENING)
    path.unlink()
    place.at(NIGHT)
    assert place.slots("scores") == [("2026-12-01 02:00", "skipped", "removed")]


def test_a_one_time_job_runs_once(place: Place) -> None:
    place.job("once", schedule="{at: 2026-12-01 02:00}")
    place.scores("once", 1)
    place.at(EVENING)
    place.at(NIGHT, "--wait")
    place.at("2026-12-02 02:00", "--wait")
    assert place.slots("once") == [("2026-12-01 02:00", "run", "")]


def test_a_one_time_job_that_was_past_when_first_seen_is_told_as_past(place: Place) -> None:
    place.job("once", schedule="{at: 2026-11-01 02:00}")
    place.at(EVENING)
    assert place.slots("once") == [("2026-11-01 02:00", "skipped", "past")]


def test_a_job_whose_last_run_still_runs_is_skipped_as_overlap(place: Place, site: Sandbox) -> None:
    site.latency_s = 0.3
    place.job("scores", schedule='{cron: "0 * * * *"}')
    place.scores("scores", 30)
    place.at("2026-12-01 00:30")
    place.at("2026-12-01 01:00")
    told = place.at("2026-12-01 02:00")
    assert told.stdout.startswith("scores: skipped, overlap: run 1 is still ")
    assert place.slots("scores")[1] == ("2026-12-01 02:00", "skipped", "overlap")


def test_two_jobs_that_write_the_same_data_run_one_after_the_other(place: Place, site: Sandbox) -> None:
    site.latency_s = 0.05
    for name in ("first", "second"):
        place.job(name)
        place.scores(name, 10, course=name)
    place.at(EVENING)
    place.at(NIGHT)
    waiting = until(lambda: next((run for run in place.runs() if run.status == "pending"), None))
    assert waiting.reason.startswith("waits for abc_scores on test, held by run 1 of first since ")
    place.settled()
    first, second = place.runs()
    assert (first.status, second.status) == ("completed", "completed")
    assert first.ended_at is not None
    assert second.started_at is not None
    assert first.ended_at <= second.started_at


def test_max_parallel_holds_over_all_processes_and_a_run_that_ends_starts_the_next(place: Place, url: str) -> None:
    place.settings(url, more="max_parallel: 2\n")
    kinds = ("ABC_Scores", "ABC_Membership", "ABC_Codes", "Activity")
    for number in range(6):
        place.job(f"job{number}")
        text = (place.directory / f"jobs.d/job{number}.yaml").read_text()
        place.write(f"jobs.d/job{number}.yaml", text.replace("ABC_Scores", kinds[number % 4]))
        place.scores(f"job{number}", 1)
    place.at(EVENING)
    place.at(NIGHT)
    until(lambda: all(not run.is_open for run in place.runs()))
    runs = place.runs()
    assert len(runs) == 6
    edges = sorted([(run.started_at, 1) for run in runs] + [(run.ended_at, -1) for run in runs])
    at_once = most = 0
    for _, step in edges:
        at_once += step
        most = max(most, at_once)
    assert most <= 2


@pytest.mark.slow
def test_many_run_due_at_once_run_each_slot_once(place: Place, site: Sandbox) -> None:
    callers, jobs = (50, 50) if SOAK else (8, 12)
    for number in range(jobs):
        place.job(f"job{number}")
        place.scores(f"job{number}", 1, course=f"Course {number}")
    place.at(EVENING)
    started = [place.start("run-due", "--at", f"{NIGHT}+00:00") for _ in range(callers)]
    told = [process.communicate(timeout=120)[0] for process in started]
    assert [process.returncode for process in started] == [0] * callers, told
    until(lambda: all(not run.is_open for run in place.runs()), limit_s=600)
    runs = place.runs()
    assert sorted(run.job for run in runs) == sorted(f"job{number}" for number in range(jobs))
    assert {run.status for run in runs} == {"completed"}
    written = courses(site)
    assert [written["101", f"Course {number}"] for number in range(jobs)] == [1] * jobs


def test_wait_stays_until_its_runs_have_ended_and_tells_failure(place: Place) -> None:
    place.job("scores")  # and no file for it
    place.at(EVENING)
    told = place.at(NIGHT, "--wait")
    assert told.returncode == 1
    (run,) = place.runs()
    assert (run.status, run.exit_code) == ("failed", 5)
    assert run.reason == f"missing: {place.directory}/scores.csv: there is no such file."


def test_a_pretended_time_goes_on_while_run_due_waits(place: Place, site: Sandbox) -> None:
    often = "from idms_cli.dispatch import waiting\nwaiting.TICK_EVERY_S = 0.2\n"
    place.write("often/sitecustomize.py", often)
    place.environment["PYTHONPATH"] = str(place.directory / "often")
    site.latency_s = 0.1
    place.job("scores")
    place.scores("scores", 5)
    place.job("off", more="enabled: false")
    place.at("2099-11-30 20:00")
    place.at("2099-12-01 02:00", "--wait")
    assert place.slots("scores") == [("2099-12-01 02:00", "run", "")]
    assert place.slots("off") == [("2099-12-01 02:00", "skipped", "disabled")]
    with Store(place.state) as store:
        notes = {row[0] for row in store.database.connection.execute("SELECT note FROM tick")}
    assert notes == {"as if at 2099-11-30 20:00 UTC", "as if at 2099-12-01 02:00 UTC"}


def test_a_time_that_is_none_is_refused(place: Place) -> None:
    told = place.idms("run-due", "--at", "tomorrow")
    assert told.returncode == 2
    assert "'tomorrow' is no time; write it like 2026-12-01 02:15" in told.stderr


def test_every_call_leaves_a_tick(place: Place) -> None:
    assert "run-due has never been called" in place.idms("status").stdout
    place.idms("run-due")
    assert "run-due" not in place.idms("status").stdout


def test_check_tells_a_one_time_job_that_is_past_and_did_not_run(place: Place) -> None:
    place.job("once", schedule="{at: 2020-01-01 02:00}")
    told = place.idms("check")
    assert told.returncode == 2
    assert "once.yaml:3:16: this time is past: the job will never run on its own" in told.stdout


def test_check_has_nothing_against_a_one_time_job_that_has_run(place: Place) -> None:
    place.job("once", schedule="{at: 2020-01-01 02:00}")
    place.scores("once", 1)
    place.at("2019-12-31 20:00")
    place.at("2020-01-01 02:00", "--wait")
    assert place.idms("check").returncode == 0


def test_what_was_pretended_for_the_future_does_not_silence_the_schedule(place: Place) -> None:
    place.job("scores", schedule='{cron: "0 * * * *"}')
    place.scores("scores", 1)
    place.idms("run-due")
    place.at("2099-01-01 00:30", "--wait")
    assert len(place.slots("scores")) == 100  # and more
    place.idms("run-due")
    (taken,) = place.slots("scores")
    assert taken == ("2099-01-01 00:00", "run", "")
    due = datetime.fromisoformat(place.json("status")["jobs"][0]["next_due"])
    assert due - datetime.now(UTC) <= timedelta(hours=1)


def test_all_mistakes_of_one_file_are_told_at_once(place: Place) -> None:
    path = place.job("scores", schedule='{cron: "0 25 * * *", timezone: Amrica/New_York}')
    path.write_text(path.read_text() + "connection: nope\ntimeout: never\n")
    told = place.idms("check").stdout
    for part in ("hour field", "Amrica/New_York", "there is no connection 'nope'", "duration"):
        assert part in told, told


def test_of_several_problems_that_a_run_finds_the_reason_has_the_first_and_the_log_all(place: Place) -> None:
    place.job("scores")
    place.write("scores.csv", "member,corse,grad\n101,Bookbinding,A\n")
    told = place.idms("run", "scores")
    assert told.returncode == 2
    reason, hint, *_, last = told.stdout.splitlines()
    assert reason.endswith(": the file has no column 'course'; and 1 more problem")
    assert hint == "did you mean 'corse'?; `idms log 1` has all of them"
    assert last.endswith("; and 1 more problem")
    assert "the file has no column 'grade'; hint: did you mean 'grad'?\n" in place.idms("log", "1").stdout
