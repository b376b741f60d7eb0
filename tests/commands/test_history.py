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
    ],
)
def test_the_history_is_filtered_and_newest_first(desk: Desk, runs: Past, options: str, expected: list[str]) -> None:
    assert _shown(desk, *options.split()) == expected


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
