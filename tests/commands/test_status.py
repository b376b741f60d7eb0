"""How each job stands, in words, and as JSON with fields that stay."""

import json
import re
from collections.abc import Callable

import pytest

from idms_cli.history.store import Store
from tests.commands.conftest import GOOD, Desk, Past

JOB_FIELDS = {
    "job", "state", "description", "module", "disabled", "done", "next_due", "pause", "problems", "last_run", "tested",
}  # fmt: skip
RUN_FIELDS = {
    "id", "job", "due", "late_s", "by_hand", "dry_run", "status", "reason", "hint", "created_at", "started_at",
    "ended_at", "duration_s", "attempt", "retried", "not_before", "exit_code", "counts",
}  # fmt: skip
PROBLEM_FIELDS = {"file", "line", "column", "message", "hint", "value"}

COUNTS = {"read": 1300, "inserted": 1200, "updated": 0, "unchanged": 99, "skipped": 0, "rejected": 1, "left": 0}


def _broken(desk: Desk, past: Past) -> None:
    desk.job("good", GOOD + "description: again\nshedule: {}\n")


def _disabled(desk: Desk, past: Past) -> None:
    past.ended("completed", counts=COUNTS)
    desk.job("good", GOOD + "enabled: false\n")


def _waiting(desk: Desk, past: Past) -> None:
    past.wait(past.pending(), "waits for a place: 4 of 4 runs are running")


@pytest.mark.parametrize(
    ("prepare", "state", "last"),
    [
        (lambda desk, past: None, "new", "-"),
        (_broken, "broken", "line 9: the key 'description' is here twice; it stands in line 1 already; see idms check"),
        (_disabled, "disabled", "run 1, WHEN in 1m: 1,300 read = 1,200 inserted + 99 unchanged + 1 rejected"),
        (_waiting, "pending", "run 1 since WHEN: waits for a place: 4 of 4 runs are running"),
        (lambda desk, past: past.running(), "running", "run 1 since WHEN"),
        (lambda desk, past: past.died(), "interrupted", "run 1 since WHEN: its process died"),
        (lambda desk, past: past.ended("completed"), "completed", "run 1, WHEN in 1m"),
        (
            lambda desk, past: past.ended("partial", "1 of 1,300 rows rejected", counts=COUNTS),
            "partial",
            "run 1, WHEN in 1m: 1,300 read = 1,200 inserted + 99 unchanged + 1 rejected",
        ),
        (
            lambda desk, past: past.ended("failed", "the time limit of 1m was reached", counts={"read": 3, "left": 3}),
            "failed",
            "run 1, WHEN in 1m: the time limit of 1m was reached; 3 read = 3 left",
        ),
        (lambda desk, past: past.ended("cancelled", "stopped"), "cancelled", "run 1, WHEN in 1m: stopped"),
        (lambda desk, past: past.ended("completed", dry_run=True), "new", "-"),
        (lambda desk, past: past.running(dry_run=True), "new", "-"),
        (lambda desk, past: (past.ended("failed", "no"), past.running()), "running", "run 2 since WHEN"),
        (lambda desk, past: (past.running(), past.pending()), "running", "run 1 since WHEN"),
    ],
    ids=[
        "new", "broken", "disabled", "pending", "running", "interrupted", "completed", "partial", "failed", "cancelled",
        "a dry run does not count", "nor does one that runs", "running after a failure",
        "running before one that waits",
    ],
)  # fmt: skip
def test_the_state_of_a_job(
    desk: Desk, past: Past, prepare: Callable[[Desk, Past], object], state: str, last: str
) -> None:
    past.tick(1)
    prepare(desk, past)
    told = desk.idms("status")
    assert told.code == 0
    line = next(line for line in told.out.splitlines() if line.startswith("good "))
    _, shown, _, text = line.split(maxsplit=3)
    text = re.sub(r"(today|yesterday) \d\d:\d\d", "WHEN", text)
    assert (shown, re.sub(r"1m\d+s", "1m", text)) == (state, last)
    data = json.loads(desk.idms("status", "--json").out)
    assert [job["state"] for job in data["jobs"]] == [state]


def test_the_fields_of_a_job_stay(desk: Desk, past: Past) -> None:
    past.tick(1)
    past.ended("partial", "1 row rejected", counts=COUNTS)
    desk.job("bad", "module: import\n")
    told = json.loads(desk.idms("status", "--json").out)
    assert told.keys() == {"version", "jobs", "banner", "connections", "incidents"}
    assert (told["version"], told["banner"]) == (1, "")
    bad, good = told["jobs"]
    assert bad.keys() == good.keys() == JOB_FIELDS
    assert good["last_run"].keys() >= RUN_FIELDS
    assert good["last_run"]["counts"] == COUNTS
    assert good["problems"] == []
    assert bad["last_run"] is None
    assert [problem.keys() for problem in bad["problems"]] == [PROBLEM_FIELDS]


@pytest.mark.parametrize(
    ("schedule", "shown"),
    [
        ("", "-"),
        ("schedule: {at: 2999-06-01 18:30}\n", "2999-06-01 18:30"),
        ("schedule: {at: 1999-06-01 18:30}\n", "done"),
        ("schedule: {at: 2999-06-01 18:30}\nenabled: false\n", "-"),
        ("schedule: {at: 2999-06-01 18:30, timezone: Asia/Tokyo}\n", "2999-06-01 09:30"),
    ],
    ids=["no schedule", "to come", "past", "disabled", "in another zone than the reader's"],
)
def test_the_next_run_is_shown_in_the_readers_zone(desk: Desk, schedule: str, shown: str) -> None:
    desk.job("good", GOOD + schedule)
    line = next(line for line in desk.idms("status").out.splitlines() if line.startswith("good "))
    assert line.split(maxsplit=2)[2].rpartition("  ")[0].strip() == shown
    assert "Times are in UTC.\n" in desk.idms("status").out


def test_a_run_that_should_have_started_is_told_as_due(desk: Desk) -> None:
    desk.job("good", GOOD + "schedule: {cron: '* * * * *'}\n")
    desk.idms("status")
    with Store(desk.state) as store:
        store.catalog.rewind("good", decided_until=0, next_due=86_400)
    assert "due since 1970-01-02 00:00" in desk.idms("status").out


@pytest.mark.parametrize(
    ("seconds_ago", "silent"),
    [(1, False), (170, False), (190, True), (90_000, True)],
    ids=["1 s", "170 s", "190 s", "a day"],
)
def test_silence_of_run_due_is_told_after_three_minutes(desk: Desk, past: Past, seconds_ago: int, silent: bool) -> None:
    past.tick(seconds_ago)
    told = desk.idms("status")
    assert told.out.startswith("run-due has not been called since ") == silent
    assert bool(json.loads(desk.idms("status", "--json").out)["banner"]) == silent
    assert told.code == 0


def test_a_run_due_that_was_never_called_is_told(desk: Desk) -> None:
    told = desk.idms("status")
    assert told.out.startswith("run-due has never been called: nothing starts on its own. ")
    desk.idms("run-due")
    assert desk.idms("status").out.startswith("JOB ")
