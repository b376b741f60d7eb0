"""What ran, and what did not and why: filters, order, words, and fields that stay."""

import json
import re
import time

import pytest

from idms_cli.history.store import Store
from tests.commands.conftest import GOOD, Desk, Past
from tests.commands.test_status import COUNTS, RUN_FIELDS

SLOT_FIELDS = {"code", "made_up_by", "job", "due", "until", "status", "reason", "decided_at"}
DAY_S = 86_400


@pytest.fixture
def runs(desk: Desk, past: Past) -> Past:
    """Runs 1 to 4 of two jobs, and slots that were skipped ten days and one day ago."""
    desk.job("other", GOOD)
    now = int(time.time())
    past.ended("completed", counts=COUNTS, due=now - 2 * DAY_S)
    past.ended("partial", "1 row rejected", counts=COUNTS)
    past.ended("failed", "the time limit of 2h was reached", job="other", counts={"read": 3, "left": 3})
    past.ended("completed", counts={"read": 1, "left": 1}, dry_run=True)
    with Store(desk.state) as store:
        store.slots.skip("good", [now - 10 * DAY_S], now, reason="missed: nobody called run-due", until=now - 9 * DAY_S)
        store.slots.skip("other", [now - DAY_S], now, reason="overlap: run 3 is still running")
    return past


def _shown(desk: Desk, *options: str) -> list[str]:
    """Run number, or `-` and the job for a skipped slot."""
    told = json.loads(desk.idms("history", "--json", *options).out)
    return [str(item.get("id", f"- {item['job']}")) for item in told["history"]]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("", ["4", "3", "2", "- other", "1", "- good"]),
        ("good", ["4", "2", "1", "- good"]),
        ("--status completed", ["4", "1"]),
        ("--status skipped", ["- other", "- good"]),
        ("--status skipped good", ["- good"]),
        ("--status running", []),
        ("--since 36h", ["4", "3", "2", "- other", "1"]),
        ("--since 2h --status skipped", []),
        ("--since 1999-12-31", ["4", "3", "2", "- other", "1", "- good"]),
        ("--since 2999-12-31T23:00+02:00", []),
        ("--since 0001-01-01", ["4", "3", "2", "- other", "1", "- good"]),
        ("--since 999999d", ["4", "3", "2", "- other", "1", "- good"]),
        ("--limit 2", ["4", "3"]),
        ("--limit 1 --status skipped", ["- other"]),
        ("other --status failed --since 1d --limit 5", ["3"]),
        ("--until 36h", ["- good"]),
        ("--until 1999-12-31", []),
        ("--since 12d --until 36h", ["- good"]),
    ],
)
def test_the_history_is_filtered_and_newest_first(desk: Desk, runs: Past, options: str, expected: list[str]) -> None:
    assert _shown(desk, *options.split()) == expected


@pytest.fixture
def sorts(desk: Desk, past: Past) -> Past:
    """Runs 1 to 6 of three jobs that differ in module, connection and who asked; and a slot that was skipped."""
    for name, module in (("in", "import"), ("out", "transfer"), ("both", "update")):
        sites = {"in": "test", "out": "old", "both": "old,test"}[name]
        past.ended("completed", job=name, module=module, sites=sites, due=int(time.time()) - 60)
        past.ended("failed", "no", job=name, module=module, sites=sites, by_hand=True)
    with Store(desk.state) as store:
        store.slots.skip("out", [int(time.time()) - DAY_S], time.time(), reason="overlap: a run goes on")
    return past


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("--module import", ["2", "1"]),
        ("--module transfer", ["4", "3", "- out"]),
        ("--connection test", ["6", "5", "2", "1"]),
        ("--connection old", ["6", "5", "4", "3", "- out"]),
        ("--connection old --module update --by-hand", ["6"]),
        ("--by-hand", ["6", "4", "2"]),
        ("--scheduled", ["5", "3", "1", "- out"]),
        ("--by-hand --status failed --connection test", ["6", "2"]),
        ("--by-hand --since 1d --until 0s in", ["2"]),
        ("--scheduled --status completed --limit 1 --connection test", ["5"]),
        ("--scheduled --status skipped", ["- out"]),
    ],
)
def test_the_history_by_module_connection_and_who_asked(
    desk: Desk, sorts: Past, options: str, expected: list[str]
) -> None:
    assert sorted(_shown(desk, *options.split())) == sorted(expected)


def test_a_connection_that_never_was_is_told(desk: Desk, sorts: Past) -> None:
    told = desk.idms("history", "--connection", "tset")
    assert (told.code, told.out) == (2, "")
    assert told.err == "idms: there is no connection 'tset'\nhint: did you mean 'test'?\n"


def test_a_date_until_is_that_whole_day(desk: Desk, past: Past) -> None:
    past.ended("completed")
    assert _shown(desk, "--until", f"{time.strftime('%Y-%m-%d', time.gmtime(time.time() - 61))}") == ["1"]


