"""What is owed after downtime, and what becomes of it when the job is changed meanwhile."""

import itertools

import pytest

from idms_cli.history.store import Store
from idms_cli.sandbox import Sandbox
from tests.conftest import Place, courses, until

HOURLY = '{{cron: "0 * * * *", missed: {}}}'


def _hourly(place: Place, missed: str) -> None:
    place.job("scores", schedule=HOURLY.format(missed))
    place.scores("scores", 1)
    place.at("2026-12-01 00:30")


def test_missed_skip_runs_nothing_that_is_late(place: Place) -> None:
    _hourly(place, "skip")
    place.at("2026-12-01 03:30", "--wait")
    place.at("2026-12-01 04:02", "--wait")
    assert place.slots("scores") == [
        ("2026-12-01 01:00", "skipped", "missed"),
        ("2026-12-01 02:00", "skipped", "missed"),
        ("2026-12-01 03:00", "skipped", "missed"),
        ("2026-12-01 04:00", "run", ""),
    ]


def test_missed_all_gives_each_slot_its_run_oldest_first_and_none_beside_another(place: Place) -> None:
    _hourly(place, "all")
    told = place.at("2026-12-01 03:30", "--wait")
    assert told.stdout == "scores: runs 1, 2, 3, 2h30m late\n"
    assert [verdict for _, verdict, _ in place.slots("scores")] == ["run"] * 3
    runs = place.runs()
    assert [f"{run.due:%H:%M}" for run in runs] == ["01:00", "02:00", "03:00"]
    assert [run.status for run in runs] == ["completed"] * 3
    assert [run.late_s for run in runs] == [9000, 5400, 1800]
    for one, following in itertools.pairwise(runs):
        assert one.ended_at is not None
        assert following.started_at is not None
        assert one.ended_at <= following.started_at


def test_missed_all_leaves_out_what_is_over_the_grace(place: Place) -> None:
    _hourly(place, "all, grace: 2h")
    place.at("2026-12-01 03:30", "--wait")
    assert place.slots("scores") == [
        ("2026-12-01 01:00", "skipped", "missed"),
        ("2026-12-01 02:00", "run", ""),
        ("2026-12-01 03:00", "run", ""),
    ]


def test_with_missed_all_a_slot_that_comes_while_another_runs_waits_for_it(place: Place, site: Sandbox) -> None:
    site.latency_s = 0.2
    _hourly(place, "all")
    place.scores("scores", 10)
    place.at("2026-12-01 01:00")
    place.at("2026-12-01 02:00")
    waiting = until(lambda: next((run for run in place.runs() if run.status == "pending" and run.reason), None))
    assert waiting.reason in ("waits for run 1 of the same job", "waits for the earlier slots of the same job")
    place.settled()
    assert [run.status for run in place.runs()] == ["completed"] * 2


def test_an_interrupted_slot_goes_on_before_those_after_it_begin(place: Place, site: Sandbox) -> None:
    _hourly(place, "all")
    place.at("2026-12-01 01:00", "--wait")
    with Store(place.state) as store, store.database.write() as connection:
        connection.execute("UPDATE run SET status = 'interrupted', ended_at = NULL WHERE id = 1")
    place.at("2026-12-01 02:00", "--wait")
    first, second = place.runs()
    assert (first.status, first.attempt, second.status) == ("completed", 2, "completed")
    assert first.ended_at is not None
    assert second.started_at is not None
    assert first.ended_at <= second.started_at
    assert courses(site)["101", "Bookbinding"] == 1


def test_a_late_slot_is_told_as_late_and_one_that_is_on_time_is_not(place: Place) -> None:
    _hourly(place, "once")
    place.at("2026-12-01 01:02", "--wait")
    place.at("2026-12-01 05:30", "--wait")
    on_time, late = place.runs()
    assert (on_time.late_s, late.late_s) == (0, 1800)
    assert "30m late" in place.idms("history").stdout
    assert ", 30m late)" in place.idms("show", "2").stdout
    assert "30m late" in place.idms("status").stdout
    assert " late)" not in place.idms("show", "1").stdout
    assert [run["late_s"] for run in place.json("history", "--status", "completed")["history"]] == [1800, 0]


