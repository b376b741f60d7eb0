"""Whatever dies, and whenever: it is told at once, goes on, and no record is written twice or lost."""

import csv
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from idms_cli.sandbox import Sandbox
from tests.conftest import SOAK, Place, courses, running, until

EVENING, NIGHT = "2026-11-30 20:00", "2026-12-01 02:00"


def _start(place: Place, rows: int) -> None:
    """A run of an import, being carried out right now."""
    place.job("scores")
    place.scores("scores", rows)
    place.at(EVENING)
    place.at(NIGHT)


def _written(site: Sandbox, course: str = "Bookbinding") -> list[int]:
    return [number for (_, name), number in courses(site).items() if name == course]


def _rejects(place: Place, run: int) -> list[dict[str, str]]:
    with (place.state / f"runs/{run}/rejects.csv").open(encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def _add_up(counts: dict[str, int]) -> bool:
    parts = ("inserted", "updated", "unchanged", "skipped", "rejected", "left")
    return counts["read"] == sum(counts[part] for part in parts)


def test_a_killed_worker_is_told_at_once_and_the_run_goes_on_without_a_double(place: Place, site: Sandbox) -> None:
    site.latency_s = 0.02
    _start(place, 60)
    worker = place.worker(1)
    until(lambda: len(_written(site)) > 20)
    os.kill(worker, signal.SIGKILL)
    state = until(lambda: next((job for job in place.json("status")["jobs"] if job["state"] != "running"), None))
    assert state["state"] == "interrupted"
    told = place.idms("run-due")
    assert told.stderr == "run 1 of scores was interrupted: its worker was killed by SIGKILL; it goes on now\n"
    until(lambda: not place.runs()[0].is_open)
    (run,) = place.runs()
    assert (run.status, run.attempt, run.counts["inserted"]) == ("completed", 2, 60)
    assert _written(site) == [1] * 60


def test_a_killed_supervisor_takes_its_worker_along_and_the_run_goes_on(place: Place, site: Sandbox) -> None:
    site.latency_s = 0.02
    _start(place, 60)
    place.worker(1)
    until(lambda: len(_written(site)) > 20)
    for pid in place.processes():
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        if b"exec" in command:
            os.kill(pid, signal.SIGKILL)
    place.settled()
    assert place.json("status")["jobs"][0]["state"] == "interrupted"
    assert "run 1 of scores was interrupted: its process died; it goes on now" in place.idms("run-due").stderr
    until(lambda: not place.runs()[0].is_open)
    assert place.runs()[0].status == "completed"
    assert _written(site) == [1] * 60


def test_a_supervisor_that_fails_takes_its_worker_along_without_a_trace_of_python(place: Place) -> None:
    fails = "import sqlite3\nfrom idms_cli.history.queue import Queue\n"
    fails += "def stop_request(self, run):\n    raise sqlite3.OperationalError('locking protocol')\n"
    place.write("fails/sitecustomize.py", f"{fails}Queue.stop_request = stop_request\n")
    place.job("scores")
    place.scores("scores", 3)
    place.environment["PYTHONPATH"] = str(place.directory / "fails")
    place.at(EVENING)
    place.at(NIGHT)
    place.settled()
    assert (place.state / "runs/1/supervisor.log").read_text() == (
        "idms: the history cannot be used: locking protocol\n"
        "hint: Check the disk, and the rights of the state directory.\n"
    )
    del place.environment["PYTHONPATH"]
    assert place.json("status")["jobs"][0]["state"] == "interrupted"
    place.at(NIGHT, "--wait")
    assert [(run.status, run.counts["inserted"]) for run in place.runs()] == [("completed", 3)]


def test_what_a_worker_said_before_it_left_is_the_reason_of_the_interruption(place: Place) -> None:
    full = "import sys\nfrom idms_cli.errors import IdmsError\nfrom idms_cli.records.journal import Journal\n"
    full += "def transaction(self, true=Journal.transaction):\n    if self.is_planned and self.counts().inserted:\n"
    full += "        raise IdmsError('the disk is full') from OSError()\n    return true(self)\n"
    place.write("full/sitecustomize.py", f"{full}if 'work' in sys.orig_argv:\n    Journal.transaction = transaction\n")
    place.job("scores")
    place.scores("scores", 60)
    place.environment["PYTHONPATH"] = str(place.directory / "full")
    place.idms("run", "scores")
    (run,) = place.runs()
    told_none = "its worker left with exit code 1 and told no outcome"
    said = f"{told_none}: the disk is full"
    assert (run.status, run.reason) == ("interrupted", said)
    del place.environment["PYTHONPATH"]
    place.idms("resume", "1")
    assert [(run.status, run.counts["inserted"]) for run in place.runs()] == [("completed", 60)]


@pytest.mark.slow
def test_kills_at_random_moments_double_and_lose_nothing(place: Place, site: Sandbox) -> None:
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")  # shown when it fails
    chance = random.Random(seed)
    site.latency_s = 0.01
    place.job("scores")
    rounds = 40 if SOAK else 4
    ended = 0
    for number in range(rounds):
        place.scores("scores", 30, course=f"Round {number}")
        started = place.start("run", "scores")
        until(place.processes)
        limit = chance.uniform(0.3, 1.6)
        try:
            started.wait(timeout=limit)
        except subprocess.TimeoutExpired:
            for pid in place.processes():
                os.kill(pid, signal.SIGKILL)
        started.communicate()
        place.settled()
        until(lambda: place.idms("run-due").returncode == 0 and not any(run.is_open for run in place.runs()))
        written = _written(site, f"Round {number}")
        for run in place.runs()[ended:]:  # none, when it was killed before there was a run
            assert run.status in ("completed", "cancelled")
            assert len(written) == (30 if run.status == "completed" else 0), run
        assert set(written) <= {1}
        ended = len(place.runs())


def test_a_run_whose_process_dies_three_times_is_given_up(place: Place, site: Sandbox) -> None:
    site.latency_s = 0.05
    _start(place, 100)
    for attempt in range(1, 4):
        worker = place.worker(1)
        until(lambda: len(_written(site)) > 3)
        os.kill(worker, signal.SIGKILL)
        place.settled()
        assert place.runs()[0].attempt == attempt
        place.idms("run-due")
    (run,) = place.runs()
    assert (run.status, run.reason) == ("failed", "its process died 3 times")
    assert run.counts["read"] == 100
    assert run.counts["left"] == 0
    assert run.counts["inserted"] <= len(_written(site)) <= run.counts["inserted"] + 1  # the one in flight is unknown
    assert set(_written(site)) <= {1}
    rejects = _rejects(place, 1)
    assert len(rejects) == run.counts["rejected"] == 100 - run.counts["inserted"]
    assert {row["_code"] for row in rejects} <= {"not-sent", "unknown"}
    site.latency_s = 0
    assert place.idms("retry", "1", "--rejected").returncode == 0
    assert _written(site) == [1] * 100


def test_the_run_after_one_that_is_given_up_starts_in_the_same_tick(place: Place, site: Sandbox) -> None:
    site.latency_s = 0.05
    place.job("scores", schedule='{cron: "0 * * * *", missed: all}')
    place.scores("scores", 100)
    place.at("2026-12-01 00:30")
    place.at("2026-12-01 02:30")
    assert [run.reason for run in place.runs()] == ["", "waits for run 1 of the same job"]
    for _ in range(3):
        os.kill(place.worker(1), signal.SIGKILL)
        place.settled()
        told = place.idms("run-due")
    given_up, following = place.runs()
    assert (given_up.status, given_up.reason) == ("failed", "its process died 3 times")
    assert following.status == "running", told.stdout + told.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "term"])
