"""`idms stop` ends a run wherever it is: at work, waiting, put off, dead."""

import csv
import getpass
import os
import signal
from pathlib import Path

from idms_cli.dispatch.locks import take_data
from idms_cli.modules import DataLock
from idms_cli.sandbox import Sandbox
from tests.conftest import Place, courses, until

WHO = os.environ.get("SUDO_USER") or getpass.getuser()
EVENING, NIGHT = "2026-11-30 20:00", "2026-12-01 02:00"


def _at_work(place: Place, site: Sandbox, *, latency_s: float = 0.05) -> None:
    site.latency_s = latency_s
    place.job("scores")
    place.scores("scores", 200)
    place.at(EVENING)
    place.at(NIGHT)
    until(lambda: courses(site).get(("102", "Bookbinding")))


def _rejects(place: Place) -> list[dict[str, str]]:
    with (place.state / "runs/1/rejects.csv").open(encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def _written(site: Sandbox) -> int:
    return sum(course == "Bookbinding" for _, course in courses(site))


def test_a_running_run_ends_after_the_record_in_hand(place: Place, site: Sandbox) -> None:
    _at_work(place, site)
    told = place.idms("stop", "1")
    assert told.returncode == 0
    assert told.stdout.startswith(f"run 1 of scores: stopped by {WHO}; 200 read = ")
    (run,) = place.runs()
    assert (run.status, run.exit_code) == ("cancelled", 130)
    assert run.counts["inserted"] == _written(site)
    assert run.counts["left"] == 0
    rejects = _rejects(place)
    assert {row["_code"] for row in rejects} == {"not-sent"}
    assert len(rejects) == 200 - run.counts["inserted"]
    place.settled()


def test_by_force_it_ends_in_the_middle_of_a_record(place: Place, site: Sandbox) -> None:
    _at_work(place, site)
    site.latency_s = 25
    told = place.idms("stop", "1", "--force")
    assert (told.returncode, told.stdout.partition(";")[0].strip()) == (
        0,
        f"run 1 of scores: stopped by {WHO} by force",
    )
    (run,) = place.runs()
    assert run.status == "cancelled"
    assert run.counts["left"] == 0
    assert {row["_code"] for row in _rejects(place)} <= {"not-sent", "unknown"}
    place.settled()


def test_a_run_that_waits_is_cancelled_and_never_begins(place: Place) -> None:
    place.job("scores")
    place.scores("scores", 1)
    held = take_data(place.state, [DataLock("imis:test/abc_scores", write=True)])
    assert isinstance(held, list)
    place.at(EVENING)
    place.at(NIGHT)
    assert place.idms("stop", "1").stdout == f"run 1 of scores: stopped by {WHO}\n"
    held[0].release()
    place.idms("run-due", "--wait")
    (run,) = place.runs()
    assert (run.status, run.reason, run.started_at) == ("cancelled", f"stopped by {WHO}", None)


def test_a_run_by_hand_that_waits_is_stopped_from_another_terminal(place: Place) -> None:
    place.job("scores")
    place.scores("scores", 1)
    held = take_data(place.state, [DataLock("imis:test/abc_scores", write=True)])
    assert isinstance(held, list)
    by_hand = place.start("run", "scores")
    until(lambda: place.runs() and place.runs()[0].reason)
    assert place.idms("stop", "1").returncode == 0
    told, _ = by_hand.communicate(timeout=30)
    assert by_hand.returncode == 130
    assert f"run 1 was stopped by {WHO}" in told
    assert place.runs()[0].status == "cancelled"
    held[0].release()


def test_a_run_by_hand_at_work_is_stopped_from_another_terminal(place: Place, site: Sandbox) -> None:
    site.latency_s = 0.05
    place.job("scores")
    place.scores("scores", 200)
    by_hand = place.start("run", "scores")
    until(lambda: courses(site).get(("102", "Bookbinding")))
    assert place.idms("stop", "1").returncode == 0
    told, _ = by_hand.communicate(timeout=30)
    assert by_hand.returncode == 130, told
    assert f"stopped by {WHO}" in told


def test_an_interrupted_run_is_closed_and_not_resumed(place: Place, site: Sandbox) -> None:
    _at_work(place, site)
    for pid in place.processes():
        os.kill(pid, signal.SIGKILL)
    place.settled()
    assert place.idms("stop", "1").returncode == 0
    place.idms("run-due", "--wait")
    (run,) = place.runs()
    assert (run.status, run.attempt, run.counts["left"]) == ("cancelled", 1, 0)
    assert len(_rejects(place)) == run.counts["rejected"] > 0


def test_a_stop_that_nobody_waited_for_is_carried_out_by_the_next_tick(place: Place, site: Sandbox) -> None:
    from idms_cli.history.queue import StopRequest
    from idms_cli.history.store import Store

    _at_work(place, site)
    for pid in place.processes():
        os.kill(pid, signal.SIGKILL)
    place.settled()
    with Store(place.state) as store:
        assert store.queue.ask_to_stop(1, StopRequest("stopped by anna"))
    place.idms("run-due", "--wait")
    (run,) = place.runs()
    assert (run.status, run.reason, run.attempt) == ("cancelled", "stopped by anna", 1)


def test_the_next_run_starts_when_one_is_stopped(place: Place, site: Sandbox) -> None:
    _at_work(place, site)
    place.job("other", schedule="{at: 2026-12-01 02:01}")
    place.scores("other", 1, course="Other")
    place.at(NIGHT)
    place.at("2026-12-01 02:01")
    assert place.runs()[1].status == "pending"
    place.idms("stop", "1")
    until(lambda: place.runs()[1].status == "completed")


def test_what_is_over_or_not_there_cannot_be_stopped(place: Place) -> None:
    place.job("scores")
    place.scores("scores", 1)
    place.idms("run", "scores")
    told = place.idms("stop", "1")
    assert told.returncode == 2
    assert told.stderr == "idms: run 1 is not there to be stopped: it is completed\n"
    assert place.idms("stop", "7").returncode == 2
    assert isinstance(place.state, Path)
