"""How each job stands, in words, and as JSON with fields that stay."""

import io
import json
import re
import time
from collections.abc import Callable

import pytest

from idms_cli.history.store import Store
from idms_cli.reports.page import Page, Table, show
from idms_cli.reports.trend import trend_of
from tests.commands.conftest import GOOD, Desk, Past

JOB_FIELDS = {
    "job", "state", "description", "module", "disabled", "done", "next_due", "pause", "problems", "last_run", "tested",
    "group", "bad_in_a_row", "bad_since", "recent",
}  # fmt: skip
PAGE_FIELDS = {"jobs", "banner", "connections", "incidents", "undelivered"}
RUN_FIELDS = {
    "id", "job", "due", "late_s", "by_hand", "dry_run", "status", "reason", "hint", "created_at", "started_at",
    "ended_at", "duration_s", "attempt", "retried", "not_before", "exit_code", "counts", "module", "sites", "intent",
}  # fmt: skip
KINDS = [("ops", "opened"), ("ops", "opened"), ("ops", "closed"), ("ops", "test")]
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
        (lambda desk, past: past.died(), "interrupted", "run 1 since WHEN: its process died (idms show 1)"),
        (lambda desk, past: past.ended("completed"), "completed", "run 1, WHEN in 1m"),
        (
            lambda desk, past: past.ended("partial", "1 of 1,300 rows rejected", counts=COUNTS),
            "partial",
            "run 1, WHEN in 1m: 1,300 read = 1,200 inserted + 99 unchanged + 1 rejected (idms show 1)",
        ),
        (
            lambda desk, past: past.ended("failed", "the time limit of 1m was reached", counts={"read": 3, "left": 3}),
            "failed",
            "run 1, WHEN in 1m: the time limit of 1m was reached; 3 read = 3 left (idms show 1)",
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
    _, shown, _, _, _, text = line.split(maxsplit=5)
    text = re.sub(r"(today|yesterday) \d\d:\d\d", "WHEN", text)
    assert (shown, re.sub(r"1m\d+s", "1m", text)) == (state, last)
    data = json.loads(desk.idms("status", "--json").out)
    assert [job["state"] for job in data["jobs"]] == [state]


def test_the_fields_of_a_job_stay(desk: Desk, past: Past) -> None:
    past.tick(1)
    past.ended("partial", "1 row rejected", counts=COUNTS)
    desk.job("bad", "module: import\n")
    told = json.loads(desk.idms("status", "--json").out)
    assert told.keys() == {"version", *PAGE_FIELDS}
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
    assert re.split(r"  +", line)[2] == shown
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
    assert desk.idms("status").out.startswith("fine: 1\nJOB ")


def _group_lines(desk: Desk) -> list[str]:
    return [
        line for line in desk.idms("status").out.splitlines() if re.match(r"(needs you|running|waiting|fine): ", line)
    ]


def test_jobs_stand_in_groups_those_that_need_somebody_first(desk: Desk, past: Past) -> None:
    for name in ("a-fine", "b-runs", "c-waits", "d-failed", "e-held"):
        desk.job(name, GOOD)
    past.ended("completed", job="a-fine")
    past.running("b-runs")
    past.pending("c-waits")
    past.ended("failed", "no", job="d-failed")
    past.ended("held", "12 deletes are more than max_deletes: 0", job="e-held")
    out = desk.idms("status").out
    assert _group_lines(desk) == ["needs you: 2", "running: 1", "waiting: 1", "fine: 2"]
    order = [line.split()[0] for line in out.splitlines() if re.match(r"[a-e]-|good", line)]
    assert order == ["d-failed", "e-held", "b-runs", "c-waits", "a-fine", "good"]
    assert "max_deletes: 0 (idms approve 5)\n" in out
    groups = {job["job"]: job["group"] for job in json.loads(desk.idms("status", "--json").out)["jobs"]}
    assert groups == {
        "a-fine": "fine", "b-runs": "running", "c-waits": "waiting", "d-failed": "needs you", "e-held": "needs you",
        "good": "fine",
    }  # fmt: skip


def test_failures_in_a_row_are_counted_until_the_last_good_run(desk: Desk, past: Past) -> None:
    for status in ("failed", "completed", "failed", "cancelled", "failed", "failed"):
        past.ended(status, "no", counts={"read": 4})
    line = next(line for line in desk.idms("status").out.splitlines() if line.startswith("good "))
    assert re.search(r"  failed 3 times in a row, since (today|yesterday) \d\d:\d\d; run 6, ", line)
    assert "  x█x▇xx  x█x█xx  " in line or "  x█x█xx  x█x█xx  " in line
    (job,) = json.loads(desk.idms("status", "--json").out)["jobs"]
    assert job["bad_in_a_row"] == 3
    assert [run["ended_as"] for run in job["recent"]] == [
        "failed", "completed", "failed", "cancelled", "failed", "failed",
    ]  # fmt: skip
    assert {run["rows"] for run in job["recent"]} == {4}


def test_a_running_job_says_how_far_it_is(desk: Desk, past: Past) -> None:
    run = past.running()
    (desk.state / "runs" / str(run) / "progress.json").write_text('{"read": 9, "inserted": 2, "left": 7}')
    assert re.search(r"run 1 since .*: writing 2 of 9\n", desk.idms("status").out)


def test_messages_that_could_not_be_delivered_are_told_for_a_day(desk: Desk, past: Past) -> None:
    now = time.time()
    with Store(desk.state) as store:
        ids = [store.outbox.add([name], kind, "good", {}, now)[0] for name, kind in KINDS]
        store.outbox.give_up(ids[0], now - 90_000, "long ago")
        store.outbox.give_up(ids[1], now - 60, "no route to host")
        store.outbox.give_up(ids[2], now, "the server said\x1b[31m 550")
        store.outbox.give_up(ids[3], now, "a test")
    told = desk.idms("status").out
    assert "2 messages could not be delivered by channel ops, the last at " in told
    assert ": the server said\\x1b[31m 550 (idms notify list)\n" in told
    (channel,) = json.loads(desk.idms("status", "--json").out)["undelivered"]
    assert (channel["channel"], channel["messages"]) == ("ops", 2)


@pytest.mark.parametrize("options", [["--watch"], ["--watch", "--json"], ["--watch", "--check"]])
def test_watching_is_for_people_at_a_terminal(desk: Desk, options: list[str]) -> None:
    told = desk.idms("status", *options)
    assert (told.code, told.out) == (2, "")
    assert told.err.startswith("idms: --watch ")


def test_the_bars_are_ascii_where_the_output_takes_no_others(desk: Desk, past: Past) -> None:
    past.ended("completed", counts=COUNTS)
    with Store(desk.state) as store, io.TextIOWrapper(io.BytesIO(), encoding="latin-1") as out:
        parts = [Table(("time",), [[trend_of(store.statistics.newest("good")).durations]])]
        show(Page({}, parts), file=out)
        out.seek(0)
        assert out.read() == "TIME\n#\n"
