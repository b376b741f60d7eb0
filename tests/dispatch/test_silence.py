"""Nobody calls run-due: every command says so meanwhile, and afterwards it is one incident."""

import json
import subprocess
import sys

import pytest

from idms_cli.history.store import Store
from tests.conftest import Place

HOUR_S = 3600


def _asleep(place: Place, hours: float, job: str = "scores") -> None:
    """As if so many hours had passed since the last tick, in which the machine slept."""
    passed = int(hours * HOUR_S)
    with Store(place.state) as store, store.database.write() as connection:
        connection.execute("UPDATE tick SET at = at - ?, boot_s = boot_s - ?", (passed, passed))
        connection.execute("UPDATE job SET decided_until = decided_until - ?1, first_seen = first_seen - ?1", (passed,))
        connection.execute("UPDATE job SET next_due = decided_until / 3600 * 3600 + 3600 WHERE name = ?", (job,))


@pytest.fixture
def slept(place: Place) -> Place:
    """An hourly job, and five hours without a call."""
    place.job("scores", schedule='{cron: "0 * * * *"}')
    place.job("monthly", schedule='{cron: "0 0 1 1 *"}')
    place.scores("scores", 1)
    place.idms("run-due")
    _asleep(place, 5)
    return place


def test_the_first_tick_after_a_silence_files_one_incident_and_tells_it(slept: Place) -> None:
    told = slept.idms("run-due", "--wait")
    (line,) = told.stderr.splitlines()
    assert line.startswith("nobody called run-due from ")
    assert line.endswith(" (5h): 5 slots were due: 1 taken after it, 4 skipped")
    assert slept.idms("run-due").stderr == ""
    (incident,) = slept.json("status")["incidents"]
    assert [slot["verdict"] for slot in incident["slots"]] == ["skipped"] * 4 + ["run"]
    assert {slot["reason"] for slot in incident["slots"]} == {"missed: a later one took its place", ""}


def test_an_incident_has_the_slots_that_another_command_decided_meanwhile(slept: Place) -> None:
    slept.idms("pause", "scores", "--why", "audit")
    slept.idms("resume", "scores")
    told = slept.idms("run-due", "--wait")
    assert told.stderr.endswith(" (5h): 5 slots were due: 5 skipped\n")
    (item,) = slept.json("history", "--status", "silent")["history"]
    assert {slot["reason"].partition(":")[0] for slot in item["slots"]} == {"paused"}


def test_an_incident_is_in_status_and_history(slept: Place) -> None:
    slept.idms("run-due", "--wait")
    assert " (5h): 5 slots were due: 1 taken after it, 4 skipped.\n" in slept.idms("status").stdout
    (line,) = [line for line in slept.idms("history").stdout.splitlines() if " silent " in line]
    assert line.endswith(" 5h  nobody called run-due; 5 slots were due: 1 taken after it, 4 skipped")
    (item,) = slept.json("history", "--status", "silent")["history"]
    assert (item["status"], len(item["slots"])) == ("silent", 5)
    assert " silent " not in slept.idms("history", "scores").stdout


def test_a_silence_in_which_nothing_was_due_is_an_incident_too(place: Place) -> None:
    place.job("monthly", schedule='{cron: "0 0 1 1 *"}')
    place.idms("run-due")
    _asleep(place, 1, job="")
    assert place.idms("run-due").stderr.endswith(" (1h): no slot was due\n")


def test_a_short_silence_is_none(place: Place) -> None:
    place.job("monthly", schedule='{cron: "0 0 1 1 *"}')
    place.idms("run-due")
    _asleep(place, 0.04, job="")
    assert place.idms("run-due").stderr == ""
    assert place.json("status")["incidents"] == []


def test_where_nothing_is_scheduled_nobody_is_missed(place: Place) -> None:
    path = place.job("scores")
    path.write_text(path.read_text() + "enabled: false\n")
    place.idms("run-due")
    _asleep(place, 5)
    assert place.idms("run-due").stderr == ""
    assert place.idms("history").stderr == ""


def test_a_clock_that_jumped_is_no_silence(place: Place) -> None:
    place.job("monthly", schedule='{cron: "0 0 1 1 *"}')
    place.idms("run-due")
    with Store(place.state) as store, store.database.write() as connection:
        connection.execute("UPDATE tick SET at = at - 7200")
    assert "the clock jumped" in place.idms("run-due").stderr
    assert place.json("status")["incidents"] == []


@pytest.mark.parametrize("command", ["history", "history scores", "why scores", "next", "pause scores"])
def test_every_command_that_looks_at_the_history_says_that_nobody_calls_run_due(slept: Place, command: str) -> None:
    told = slept.idms(*command.split())
    (line,) = told.stderr.splitlines()
    assert line.startswith("run-due has not been called since ")
    assert line.endswith(": nothing starts on its own.")
    quiet = slept.idms(*command.split(), "--json")
    assert quiet.stderr == ""
    assert json.loads(quiet.stdout)["version"] == 1


@pytest.mark.parametrize("command", ["--help", "run-due", "status"])
def test_other_commands_say_nothing_of_it_on_stderr(slept: Place, command: str) -> None:
    assert "has not been called" not in slept.idms(command).stderr


def test_a_silence_costs_one_full_tick_and_then_ticks_are_idle_again(slept: Place) -> None:
    slept.idms("run-due", "--wait")
    told = subprocess.run(
        [sys.executable, "-X", "importtime", *slept.command("run-due")[1:]],
        env=slept.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "idms_cli.dispatch.tick" not in told.stderr
