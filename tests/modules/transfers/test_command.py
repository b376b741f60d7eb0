"""Transfers through the real command: what is done, what is told, and what a person can do about it."""

import json
import os
import signal
from pathlib import Path

from tests.conftest import Place, until

JOB = """\
description: Members for a partner
module: transfer
schedule: {cron: "0 2 * * *"}
%swith:
  source: {%s}
  steps:
    - {to: out, file: "members-{{ slot.date }}.csv"}
    - {to: partner, file: members.json, name: partner%s}
    - {to: out, file: failed.txt, format: {text: {template: "{{ job }} failed"}}, when: failure, name: alarm}
"""


def job(place: Place, *, head: str = "", source: str = "path: data.csv", more: str = "") -> None:
    place.write("jobs.d/feed.yaml", JOB % (head, source, more))
    (place.directory / "out").mkdir(exist_ok=True)


def rows(place: Place, *lines: str) -> None:
    place.write("data.csv", "\n".join(["ID,Name", *lines, ""]))


def delivered(place: Place, folder: str = "out") -> dict[str, str]:
    return {path.name: path.read_bytes().decode() for path in sorted((place.directory / folder).iterdir())}


def test_a_partial_transfer_is_told_and_the_rest_of_it_delivered_once_the_partner_is_there(place: Place) -> None:
    job(place)
    rows(place, "101,Zoë")
    first = place.idms("run", "feed")
    assert first.returncode == 1
    told = place.json("show", "1")["run"]
    assert (told["status"], told["reason"]) == (
        "partial",
        f"step partner failed: there is no folder {place.directory}/partner",
    )
    assert [(step["name"], step["state"]) for step in told["steps"]] == [
        ("1", "delivered"),
        ("partner", "failed"),
        ("alarm", "delivered"),
    ]
    assert "What is left can be delivered from the rows of this run: idms retry 1" in first.stdout
    assert delivered(place)["failed.txt"] == "feed failed"

    rows(place, "999,Later")
    (place.directory / "partner").mkdir()
    day = next(name for name in delivered(place) if name.startswith("members"))
    (place.directory / "out" / day).unlink()
    assert place.idms("retry", "1").returncode == 0
    assert json.loads(delivered(place, "partner")["members.json"]) == [{"ID": "101", "Name": "Zoë"}]
    assert list(delivered(place)) == ["failed.txt"], "what was delivered is not delivered again"
    assert "rest of run 1; 1 read; 3 steps delivered" in place.idms("history").stdout
    refusals = {
        ("retry", "1"): "run 2 has taken over what run 1 left",
        ("undo", "1"): "run 1 is a transfer: what was delivered to others cannot be taken back",
        ("plan", "feed", "--out", "x"): "the plan of a transfer is not kept",
    }
    said = {words: place.idms(*words) for words in refusals}
    assert {words: result.stderr.splitlines()[0] for words, result in said.items()} == {
        words: f"idms: {message}" for words, message in refusals.items()
    }
    assert {result.returncode for result in said.values()} == {2}


def test_a_dry_run_shows_the_files_and_a_test_passes(place: Place) -> None:
    job(place, more=", when: failure")
    rows(place, "101,Zoë")
    (place.directory / "partner").mkdir()
    shown = place.idms("run", "feed", "--dry-run")
    assert shown.returncode == 0
    assert "What the steps would do. Nothing was delivered." in shown.stdout
    made = place.state / "runs/1/step-2/files/members.json"
    assert f"partner: {made} ({made.stat().st_size} bytes, 1 row)" in shown.stdout
    assert place.idms("test", "feed").returncode == 0
    assert (delivered(place), delivered(place, "partner")) == ({}, {})


def test_a_held_transfer_delivers_what_was_seen_once_it_is_approved(place: Place) -> None:
    job(place, head="guard: {min_rows: 2}\n")
    rows(place, "101,Zoë")
    (place.directory / "partner").mkdir()
    held = place.idms("run", "feed")
    assert held.returncode == 6
    assert "1 row was read, min_rows is 2. Nothing was delivered" in held.stdout
    assert delivered(place) == {}
    rows(place, "999,Later")
    assert place.idms("approve", "1").returncode == 0
    assert "Zoë" in delivered(place, "partner")["members.json"]


def test_bad_rows_are_listed(place: Place) -> None:
    job(place)
    rows(place, "101", "102,Ann")
    told = place.idms("run", "feed")
    assert told.returncode == 2
    assert "1 of 2 rows cannot go out. Row 2: The row has 1 cell, but the header has 2 columns." in told.stdout
    assert place.json("rejects", "1")["rejects"][0]["code"] == "ragged"


def test_a_scheduled_transfer_has_the_name_of_its_slot_and_is_tried_again(place: Place) -> None:
    job(place, head="retry: {attempts: 2, delay: 1s}\n")
    rows(place, "101,Zoë")
    place.at("2026-11-30 20:00")
    place.at("2026-12-01 02:00", "--wait")
    (run,) = place.runs()
    assert (run.status, run.not_before is not None) == ("pending", True)
    assert "failed.txt" not in delivered(place), "nobody is alarmed while it is to be tried again"
    (place.directory / "partner").mkdir()
    place.idms("resume", str(run.id))
    (run,) = place.runs()
    assert (run.status, run.counts["steps_delivered"], run.counts["steps_skipped"]) == ("completed", 2, 1)
    assert list(delivered(place)) == ["members-2026-12-01.csv"]


def test_a_stopped_transfer_says_what_it_did_not_do(place: Place) -> None:
    job(place, more=", retry: {attempts: 2, delay: 1h}")
    rows(place, "101,Zoë")
    started = place.start("run", "feed")
    log = place.state / "runs/1/log.txt"
    until(lambda: log.exists() and "tried again in" in log.read_text())
    os.kill(started.pid, signal.SIGINT)
    output, _ = started.communicate(timeout=60)
    assert started.returncode == 130, output
    steps = place.json("show", "1")["run"]["steps"]
    assert [step["state"] for step in steps] == ["delivered", "pending", "pending"]


def test_a_step_that_goes_on_for_ever_is_ended_by_its_time(place: Place) -> None:
    job(place, more=", timeout: 1s, retry: {attempts: 50, delay: 1s, factor: 1}")
    rows(place, "101,Zoë")
    assert place.idms("run", "feed").returncode == 1
    step = place.json("show", "1")["run"]["steps"][1]
    assert step["state"] == "failed"
    assert step["attempts"] < 5


def test_a_killed_transfer_goes_on_at_the_step_in_question(place: Place) -> None:
    job(place, more=", retry: {attempts: 2, delay: 1h}")
    rows(place, "101,Zoë")
    started = place.start("run", "feed")
    log = place.state / "runs/1/log.txt"
    until(lambda: log.exists() and "tried again in" in log.read_text())
    for pid in place.processes():
        os.kill(pid, signal.SIGKILL)
    started.communicate(timeout=60)
    place.settled()
    (place.directory / "partner").mkdir()
    first: Path = next((place.directory / "out").iterdir())
    first.unlink()
    place.idms("run-due", "--wait")
    (run,) = place.runs()
    assert (run.status, run.attempt) == ("completed", 2)
    assert delivered(place) == {}, "the first step was done, and is not done again"
    assert list(delivered(place, "partner")) == ["members.json"]
