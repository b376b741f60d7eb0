"""A clock that was ahead for a while: what was decided for a time that is still to come is open again."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from idms_cli.config.settings import read_settings
from idms_cli.dispatch import launch
from idms_cli.dispatch.ending import end_run
from idms_cli.dispatch.launch import Started
from idms_cli.dispatch.tick import tick
from idms_cli.history.store import Store
from tests.conftest import Place


def _ticks(place: Place, *moments: str, day: str = "2026-12-01") -> None:
    settings = read_settings(place.directory / "idms.yaml")
    with Store(place.state) as store:
        for moment in moments:
            tick(store, settings, datetime.fromisoformat(f"{day} {moment}+00:00"))


@pytest.fixture
def deferred(place: Place, url: str) -> Place:
    """A job whose slot at 02:00 waits for the end of a window, and whose slots are all told as disabled."""
    place.settings(url, more='calendars: {nightly: {weekly: "mon-sun 01:00-04:00"}}\n')
    place.job("scores", schedule='{daily: ["00:30", "02:00"], not_during: nightly}', more="enabled: false")
    return place


def test_a_slot_that_waits_for_the_end_of_a_window_is_open_again(deferred: Place) -> None:
    _ticks(deferred, "00:00", "05:00", "05:01")
    assert [due for due, *_ in deferred.slots("scores")] == ["2026-12-01 00:30", "2026-12-01 02:00"]
    _ticks(deferred, "02:30")
    assert [due for due, *_ in deferred.slots("scores")] == ["2026-12-01 00:30"]
    _ticks(deferred, "03:59", "04:00")
    assert [due for due, *_ in deferred.slots("scores")] == ["2026-12-01 00:30", "2026-12-01 02:00"]


@pytest.fixture
def unending(monkeypatch: pytest.MonkeyPatch) -> list[Started]:
    """The runs that were started, latest last; nobody does their work."""
    started: list[Started] = []
    monkeypatch.setattr(launch, "spawn", lambda one, *_: started.append(one))
    return started


@pytest.fixture
def chain(place: Place, url: str) -> Place:
    """Two jobs, of which the second comes after the first."""
    place.settings(url)
    place.job("first", schedule='{daily: "02:00"}')
    place.job("second", schedule="{after: first}")
    return place


def _ends(place: Place, started: Started, status: str) -> None:
    with Store(place.state) as store:
        end_run(store, started.run, time.time(), {"status": status, "exit_code": 0 if status == "completed" else 1})
    started.release()


def test_a_job_after_another_passes_over_no_run_that_began_once_the_clock_was_right_again(
    chain: Place, unending: list[Started]
) -> None:
    _ticks(chain, "00:00", "02:00", "02:01", day="2026-12-02")
    _ends(chain, unending[-1], "failed")
    _ticks(chain, "02:02", day="2026-12-02")
    assert chain.slots("second")[-1][:2] == ("2026-12-02 02:00", "skipped")
    _ticks(chain, "01:00", "01:01", "02:00", "02:01", "02:02")
    _ends(chain, unending[-1], "completed")
    _ticks(chain, "02:03")
    found = {due: verdict for due, verdict, _ in chain.slots("second")}
    assert found == {"2026-12-01 02:00": "run", "2026-12-02 02:00": "skipped"}


def test_a_pause_holds_for_what_fell_into_it_though_by_the_clock_it_has_not_begun(
    chain: Place, unending: list[Started]
) -> None:
    _ticks(chain, "00:00")
    with Store(chain.state) as store:
        since = datetime.fromisoformat("2026-12-01 01:59+00:00")
        store.pauses.begin("second", int(since.timestamp()), until=None, why="maintenance", who="ann")
    _ticks(chain, "02:00", "02:01")
    _ends(chain, unending[-1], "completed")
    _ticks(chain, "02:02")
    assert chain.slots("second") == [("2026-12-01 02:00", "skipped", "paused")]
    _ticks(chain, "01:00", "01:01")
    assert chain.slots("second") == [("2026-12-01 02:00", "skipped", "paused")]
    assert [run.job for run in chain.runs()] == ["first"]


def test_a_slot_that_ran_by_a_clock_that_was_ahead_is_not_told_as_still_to_come(place: Place) -> None:
    place.job("scores", schedule='{cron: "0 2 * * *"}')
    place.scores("scores", 1)
    place.idms("run-due")
    ran, following = (f"{datetime.now(UTC) + timedelta(days=days):%Y-%m-%dT02:00}:00+00:00" for days in (2, 3))
    place.at(ran.removesuffix("+00:00"), "--wait")
    slots = [one["slot"] for one in place.json("next", "scores", "--days", "4")["next"]]
    assert ran not in slots
    assert following in slots
    (only,) = place.runs()
    assert (only.status, only.due) == ("completed", datetime.fromisoformat(ran))


def test_what_ran_by_a_clock_that_was_ahead_is_not_what_comes_next(place: Place) -> None:
    place.job("scores", schedule="{every: 12h}")
    place.scores("scores", 1)
    place.idms("run-due")
    first, second = (one["slot"] for one in place.json("next", "scores", "--limit", "2")["next"])
    place.at(first.removesuffix("+00:00"), "--wait")
    assert place.json("why", "scores")["why"]["next_due"] == second
