"""A failure that can pass is tried again by itself; any other is not."""

import getpass
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from idms_cli.history.store import Store
from idms_cli.sandbox import Sandbox
from tests.conftest import Place, courses, until
from tests.switch import Switch

WHO = os.environ.get("SUDO_USER") or getpass.getuser()
EVENING, NIGHT = "2026-11-30 20:00", "2026-12-01 02:00"
RETRY = "retry: {attempts: 3, delay: 2h, factor: 3, cap: 5h}"


@pytest.fixture
def switch(site: Sandbox) -> Iterator[Switch]:
    made = Switch(site)
    yield made
    made.off()


@pytest.fixture
def place(tmp_path: Path, switch: Switch) -> Iterator[Place]:
    made = Place(tmp_path, switch.url)
    yield made
    made.end()


def _put_off(place: Place, *, more: str = RETRY) -> None:
    """Run 1 does not find its source, and is to be tried again."""
    place.job("scores", more=more)
    place.at(EVENING)
    place.at(NIGHT)
    until(lambda: place.runs()[0].not_before or not place.runs()[0].is_open)
    place.settled()


def _time_passes(place: Place) -> None:
    """As if the time of the next attempt had come."""
    with Store(place.state) as store, store.database.write() as connection:
        connection.execute("UPDATE run SET not_before = ? WHERE not_before IS NOT NULL", (time.time() - 1,))


def test_a_run_whose_source_is_not_there_is_tried_again_and_then_goes_well(place: Place, site: Sandbox) -> None:
    _put_off(place)
    (run,) = place.runs()
    assert run.status == "pending"
    assert run.not_before is not None
    assert 7100 < run.not_before.timestamp() - time.time() < 7200
    shown = place.idms("show", "1").stdout
    assert "will be tried again at " in shown
    assert "(2 of 3): " in shown
    assert "will be tried again at " in place.idms("status").stdout
    place.scores("scores", 3)
    place.idms("run-due", "--wait")
    assert place.runs()[0].status == "pending"  # its time has not come
    _time_passes(place)
    place.idms("run-due", "--wait")
    (run,) = place.runs()
    assert (run.status, run.attempt, run.retried, run.counts["inserted"]) == ("completed", 2, 1, 3)
    assert "2: tried again 1 time" in place.idms("show", "1").stdout
    assert place.slots("scores") == [("2026-12-01 02:00", "run", "")]
    assert courses(site)["101", "Bookbinding"] == 1


def test_a_waiting_retry_costs_an_idle_tick_nothing_until_its_time_has_come(place: Place) -> None:
    from idms_cli.dispatch.glance import had_nothing_to_do

    _put_off(place)
    place.idms("run-due")
    assert had_nothing_to_do(str(place.directory / "idms.yaml"))
    _time_passes(place)
    assert not had_nothing_to_do(str(place.directory / "idms.yaml"))


def test_after_the_last_attempt_it_has_failed(place: Place) -> None:
    _put_off(place, more="retry: {attempts: 2}")
    _time_passes(place)
    place.idms("run-due")
    until(lambda: not place.runs()[0].is_open)
    (run,) = place.runs()
    assert (run.status, run.exit_code, run.attempt, run.retried) == ("failed", 5, 2, 1)
    assert "there is no such file" in run.reason


def test_a_run_that_was_put_off_can_go_on_now_or_be_stopped(place: Place) -> None:
    _put_off(place)
    place.scores("scores", 3)
    told = place.idms("resume", "1")
    assert told.returncode == 0, told
    assert place.runs()[0].status == "completed"


def test_a_run_that_was_put_off_is_cancelled_by_stop(place: Place) -> None:
    _put_off(place)
    assert place.idms("stop", "1").stdout == f"run 1 of scores: stopped by {WHO}\n"
    (run,) = place.runs()
    assert (run.status, run.not_before) == ("cancelled", None)


def test_a_slot_of_a_job_that_is_to_be_tried_again_is_told_so(place: Place) -> None:
    _put_off(place)
    told = place.at("2026-12-02 02:00")
    assert re.fullmatch(r"scores: skipped, overlap: run 1 will be tried again at \d\d:\d\d \(2 of 3\)\n", told.stdout)
    assert re.match(
        r"scores did not run for .*: run 1 was to be tried again at \d\d:\d\d \(2 of 3\)\.\n",
        place.idms("why", "scores").stdout,
    )
    assert "there is no such file.\n" in place.idms("why", "scores", "--at", NIGHT).stdout


def test_a_job_without_retry_fails_at_once(place: Place) -> None:
    _put_off(place, more="")
    assert (place.runs()[0].status, place.runs()[0].exit_code) == ("failed", 5)


def test_retry_may_stand_in_the_settings_for_all_jobs(place: Place, switch: Switch) -> None:
    place.settings(switch.url, more="defaults: {retry: {attempts: 4}}\n")
    _put_off(place, more="")
    assert "(2 of 4): " in place.runs()[0].reason


@pytest.mark.parametrize("trouble", ["all rejected", "not a table"])
def test_what_cannot_pass_is_not_tried_again(place: Place, trouble: str) -> None:
    place.job("scores", more=RETRY)
    if trouble == "all rejected":
        place.scores("scores", 2, first=900_001)
    else:
        place.write("scores.csv", "other,columns\n1,2\n")
    place.at(EVENING)
    place.at(NIGHT, "--wait")
    (run,) = place.runs()
    assert (run.status, run.retried) == ("failed", 0)


@pytest.mark.slow
def test_a_run_whose_site_goes_away_while_it_writes_goes_on_at_the_record_in_question(
    place: Place, site: Sandbox, switch: Switch
) -> None:
    site.latency_s = 0.03
    place.job("scores", more=RETRY)
    place.scores("scores", 60)
    place.at(EVENING)
    place.at(NIGHT)
    until(lambda: courses(site).get(("110", "Bookbinding")))
    switch.off()
    until(lambda: place.runs()[0].not_before, limit_s=100)
    written = sum(course == "Bookbinding" for _, course in courses(site))
    (run,) = place.runs()
    assert run.counts["left"] + run.counts["inserted"] == 60
    assert run.counts["rejected"] == 0
    site.latency_s = 0
    switch.on()
    place.idms("connection", "try", "test")  # rather than wait for the next probe
    _time_passes(place)
    place.idms("run-due", "--wait")
    (run,) = place.runs()
    assert (run.status, run.counts["inserted"]) == ("completed", 60)
    assert 0 < written < 60
    assert [number for (_, course), number in courses(site).items() if course == "Bookbinding"] == [1] * 60


@pytest.mark.parametrize(
    ("attempts", "seconds"), [(1, 300.0), (2, 600.0), (3, 1200.0), (4, 2400.0), (5, 3600.0), (6, None)]
)
def test_delays_grow_by_the_factor_up_to_the_cap(attempts: int, seconds: float | None) -> None:
    from idms_cli.config.settings import Retry

    assert Retry(attempts=6).delay_s(attempts) == seconds
