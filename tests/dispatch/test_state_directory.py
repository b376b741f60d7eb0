"""What may befall the state directory: it is said in a sentence, nothing is lost, and idms works again afterwards."""

import shutil
import sqlite3
import subprocess
from contextlib import closing

import pytest

from idms_cli.sandbox import Sandbox
from tests.conftest import SOAK, Place

EVENING, NIGHT = "2026-11-30 20:00", "2026-12-01 02:00"
LOCKED_S = 10 if SOAK else 1

READ_ONLY = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && shift && exec "$@"'


@pytest.fixture
def scores(place: Place) -> Place:
    place.job("scores")
    place.scores("scores", 3)
    place.at(EVENING)
    return place


def test_a_reader_that_stays_keeps_nobody_up(scores: Place) -> None:
    with closing(sqlite3.connect(scores.state / "history.db", isolation_level=None)) as reader:
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM run").fetchone() == (0,)
        assert scores.at(NIGHT, "--wait").returncode == 0
        assert reader.execute("SELECT count(*) FROM run").fetchone() == (0,)
        reader.execute("COMMIT")
        assert reader.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert [run.status for run in scores.runs()] == ["completed"]


@pytest.mark.slow
def test_a_tick_waits_for_a_program_that_locks_the_history(scores: Place) -> None:
    with closing(sqlite3.connect(scores.state / "history.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        tick = scores.start("run-due", "--wait", "--at", f"{NIGHT}+00:00")
        with pytest.raises(subprocess.TimeoutExpired):
            tick.wait(LOCKED_S)
        other.execute("ROLLBACK")
    told, _ = tick.communicate(timeout=90)
    assert tick.returncode == 0, told
    assert scores.slots("scores") == [(NIGHT, "run", "")]
    assert [run.status for run in scores.runs()] == ["completed"]


def test_in_a_state_directory_that_is_read_only_nothing_is_claimed_and_later_it_is_made_up_for(scores: Place) -> None:
    before = ["unshare", "-rm", "--propagation", "private", "sh", "-c", READ_ONLY, "sh", str(scores.state)]
    if subprocess.run([*before, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine lets nobody mount a directory read-only for itself (unshare -rm)")
    command = [*before, *scores.command("run-due", "--at", f"{NIGHT}+00:00")]
    told = subprocess.run(
        command, env=scores.environment, cwd=scores.directory, capture_output=True, text=True, timeout=90, check=False
    )
    reason = f"{scores.state}: the history cannot be opened: Read-only file system"
    assert (told.returncode, told.stdout, told.stderr.splitlines()[0]) == (1, "", f"idms: {reason}")
    assert scores.runs() == []
    assert scores.at(NIGHT, "--wait").returncode == 0
    assert scores.slots("scores") == [(NIGHT, "run", "")]


def test_a_state_directory_that_is_gone_is_made_anew_and_nothing_is_owed_from_before(scores: Place) -> None:
    scores.at(NIGHT, "--wait")
    shutil.rmtree(scores.state)
    assert scores.at("2026-12-01 12:00", "--wait").returncode == 0
    assert scores.slots("scores") == []
    assert scores.at("2026-12-02 02:00", "--wait").returncode == 0
    assert scores.slots("scores") == [("2026-12-02 02:00", "run", "")]


def test_a_state_directory_that_goes_while_a_run_is_on_ends_the_run_and_hinders_no_later_one(
    scores: Place, site: Sandbox
) -> None:
    scores.scores("scores", 150)
    site.latency_s = 0.02
    scores.at(NIGHT)
    scores.worker(1)
    shutil.rmtree(scores.state)
    site.latency_s = 0
    scores.settled()
    assert "Traceback" not in scores.at("2026-12-01 12:00").stderr
    scores.at("2026-12-02 02:00", "--wait")
    assert [(run.status, str(run.due)) for run in scores.runs()] == [("completed", "2026-12-02 02:00:00+00:00")]
