"""An idle tick is nearly free, and never misses that it is not idle."""

import subprocess
import sys
import time

import pytest

from idms_cli.dispatch.glance import had_nothing_to_do
from idms_cli.history.store import Store
from tests.conftest import Place

HEAVY = {"yaml", "croniter", "httpx", "rich", "pydantic", "sqlite_utils", "click", "icalendar"}


def test_an_idle_tick_loads_no_heavy_library(place: Place) -> None:
    for number in range(20):
        place.job(f"job{number}")
    place.idms("run-due")
    told = subprocess.run(
        [sys.executable, "-X", "importtime", *place.command("run-due")[1:]],
        env=place.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = {line.rpartition("|")[2].strip() for line in told.stderr.splitlines()}
    assert "idms_cli.dispatch.glance" in loaded
    assert "idms_cli.dispatch.tick" not in loaded
    assert {name.partition(".")[0] for name in loaded} & HEAVY == set()


def _ticks(place: Place) -> int:
    with Store(place.state) as store:
        return int(store.database.connection.execute("SELECT count(*) FROM tick").fetchone()[0])


def test_an_idle_tick_is_recorded_once(place: Place) -> None:
    place.job("scores")
    place.idms("run-due")
    assert _ticks(place) == 1
    assert had_nothing_to_do(str(place.directory / "idms.yaml"))
    assert _ticks(place) == 2


def _new_job(place: Place) -> None:
    place.job("other")


def _changed_job(place: Place) -> None:
    path = place.job("scores")
    path.write_text(path.read_text() + "enabled: true\n")


def _removed_job(place: Place) -> None:
    (place.directory / "jobs.d/scores.yaml").unlink()


def _changed_settings(place: Place) -> None:
    path = place.directory / "idms.yaml"
    path.write_text(path.read_text() + "max_parallel: 2\n")


def _moved_state(place: Place) -> None:
    path = place.directory / "idms.yaml"
    path.write_text(path.read_text() + "state: elsewhere\n")


def _due_job(place: Place) -> None:
    now = int(time.time())
    with Store(place.state) as store:
        store.catalog.rewind("scores", decided_until=now - 120, next_due=now - 60)


def _jumped_clock(place: Place) -> None:
    with Store(place.state) as store, store.database.write() as connection:
        connection.execute("UPDATE tick SET at = at - 3600")


def _no_jobs_folder(place: Place) -> None:
    (place.directory / "jobs.d").rename(place.directory / "jobs.gone")


def _older_schema(place: Place) -> None:
    with Store(place.state) as store:
        store.database.connection.execute("PRAGMA user_version = 0")


@pytest.mark.parametrize(
    "change",
    [
        _new_job,
        _changed_job,
        _removed_job,
        _changed_settings,
        _moved_state,
        _due_job,
        _jumped_clock,
        _no_jobs_folder,
        _older_schema,
    ],
)
def test_any_reason_for_a_full_tick_is_seen(place: Place, change: object) -> None:
    place.job("scores")
    place.idms("run-due")
    before = _ticks(place)
    assert callable(change)
    change(place)
    assert not had_nothing_to_do(str(place.directory / "idms.yaml"))
    if change is not _older_schema:
        assert _ticks(place) == before


@pytest.mark.parametrize(
    "line",
    ["state: state", "state: 'state'", 'state: "state"  # quoted', "state: ./state # a comment", "{state: state, "],
    ids=["plain", "single", "double", "comment", "flow"],
)
def test_however_state_is_written_a_tick_is_never_recorded_in_the_wrong_place(place: Place, line: str) -> None:
    path = place.directory / "idms.yaml"
    text = path.read_text()
    if line.startswith("{"):
        connections = text.partition("connections:")[2].strip().replace("\n", ",").replace("test: ", "test: ", 1)
        path.write_text(f"{line}connections: {{{connections}}}}}\n")
    else:
        path.write_text(f"{text}{line}\n")
    assert place.idms("run-due").returncode == 0
    assert place.idms("run-due").returncode == 0
    assert not (place.directory / ".idms").exists()
    with Store(place.directory / "state") as store:
        assert store.database.connection.execute("SELECT count(*) FROM tick").fetchone()[0] == 2


def test_after_a_clock_jump_one_tick_claims_nothing_and_the_next_goes_on(place: Place) -> None:
    place.job("scores", schedule='{cron: "* * * * *"}')
    place.scores("scores", 1)
    place.idms("run-due")
    _jumped_clock(place)
    _due_job(place)
    told = place.idms("run-due")
    assert "the clock jumped by +60 minutes" in told.stderr
    assert place.runs() == []
    place.idms("run-due", "--wait")
    assert [run.job for run in place.runs()] == ["scores"]
