"""Who starts next, who waits and for how long: places, pools, priorities, locks."""

import os
import signal
import sqlite3
import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from idms_cli.config.settings import read_settings
from idms_cli.dispatch.claim import Claimer
from idms_cli.dispatch.locks import take_data
from idms_cli.dispatch.refresh import refresh
from idms_cli.history.rows import Run
from idms_cli.history.store import Store
from idms_cli.modules import DataLock
from idms_cli.sandbox import Sandbox
from tests.conftest import Place, courses, until

EVENING, NIGHT = "2026-11-30 20:00", "2026-12-01 02:00"
PANELS = ("ABC_Scores", "ABC_Membership", "ABC_Codes")


def _job(place: Place, name: str, *, panel: str = "ABC_Scores", more: str = "", rows: int = 1) -> None:
    path = place.job(name, more=more)
    path.write_text(path.read_text().replace("ABC_Scores", panel))
    place.scores(name, rows, course=name)


def _run(place: Place, job: str) -> Run:
    return next(run for run in place.runs() if run.job == job)


def _ended(place: Place) -> Callable[[], bool]:
    return lambda: not any(run.is_open for run in place.runs())


def test_higher_priority_starts_first_then_the_older(place: Place, site: Sandbox, url: str) -> None:
    place.settings(url, more="max_parallel: 1\n")
    for name, priority in (("a", 0), ("b", -5), ("c", 10), ("d", 0)):
        _job(place, name, more=f"priority: {priority}")
    place.at(EVENING)
    place.at(NIGHT)
    until(_ended(place))
    started = sorted(place.runs(), key=lambda run: run.started_at or run.created_at)
    assert [run.job for run in started] == ["c", "a", "d", "b"]
    assert {run.status for run in started} == {"completed"}


def test_a_pool_limits_its_jobs_and_a_waiting_one_keeps_no_other_back(place: Place, site: Sandbox, url: str) -> None:
    site.latency_s = 0.1
    place.settings(url, more="pools: {nightly: 1}\n")
    _job(place, "a", more="pool: nightly", rows=30)
    _job(place, "b", panel="ABC_Membership", more="pool: nightly\npriority: 9")
    _job(place, "c", panel="ABC_Codes")
    place.at(EVENING)
    place.at(NIGHT)
    waiting = _run(place, "a")  # b has the higher priority
    assert waiting.reason == "waits for a place in the pool nightly: 1 of 1 are taken"
    assert _run(place, "c").status != "pending"
    site.latency_s = 0
    until(_ended(place))
    first, second = _run(place, "b"), _run(place, "a")
    assert first.ended_at is not None
    assert second.started_at is not None
    assert first.ended_at <= second.started_at


def test_a_pool_that_is_not_there_is_told_with_a_near_one(place: Place, url: str) -> None:
    place.settings(url, more="pools: {nightly: 2}\n")
    _job(place, "a", more="pool: nigthly")
    told = place.idms("check").stdout
    assert "jobs.d/a.yaml:10:7: there is no pool 'nigthly' in idms.yaml" in told
    assert "did you mean 'nightly'?" in told


@pytest.mark.parametrize(
    ("more", "place_in_file"),
    [
        ("priority: 2000", "10:11"),
        ("priority: high", "10:11"),
        ("wait: 2", "10:7"),
        ("wait: 0s", "10:7"),
        ("retry: {attempts: 0}", "10:19"),
        ("retry: {tries: 3}", "10:9"),
        ("retry: {factor: 0.5}", "10:17"),
        ("disable_after: 0", "10:16"),
        ("locks: [a b]", "10:9"),
    ],
)
def test_a_value_that_cannot_be_is_told_with_its_place(place: Place, more: str, place_in_file: str) -> None:
    _job(place, "a", more=more)
    told = place.idms("check")
    assert told.returncode == 2
    assert f"jobs.d/a.yaml:{place_in_file}: " in told.stdout


