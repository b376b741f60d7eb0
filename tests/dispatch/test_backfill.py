"""`idms backfill`: what has no success runs, oldest first, each in its own slot's time and none twice."""

import os
import re
import signal
import subprocess

import pytest

from idms_cli.history.store import Store
from idms_cli.sandbox import Sandbox
from tests.conftest import Place, courses, until

DAILY = '{cron: "0 2 * * *"}'
STRETCH = ("--from", "2020-12-01", "--to", "2020-12-03")


@pytest.fixture
def missed(place: Place) -> Place:
    """A daily job that was paused for three days of December 2020."""
    place.environment["SUDO_USER"] = "kim"
    place.job("scores", schedule=DAILY)
    place.scores("scores", 1)
    place.at("2020-11-30 12:00")
    with Store(place.state) as store:
        store.pauses.begin("scores", 1_606_700_000, until=1_606_978_800, why="audit", who="kim")  # to 2020-12-03 07:00
    for day in (1, 2, 3):
        place.at(f"2020-12-0{day} 02:00")
    return place


def _backfill(place: Place, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return place.idms("backfill", "scores", *(arguments or STRETCH), "--yes")


def _slots(place: Place) -> list[tuple[str, str, str, int | None]]:
    with Store(place.state) as store:
        found = store.slots.of("scores")[::-1]
    return [(f"{slot.due:%d %H:%M}", slot.verdict, slot.code, slot.made_up_by) for slot in found]


def test_what_would_run_is_shown_first(missed: Place) -> None:
    told = missed.idms("backfill", "scores", *STRETCH, "--list")
    assert told.returncode == 0
    assert told.stdout.splitlines() == [
        "SLOT              NOW  SO FAR",
        "2020-12-01 02:00  run  skipped, paused: audit (by kim)",
        "2020-12-02 02:00  run  skipped, paused: audit (by kim)",
        "2020-12-03 02:00  run  skipped, paused: audit (by kim)",
        "3 slots of scores to run, oldest first.",
        "Times are in UTC.",
    ]
    assert missed.runs() == []


def test_what_is_still_to_come_cannot_be_made_up_for(missed: Place) -> None:
    told = missed.idms("backfill", "scores", "--from", "2099-12-01")
    assert told.returncode == 2
    assert "Invalid value for --from: '2099-12-01' is still to come: it is " in told.stderr


def test_where_nobody_can_be_asked_nothing_runs_without_yes(missed: Place) -> None:
    told = missed.idms("backfill", "scores", *STRETCH)
    assert told.returncode == 2
    assert "hint: Say --yes to run these slots, --list to only see them.\n" in told.stderr
    assert missed.runs() == []


def test_slots_without_success_run_oldest_first_and_their_verdicts_keep_their_trace(missed: Place) -> None:
    told = _backfill(missed)
    assert told.returncode == 0
    assert re.findall(r"^(\S+ \S+): run (\d) of scores: completed", told.stderr, re.MULTILINE) == [
        ("2020-12-01 02:00", "1"),
        ("2020-12-02 02:00", "2"),
        ("2020-12-03 02:00", "3"),
    ]
    assert told.stdout.endswith("3 of 3 slots of scores ran well.\n")
    runs = missed.runs()
    assert [(run.intent, run.by_hand, f"{run.due:%d %H:%M}") for run in runs] == [
        ("backfill", True, "01 02:00"),
        ("backfill", True, "02 02:00"),
        ("backfill", True, "03 02:00"),
    ]
    assert _slots(missed) == [
        ("01 02:00", "skipped", "paused", 1),
        ("02 02:00", "skipped", "paused", 2),
        ("03 02:00", "skipped", "paused", 3),
    ]
    assert "paused: audit (by kim); made up for by run 3" in missed.idms("history").stdout
    assert "Run 2 made up for it: completed." in missed.idms("why", "scores", "--at", "2020-12-02 02:00").stdout


def test_what_ran_well_is_left_alone_unless_it_is_wanted_again(missed: Place) -> None:
    missed.at("2020-12-04 02:00", "--wait")
    told = _backfill(missed, "--from", "2020-12-03", "--to", "2020-12-04")
    assert "2020-12-04 02:00  -    run 1 completed" in told.stdout
    assert "1 of 1 slot of scores ran well." in told.stdout
    assert "scores: there is nothing to run." in _backfill(missed, "--from", "2020-12-03", "--to", "2020-12-04").stdout
    _backfill(missed, "--from", "2020-12-04", "--to", "2020-12-04", "--again")
    assert [f"{run.due:%d}" for run in missed.runs()] == ["04", "03", "04"]
    assert _slots(missed)[-1] == ("04 02:00", "run", "", 3)


def test_slots_from_before_the_job_was_seen_may_be_wanted(missed: Place) -> None:
    _backfill(missed, "--from", "2020-11-28", "--to", "2020-11-29")
    assert _slots(missed)[:2] == [("28 02:00", "skipped", "not owed", 1), ("29 02:00", "skipped", "not owed", 2)]
    assert [run.status for run in missed.runs()] == ["completed", "completed"]


def test_a_slot_from_before_the_job_was_seen_does_not_hide_the_others_of_that_time(missed: Place) -> None:
    stretch = ("--from", "2020-11-27", "--to", "2020-11-30")
    (missed.directory / "scores.csv").unlink()
    assert "3 slots not tried, from 2020-11-28 02:00 on." in _backfill(missed, *stretch).stdout
    told = missed.json("backfill", "scores", *stretch, "--list")["backfill"]["slots"]
    assert [(slot["slot"][8:10], slot["action"]) for slot in told] == [(day, "run") for day in ("27", "28", "29", "30")]
    missed.scores("scores", 1)
    assert "4 of 4 slots of scores ran well." in _backfill(missed, *stretch).stdout
    assert [code for _, _, code, _ in _slots(missed)] == ["not owed"] * 4 + ["paused"] * 3


@pytest.mark.parametrize(
    ("schedule", "stretch"),
    [
        ("{weekly: mon 06:00}", ("--from", "2020-12-01", "--to", "2020-12-03")),
        ("{at: 2099-12-01 02:00}", ("--from", "2020-12-01")),
        ("{after: scores}", ("--from", "2020-12-01")),
    ],
)
def test_where_a_stretch_has_no_slot_there_is_nothing_to_run(
    missed: Place, schedule: str, stretch: tuple[str, ...]
) -> None:
    missed.job("other", schedule=schedule)
    told = missed.idms("backfill", "other", *stretch, "--list")
    assert (told.returncode, told.stdout) == (0, "other: there is nothing to run.\nTimes are in UTC.\n")
    assert missed.json("backfill", "other", *stretch, "--yes")["backfill"] == {"job": "other", "slots": []}


def test_after_a_change_of_schedule_the_slots_of_its_time_count(missed: Place) -> None:
    missed.job("scores", schedule='{cron: "0 5 * * *"}')
    missed.at("2020-12-03 12:00")
    missed.at("2020-12-04 05:00", "--wait")
    told = missed.idms("backfill", "scores", "--from", "2020-12-02", "--to", "2020-12-05", "--list").stdout
    assert [line.split()[:2] for line in told.splitlines()[1:4]] == [
        ["2020-12-02", "02:00"],
        ["2020-12-03", "02:00"],
        ["2020-12-04", "05:00"],
    ]


def test_a_slot_within_a_long_stretch_gets_a_row_of_its_own(place: Place) -> None:
    place.job("scores", schedule='{cron: "* * * * *"}')
    place.scores("scores", 1)
    place.at("2020-12-01 00:00")
    place.at("2020-12-03 00:00", "--wait")
    _backfill(place, "--from", "2020-12-01 00:01", "--to", "2020-12-01 00:03")
    with Store(place.state) as store:
        rows = store.slots.between("scores", 1_606_780_800, 1_606_781_100)
    shown = [(f"{slot.due:%H:%M}", f"{slot.until:%d %H:%M}" if slot.until else "", slot.made_up_by) for slot in rows]
    assert shown == [("00:01", "", 2), ("00:02", "", 3), ("00:03", "", 4), ("00:04", "02 07:20", None)]


def test_the_first_slot_that_fails_ends_it_unless_it_is_to_keep_going(missed: Place) -> None:
    (missed.directory / "scores.csv").unlink()
    told = _backfill(missed)
    assert told.returncode == 5
    assert told.stdout.endswith(
        "0 of 3 slots of scores ran well.\n"
        "2 slots not tried, from 2020-12-02 02:00 on. The same command goes on there.\n"
    )
    assert len(missed.runs()) == 1
    _backfill(missed, *STRETCH, "--keep-going")
    assert [f"{run.due:%d}" for run in missed.runs()] == ["01", "01", "02", "03"]


def test_json_tells_each_slot_and_its_run(missed: Place) -> None:
    told = missed.json("backfill", "scores", *STRETCH, "--yes")["backfill"]
    assert [(slot["action"], slot["run"]["status"]) for slot in told["slots"]] == [("run", "completed")] * 3
    assert told["slots"][0]["slot"] == "2020-12-01T02:00:00+00:00"


def test_killed_in_the_middle_and_repeated_no_slot_runs_twice(missed: Place, site: Sandbox) -> None:
    missed.scores("scores", 10)
    site.latency_s = 0.03
    killed = missed.start("backfill", "scores", *STRETCH, "--yes")
    until(lambda: len(missed.runs()) == 2 and missed.runs()[1].status == "running")
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    assert killed.stdout is not None
    killed.stdout.close()
    until(lambda: not missed.processes())
    site.latency_s = 0
    told = _backfill(missed)
    assert told.returncode == 0
    runs = missed.runs()
    assert [(f"{run.due:%d}", run.status) for run in runs] == [
        ("01", "completed"),
        ("02", "completed"),
        ("03", "completed"),
    ]
    assert [run.attempt for run in runs] == [1, 2, 1]
    assert courses(site)["101", "Bookbinding"] == 1


def test_two_at_once_run_no_slot_twice(missed: Place) -> None:
    both = [missed.start("backfill", "scores", *STRETCH, "--yes", "--keep-going") for _ in range(2)]
    told = [process.communicate(timeout=90)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], told
    assert sorted(f"{run.due:%d}" for run in missed.runs()) == ["01", "02", "03"]


def test_it_never_runs_beside_another_run_of_the_job(missed: Place, site: Sandbox) -> None:
    site.latency_s = 0.05
    missed.scores("scores", 20)
    by_hand = missed.start("run", "scores")
    until(lambda: missed.runs() and missed.runs()[0].status == "running")
    told = _backfill(missed, "--from", "2020-12-01", "--to", "2020-12-01")
    assert re.match("waits for .*run 1 of ", told.stderr)
    by_hand.communicate(timeout=60)
    first, second = missed.runs()
    assert first.ended_at is not None
    assert second.started_at is not None
    assert first.ended_at <= second.started_at


def test_a_slot_that_comes_meanwhile_is_not_lost_to_it(missed: Place, site: Sandbox) -> None:
    site.latency_s = 0.05
    missed.scores("scores", 10)
    backfill = missed.start("backfill", "scores", *STRETCH, "--yes")
    until(lambda: missed.runs() and missed.runs()[0].status == "running")
    missed.at("2020-12-04 02:00")
    backfill.communicate(timeout=60)
    missed.settled()
    runs = sorted(missed.runs(), key=lambda run: run.started_at or run.created_at)
    assert [f"{run.due:%d}" for run in runs] == ["01", "04", "02", "03"]
    assert {run.status for run in runs} == {"completed"}


def test_what_cannot_be_meant_is_told(missed: Place) -> None:
    told = missed.idms("backfill", "scores", "--from", "2020-12-03", "--to", "2020-12-01")
    assert "it lies after --to" in told.stderr
    path = missed.job("other")
    path.write_text(path.read_text().replace(f"schedule: {DAILY}\n", ""))
    told = missed.idms("backfill", "other", "--from", "2020-12-03")
    assert told.stderr.splitlines()[0] == "idms: other has no schedule, and so no slots"
    missed.job("often", schedule='{cron: "* * * * *"}')
    told = missed.idms("backfill", "often", "--from", "2020-12-01", "--to", "2020-12-03")
    assert "often has more than 1,000 slots in that time" in told.stderr


def test_what_the_history_has_let_go_is_not_run_again_as_if_it_never_ran(missed: Place) -> None:
    with Store(missed.state) as store:
        store.retention.forget([], 1_606_953_600)  # 2020-12-03 00:00
    told = missed.idms("backfill", "scores", *STRETCH, "--list")
    assert told.returncode == 2
    assert "what scores did before 2020-12-03 00:00 is no longer in the history" in told.stderr
    assert missed.idms("backfill", "scores", *STRETCH, "--again", "--list").returncode == 0