def test_of_slots_at_once_past_and_within_the_grace_the_reasons_tell_which_is_which(place: Place) -> None:
    _hourly(place, "once, grace: 90m")
    place.at("2026-12-01 04:30", "--wait")
    with Store(place.state) as store:
        reasons = [slot.reason for slot in store.slots.of("scores")[::-1]]
    assert reasons == [
        "missed: over the grace of 1h30m",
        "missed: over the grace of 1h30m",
        "missed: a later one took its place",
        "",
    ]


def test_each_slot_that_a_removed_job_owed_has_its_verdict(place: Place) -> None:
    _hourly(place, "all")
    (place.directory / "jobs.d/scores.yaml").unlink()
    told = place.at("2026-12-01 03:30")
    assert told.stdout == "scores: 3 slots skipped, removed: the job file is gone\n"
    assert place.slots("scores") == [(f"2026-12-01 0{hour}:00", "skipped", "removed") for hour in (1, 2, 3)]


def test_a_renamed_job_is_another_job_which_owes_nothing_from_before(place: Place) -> None:
    _hourly(place, "all")
    (place.directory / "jobs.d/scores.yaml").rename(place.directory / "jobs.d/results.yaml")
    told = place.at("2026-12-01 03:30")
    assert told.stdout == "scores: 3 slots skipped, removed: its file is results.yaml now, another job\n"
    assert len(place.slots("scores")) == 3
    assert place.slots("results") == []


def test_a_change_of_schedule_is_told_with_what_it_was(place: Place) -> None:
    _hourly(place, "all")
    place.job("scores", schedule='{cron: "30 5 * * *"}')
    told = place.at("2026-12-01 02:30")
    assert told.stdout == "scores: 2 slots skipped, schedule changed: it was hourly at :00 (UTC)\n"


def test_status_tells_what_an_edit_let_go(place: Place) -> None:
    place.job("scores", schedule='{cron: "* * * * *"}')
    place.idms("run-due")
    with Store(place.state) as store:
        row = store.catalog.all()["scores"]
        due = row.decided_until - row.decided_until % 60
        store.catalog.rewind("scores", decided_until=due - 61, next_due=due)
    (place.directory / "jobs.d/scores.yaml").unlink()
    assert " skipped, removed: the job file is gone\n" in place.idms("status").stdout


@pytest.mark.parametrize(("before", "after"), [("true", "false"), ("false", "true")])
def test_a_job_that_is_switched_on_or_off_owes_nothing_from_before(place: Place, before: str, after: str) -> None:
    path = place.job("scores", schedule=HOURLY.format("all"))
    text = path.read_text()
    path.write_text(f"{text}enabled: {before}\n")
    place.at("2026-12-01 00:30")
    path.write_text(f"{text}enabled: {after}\n")
    told = place.at("2026-12-01 02:30")
    assert told.stdout.startswith("scores: 2 slots skipped, disabled: the job file sa")
    assert place.slots("scores") == [(f"2026-12-01 0{hour}:00", "skipped", "disabled") for hour in (1, 2)]


def test_an_edit_that_leaves_the_schedule_alone_leaves_what_is_owed(place: Place) -> None:
    _hourly(place, "all")
    path = place.directory / "jobs.d/scores.yaml"
    path.write_text(path.read_text() + "timeout: 10m\n")
    place.at("2026-12-01 02:30", "--wait")
    assert [verdict for _, verdict, _ in place.slots("scores")] == ["run", "run"]


def test_what_missed_may_be_is_told(place: Place) -> None:
    place.job("scores", schedule=HOURLY.format("twice"))
    told = place.idms("check")
    assert told.returncode == 2
    for word in ("skip", "once", "all"):
        assert word in told.stdout