def test_a_stopped_run_leaves_a_clean_record(place: Place, site: Sandbox, number: signal.Signals) -> None:
    site.latency_s = 0.02
    place.job("scores")
    place.scores("scores", 100)
    started = place.start("run", "scores")
    until(lambda: len(_written(site)) > 10)
    started.send_signal(number)
    told, _ = started.communicate(timeout=30)
    assert started.returncode == 130, told
    (run,) = place.runs()
    assert run.status == "cancelled"
    assert run.counts["inserted"] == len(_written(site))
    assert _add_up(dict(run.counts))
    rejects = _rejects(place, 1)
    assert {row["_code"] for row in rejects} == {"not-sent"}
    assert len(rejects) == 100 - run.counts["inserted"]


def test_what_a_stopped_run_did_not_send_can_be_fed_back_as_it_is(place: Place, site: Sandbox) -> None:
    site.latency_s = 0.02
    place.job("scores")
    place.scores("scores", 60)
    started = place.start("run", "scores")
    until(lambda: len(_written(site)) > 10)
    started.terminate()
    started.communicate(timeout=30)
    place.job("rest", source=str(place.state / "runs/1/rejects.csv"))
    assert place.idms("run", "rest").returncode == 0
    assert _written(site) == [1] * 60


def test_a_run_over_its_time_limit_fails_and_its_tree_is_ended(place: Place, site: Sandbox) -> None:
    site.latency_s = 0.1
    path = place.job("scores")
    path.write_text(path.read_text() + "timeout: 2s\n")
    place.scores("scores", 200)
    place.at(EVENING)
    place.at(NIGHT, "--wait")
    (run,) = place.runs()
    assert (run.status, run.reason) == ("failed", "the time limit of 2s was reached")
    assert place.processes() == []


TREE = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
sleep = [sys.executable, "-c", "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(600)", sys.argv[1]]
subprocess.Popen(sleep)
subprocess.Popen(sleep, start_new_session=True)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execv(sleep[0], sleep)
    os._exit(0)
print("ready", flush=True)
time.sleep(600)
"""

KILLER = """
import subprocess, sys
from idms_cli.dispatch.processes import adopt_orphans, kill_tree
adopt_orphans()
child = subprocess.Popen([sys.executable, "-c", sys.argv[1], sys.argv[2]], stdout=subprocess.PIPE)
child.stdout.readline()
kill_tree()
"""


def test_no_process_of_a_tree_survives_not_even_one_that_left_its_session(tmp_path: Path) -> None:
    mark = str(tmp_path / "mark")
    subprocess.run([sys.executable, "-c", KILLER, TREE, mark], check=True, timeout=30)
    assert running(mark) == []


def test_an_orphan_blocks_the_next_writer_of_the_same_data(place: Place, site: Sandbox) -> None:
    """The data's lock is inherited by whatever a run starts: here by a child that outlives everybody."""
    from idms_cli.dispatch.locks import Lock, take_data
    from idms_cli.modules import DataLock

    wanted = [DataLock("imis:test/abc_scores", write=True)]
    held = take_data(place.state, wanted)
    assert isinstance(held, list)
    orphan = subprocess.Popen(["sleep", "60"], pass_fds=[lock.fd for lock in held])
    for lock in held:
        lock.release()
    assert take_data(place.state, wanted) == wanted[0]
    orphan.kill()
    orphan.wait()
    free = take_data(place.state, wanted)
    assert isinstance(free, list)
    assert isinstance(free[0], Lock)
    free[0].release()