def _took(desk: Desk, past: Past, seconds: float, rows: int, status: str = "completed") -> None:
    """A run of `good` that took so long."""
    run = past.running()
    with Store(desk.state) as store:
        started = store.runs.one(run)
        assert started is not None
        assert started.started_at is not None
        counts = {"read": rows, "unchanged": rows}
        store.runs.end(run, started.started_at.timestamp() + seconds, {"status": status, "counts": counts})


def test_the_task_history_of_a_job_marks_what_is_unusual_by_its_own_past(desk: Desk, past: Past) -> None:
    for seconds, rows in ((10, 100), (11, 100), (12, 101), (11, 99), (60, 100), (11, 3)):
        _took(desk, past, seconds, rows)
    _took(desk, past, 90, 100, "failed")
    lines = desk.idms("history", "good").out.splitlines()
    assert lines[:4] == [
        "good: usually 11 s and 100 rows, the medians of its last 6 good runs",
        "took  ▁▁▂▁▆▁x  at most 1m30s (x: failed)",
        "rows  █████▁x  at most 101",
        "",
    ]
    assert lines[4].split() == ["RUN", "WHEN", "STATUS", "TOOK", "ROWS", "RESULT"]
    assert [line.split()[0] for line in lines if "!" in line] == ["6", "5", "!"]
    assert re.search(r" 11 s +! 3  ", lines[6])
    assert "! 1m  " in lines[7]
    assert lines[-2] == "! = unusual for this job: more than twice, or less than half, of its median run."
    data = json.loads(desk.idms("history", "good", "--json").out)
    assert data.keys() == {"version", "history", "usual", "trend"}
    assert (data["usual"]["of_runs"], data["usual"]["rows"]) == (6, 100)
    assert [run["unusual"] for run in data["history"]] == [[], ["rows"], ["took"], [], [], [], []]
    assert data["trend"]["bad_in_a_row"] == 1


def test_of_few_runs_nobody_says_what_is_usual(desk: Desk, past: Past) -> None:
    for seconds in (1, 1, 1, 100):
        _took(desk, past, seconds, 5)
    told = desk.idms("history", "good").out
    assert "usual" not in told
    assert told.startswith("took  ▁▁▁█  at most 1m40s\n")


def test_the_history_in_words(desk: Desk, runs: Past) -> None:
    out = re.sub(r" +", " ", desk.idms("history").out)
    out = re.sub(r"(today|yesterday|[A-Z][a-z]{2} \d+ [A-Z][a-z]{2}) \d\d:\d\d", "WHEN", out)
    out = re.sub(r"1m\d+s", "1m", out)
    assert out == (
        "RUN JOB WHEN STATUS TOOK RESULT\n"
        " 4 good WHEN completed 1m dry run; 1 read = 1 to write\n"
        " 3 other WHEN failed 1m the time limit of 2h was reached; 3 read = 3 left\n"
        " 2 good WHEN partial 1m 1,300 read = 1,200 inserted + 99 unchanged + 1 rejected\n"
        " - other WHEN skipped - overlap: run 3 is still running\n"
        " 1 good WHEN completed 1m 1,300 read = 1,200 inserted + 99 unchanged + 1 rejected\n"
        " - good WHEN to WHEN skipped - missed: nobody called run-due\n"
        "Times are in UTC.\n"
    )


def test_a_run_by_hand_is_told_as_such(desk: Desk, past: Past) -> None:
    past.ended("completed", by_hand=True)
    assert desk.idms("history").out.splitlines()[1].endswith("  by hand")


def test_the_history_of_a_job_whose_file_is_gone_is_still_there(desk: Desk, runs: Past) -> None:
    (desk.jobs / "other.yaml").unlink()
    assert _shown(desk, "other") == ["3", "- other"]
    assert _shown(desk, "other", "--status", "partial") == []


def test_a_job_that_never_ran_has_no_history(desk: Desk) -> None:
    assert desk.idms("history", "good").out == "Nothing has happened yet, or nothing that fits.\n"
    assert json.loads(desk.idms("history", "good", "--json").out) == {"version": 1, "history": []}


def test_the_fields_of_the_history_stay(desk: Desk, runs: Past) -> None:
    told = json.loads(desk.idms("history", "--json").out)
    assert told.keys() == {"version", "history"}
    assert told["version"] == 1
    run, slot = told["history"][0], told["history"][-1]
    assert run.keys() >= RUN_FIELDS
    assert slot.keys() == SLOT_FIELDS
    assert (run["status"], slot["status"]) == ("completed", "skipped")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?\+00:00", run["started_at"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", slot["due"])


def test_looking_tells_at_once_that_a_process_died(desk: Desk, past: Past) -> None:
    past.died()
    assert json.loads(desk.idms("history", "--json").out)["history"][0]["status"] == "interrupted"