def test_a_lock_that_two_jobs_name_lets_one_of_them_run_at_a_time(place: Place, site: Sandbox) -> None:
    site.latency_s = 0.1
    _job(place, "a", more="locks: [ledger]", rows=20)
    _job(place, "b", panel="ABC_Membership", more="locks: [ledger]")
    place.at(EVENING)
    place.at(NIGHT)
    assert _run(place, "b").reason.startswith("waits for the lock ledger, held by run 1 of a since ")
    site.latency_s = 0
    until(_ended(place))
    assert _run(place, "a").status == "completed"


def test_a_run_that_waited_for_longer_than_it_may_is_skipped_and_told_once(place: Place) -> None:
    _job(place, "a", more="wait: 1s")
    held = take_data(place.state, [DataLock("imis:test/abc_scores", write=True)])
    assert isinstance(held, list)
    place.at(EVENING)
    place.at(NIGHT)
    created = place.runs()[0].created_at.timestamp()
    until(lambda: time.time() > created + 1)
    told = place.idms("run-due")
    reason = "waited 1s for abc_scores on test, held by a process of a run that died"
    assert told.stderr == f"run 1 of a did not begin: {reason}\n"
    (run,) = place.runs()
    assert (run.status, run.reason, run.started_at) == ("skipped", reason, None)
    assert place.idms("run-due").stderr == ""
    held[0].release()
    place.idms("run-due")
    assert place.runs()[0].status == "skipped"


def test_a_run_starts_at_once_when_the_holder_of_its_data_is_killed(place: Place, site: Sandbox) -> None:
    site.latency_s = 0.1
    _job(place, "a", rows=100)
    _job(place, "b")
    place.at(EVENING)
    place.at(NIGHT)
    until(lambda: courses(site).get(("101", "a")))
    for pid in place.processes():
        os.kill(pid, signal.SIGKILL)
    place.settled()
    site.latency_s = 0
    place.idms("run-due")
    until(_ended(place))
    assert {run.status for run in place.runs()} == {"completed"}
    assert set(courses(site).values()) == {1}


def test_runs_that_want_each_others_data_all_end(place: Place, site: Sandbox) -> None:
    """No order of locks, jobs and priorities makes a circle: all of a run's locks are taken, or none."""
    locks = (["x", "y"], ["y", "x"], ["y", "z"], ["z", "x"], ["x", "y", "z"], ["z", "y", "x"])
    for number, names in enumerate(locks):
        more = f"locks: [{', '.join(names)}]\npriority: {number % 3}\noverlap: wait"
        _job(place, f"job{number}", panel=PANELS[number % 3], more=more)
    place.at(EVENING)
    callers = [place.start("run-due", "--at", f"2026-12-0{day} 02:00+00:00") for day in (1, 2, 3)]
    for caller in callers:
        caller.communicate(timeout=90)
    until(_ended(place))
    with Store(place.state) as store:
        assert store.queue.places() == {}
    assert {run.status for run in place.runs()} <= {"completed", "skipped", "failed"}


def test_all_slots_of_a_tick_are_claimed_in_one_transaction(place: Place) -> None:
    """Whatever stops it half way, none is claimed then."""
    for number in range(30):
        place.job(f"job{number:02}", more="pool: none")
    place.settings("http://127.0.0.1:9", more="pools: {none: 1}\n")
    with Store(place.state) as store:
        settings = read_settings(place.directory / "idms.yaml")
        refresh(store, settings, datetime(2026, 11, 30, 20, tzinfo=UTC))
        night = datetime(2026, 12, 1, 2, tzinfo=UTC)
        rows = list(store.catalog.all().values())
        claimer = Claimer(store, settings, night, clock=night.timestamp())
        half = (
            "CREATE TEMP TRIGGER half BEFORE INSERT ON slot WHEN NEW.job = 'job15' BEGIN SELECT RAISE(ABORT, 'no'); END"
        )
        store.database.connection.execute(half)
        with pytest.raises(sqlite3.IntegrityError):
            claimer.claim(rows)
        assert store.runs.open() == []
        assert not any(store.slots.of(row.name) for row in rows)
        store.database.connection.execute("DROP TRIGGER half")
        claims = claimer.claim(rows)
        assert [claim.runs for claim in claims] == [(number,) for number in range(1, 31)]
