"""A job that keeps failing by its own fault is disabled, and told once; people enable and disable jobs too."""

import getpass
import os

import pytest

from idms_cli.sandbox import Sandbox
from tests.conftest import Place

WHO = os.environ.get("SUDO_USER") or getpass.getuser()
HOURLY = '{cron: "0 * * * *"}'


def _failing(place: Place, *, limit: int = 2) -> None:
    """Run until it is disabled, at 01:00 and 02:00, for want of its file."""
    place.job("scores", schedule=HOURLY, more=f"disable_after: {limit}")
    place.at("2026-12-01 00:30")
    for hour in range(1, limit + 1):
        place.at(f"2026-12-01 {hour:02}:00", "--wait")


def test_after_so_many_failures_in_a_row_its_slots_are_told_as_skipped(place: Place) -> None:
    _failing(place)
    assert [run.status for run in place.runs()] == ["failed", "failed"]
    place.at("2026-12-01 03:00")
    assert place.slots("scores")[-1] == ("2026-12-01 03:00", "skipped", "disabled after 2 failures in a row")
    (job,) = place.json("status")["jobs"]
    assert (job["state"], job["disabled"]) == ("disabled", "disabled after 2 failures in a row")
    assert job["next_due"] is None
    assert "disabled after 2 failures in a row (idms enable scores)" in place.idms("status").stdout
    assert place.json("jobs")["jobs"][0]["enabled"] is True  # as the file says
    assert "disabled" in place.idms("jobs").stdout


def test_it_is_told_once(place: Place) -> None:
    _failing(place)
    told = place.idms("run-due").stderr
    assert told.startswith("scores: disabled after 2 failures in a row; `idms enable scores`, or a change of its file")
    assert place.idms("run-due").stderr == ""


def test_enable_lets_it_run_and_counts_anew(place: Place) -> None:
    _failing(place)
    told = place.idms("enable", "scores")
    assert told.stdout == "scores is enabled; it was disabled after 2 failures in a row\n"
    place.at("2026-12-01 03:00", "--wait")
    assert place.json("status")["jobs"][0]["state"] == "failed"
    place.at("2026-12-01 04:00", "--wait")
    assert place.json("status")["jobs"][0]["state"] == "disabled"


def test_a_change_of_its_file_enables_it(place: Place) -> None:
    _failing(place)
    path = place.directory / "jobs.d/scores.yaml"
    path.touch()
    assert place.json("status")["jobs"][0]["state"] == "disabled"  # it says the same
    path.write_text(path.read_text() + "priority: 1\n")
    assert place.json("status")["jobs"][0]["state"] == "failed"


def test_a_good_run_begins_the_count_anew(place: Place) -> None:
    _failing(place, limit=3)
    place.idms("enable", "scores")
    for hour in range(4, 9):
        if hour == 6:
            place.scores("scores", 1)
        else:
            (place.directory / "scores.csv").unlink(missing_ok=True)
        place.at(f"2026-12-01 {hour:02}:00", "--wait")
    assert [run.status for run in place.runs()][3:] == ["failed", "failed", "completed", "failed", "failed"]
    assert place.json("status")["jobs"][0]["disabled"] == ""


def test_a_refused_login_and_runs_by_hand_do_not_count(place: Place, site: Sandbox) -> None:
    place.scores("scores", 1)
    place.environment["IDMS_TEST_PASSWORD"] = "wrong"
    _failing(place, limit=2)
    assert {run.exit_code for run in place.runs()} == {4}
    (place.directory / "scores.csv").unlink()
    for _ in range(3):
        place.idms("run", "scores")
    assert place.json("status")["jobs"][0]["disabled"] == ""


def test_a_person_disables_with_a_reason_and_no_change_of_the_file_undoes_it(place: Place) -> None:
    path = place.job("scores", schedule=HOURLY)
    place.scores("scores", 1)
    place.at("2026-12-01 00:30")
    assert place.idms("disable", "scores").returncode == 2
    told = place.idms("disable", "scores", "--why", "the LMS moves")
    assert told.stdout == "scores is disabled; `idms enable scores` lets it run again\n"
    path.write_text(path.read_text() + "priority: 1\n")
    place.at("2026-12-01 01:00")
    history = place.json("history", "scores")["history"]
    assert history[0]["reason"] == f"disabled by {WHO}: the LMS moves"
    assert place.idms("run", "scores").returncode == 0  # by hand it can be run all the same
    assert place.idms("enable", "scores").returncode == 0
    assert place.idms("enable", "scores").returncode == 2
    place.at("2026-12-01 02:00", "--wait")
    assert [run.status for run in place.runs()] == ["completed", "completed"]


@pytest.mark.parametrize("command", [("enable",), ("disable", "--why", "x")])
def test_a_job_that_is_not_there_is_told(place: Place, command: tuple[str, ...]) -> None:
    place.job("scores")
    told = place.idms(*command, "score")
    assert told.returncode == 2
    assert "did you mean 'scores'?" in told.stderr
