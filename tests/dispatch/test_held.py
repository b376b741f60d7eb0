"""A run whose plan trips a guard is held: nothing is written before somebody has looked."""

import getpass
import json
import os
import re
import signal

import pytest

from idms_cli.dispatch.locks import take_data
from idms_cli.modules import DataLock
from idms_cli.sandbox import Sandbox
from tests.conftest import Place, courses, until

EVENING, NIGHT = "2026-11-30 20:00", "2026-12-01 02:00"


def _job(place: Place, guard: str, rows: int = 10) -> None:
    path = place.job("scores")
    path.write_text(f"{path.read_text()}guard: {guard}\n")
    place.scores("scores", rows)


def _written(site: Sandbox) -> int:
    return sum(number for (_, course), number in courses(site).items() if course == "Bookbinding")


@pytest.mark.parametrize(
    ("guard", "reason"),
    [
        ("{min_rows: 11}", "10 rows were read, min_rows is 11"),
        ("{max_changes: 9}", "10 of 10 records to write, max_changes is 9"),
        ("{max_changes: 99%}", "10 of 10 records to write, max_changes is 99%"),
    ],
    ids=["min_rows", "max_changes", "max_changes in percent"],
)
def test_a_tripped_guard_holds_the_run_and_nothing_is_written(
    place: Place, site: Sandbox, guard: str, reason: str
) -> None:
    _job(place, guard)
    told = place.idms("run", "scores")
    assert told.returncode == 6
    (run,) = place.runs()
    assert (run.status, run.reason) == ("held", f"{reason}. Nothing was written")
    assert site.writes == []


def test_max_rejects_counts_rejected_rows(place: Place, site: Sandbox) -> None:
    _job(place, "{max_rejects: 5%}")
    place.write("scores.csv", "member,course,grade\n101,Bookbinding,A\n102,Bookbinding,AAAAAAAAAA\n")
    assert place.idms("run", "scores").returncode == 6
    assert place.runs()[0].reason == "1 of 2 rows rejected, max_rejects is 5%. Nothing was written"
    assert site.writes == []


def test_a_source_much_smaller_than_usual_is_held(place: Place, site: Sandbox) -> None:
    _job(place, "{usual: 70%}", rows=10)
    assert place.idms("run", "scores").returncode == 0
    place.scores("scores", 6)
    assert place.idms("run", "scores").returncode == 6
    assert place.runs()[1].reason == "6 rows were read, usual are 10: less than 70%. Nothing was written"
    assert _written(site) == 10


@pytest.mark.parametrize("guard", ["{min_rows: 10, max_changes: 10}", "{max_changes: 100%, max_rejects: 0}"])
def test_a_plan_within_its_limits_is_carried_out(place: Place, guard: str) -> None:
    _job(place, guard)
    assert place.idms("run", "scores").returncode == 0


def test_a_scheduled_run_is_held_as_well_and_its_slot_is_decided(place: Place) -> None:
    _job(place, "{max_changes: 5}")
    place.at(EVENING)
    place.at(NIGHT, "--wait")
    assert place.runs()[0].status == "held"
    assert place.slots("scores") == [("2026-12-01 02:00", "run", "")]
    place.at(NIGHT, "--wait")
    assert len(place.runs()) == 1


def test_an_approved_run_carries_out_its_plan_and_who_approved_it_is_kept(place: Place, site: Sandbox) -> None:
    _job(place, "{max_changes: 5}")
    place.idms("run", "scores")
    told = place.idms("approve", "1")
    assert told.returncode == 0, told.stderr
    (run,) = place.runs()
    assert (run.status, run.counts["inserted"], run.decided_by) == ("completed", 10, getpass.getuser())
    assert run.decided_at is not None
    assert re.search(rf"\napproved  2\d\d\d-.+ by {getpass.getuser()}\n", told.stdout), told.stdout
    assert json.loads(place.idms("show", "1", "--json").stdout)["run"]["decided_by"] == getpass.getuser()
    assert _written(site) == 10


def test_the_plan_is_carried_out_as_it_was_seen_whatever_became_of_the_file(place: Place, site: Sandbox) -> None:
    _job(place, "{max_changes: 5}")
    place.idms("run", "scores")
    place.scores("scores", 10, course="Calligraphy")
    place.idms("approve", "1")
    assert _written(site) == 10
    assert sum(number for (_, course), number in courses(site).items() if course == "Calligraphy") == 0


def test_a_record_that_somebody_changed_after_the_plan_is_left_alone(place: Place, site: Sandbox) -> None:
    place.job("scores")
    place.scores("scores", 10)
    place.idms("run", "scores")
    path = place.directory / "jobs.d/scores.yaml"
    path.write_text(path.read_text() + "guard: {max_changes: 5}\n")
    place.write("scores.csv", (place.directory / "scores.csv").read_text().replace(",A", ",B"))
    assert place.idms("run", "scores").returncode == 6
    place.job("other")
    place.write("other.csv", "member,course,grade\n101,Bookbinding,C\n")
    place.idms("run", "other")
    assert place.idms("approve", "2").returncode == 1
    grades = {row["ID"]: row["Grade"] for row in site.rows("ABC_Scores") if row["Course"] == "Bookbinding"}
    assert grades["101"] == "C"
    assert {grade for member, grade in grades.items() if member != "101"} == {"B"}
    assert "changed-since" in place.idms("show", "2").stdout


def test_a_rejected_run_never_writes(place: Place, site: Sandbox) -> None:
    _job(place, "{max_changes: 5}")
    place.idms("run", "scores")
    told = place.idms("reject", "1")
    assert (told.returncode, told.stdout) == (0, "run 1 of scores is rejected; nothing was written\n")
    (run,) = place.runs()
    assert (run.status, run.reason, run.decided_by) == (
        "cancelled",
        f"rejected by {getpass.getuser()}",
        getpass.getuser(),
    )
    shown = place.idms("show", "1").stdout
    assert re.search(rf"\nrejected  2\d\d\d-.+ by {getpass.getuser()}\n", shown), shown
    assert place.idms("approve", "1").returncode == 2
    assert site.writes == []


@pytest.mark.parametrize("command", ["approve", "reject"])
def test_only_a_held_run_can_be_decided(place: Place, command: str) -> None:
    place.job("scores")
    place.scores("scores", 1)
    place.idms("run", "scores")
    told = place.idms(command, "1")
    assert told.returncode == 2
    assert "run 1 is not held: it is completed" in told.stderr


def test_a_dry_run_says_that_a_real_one_would_be_held(place: Place) -> None:
    _job(place, "{max_changes: 5}")
    told = place.idms("plan", "scores")
    assert told.returncode == 0
    assert "A real run would be held: 10 of 10 records to write, max_changes is 5\n" in told.stdout
    assert "Z A real run would be held: 10 of 10" in place.idms("show", "1").stdout


@pytest.mark.parametrize(
    ("guard", "message"),
    [
        ("{max_changes: lots}", "a count or a percentage is wanted here"),
        ("{max_changes: 101%}", "a percentage is wanted here"),
        ("{max_change: 5}", "did you mean 'max_changes'?"),
        ("{usual: 70}", "a percentage is wanted here"),
    ],
    ids=["word", "over 100", "typo", "no percent sign"],
)
def test_a_wrong_guard_is_a_problem(place: Place, guard: str, message: str) -> None:
    _job(place, guard)
    told = place.idms("check")
    assert told.returncode == 2
    assert message in told.stdout


def test_a_guard_looks_once_and_not_again_at_a_run_that_is_resumed(place: Place, site: Sandbox) -> None:
    """Rows that the site refuses while they are written are no longer the plan's."""
    site.latency_s = 0.03
    _job(place, "{max_rejects: 1}", rows=40)
    path = place.directory / "scores.csv"
    path.write_text(path.read_text().replace("101,", "99901,").replace("102,", "99902,").replace("103,", "99903,"))
    started = place.start("run", "scores")
    until(lambda: _written(site) > 5)
    for pid in place.processes():
        os.kill(pid, signal.SIGKILL)
    started.communicate()
    place.settled()
    place.idms("run-due", "--wait")
    (run,) = place.runs()
    assert (run.status, run.counts["rejected"], run.counts["inserted"]) == ("partial", 3, 37)


def test_a_run_of_some_rows_is_not_held_for_being_small(place: Place) -> None:
    _job(place, "{min_rows: 10, usual: 90%}")
    assert place.idms("run", "scores", "--limit", "2").returncode == 0


def test_an_approved_run_that_is_stopped_while_it_waits_is_carried_out_by_the_next_tick(
    place: Place, site: Sandbox
) -> None:
    _job(place, "{max_changes: 5}")
    place.idms("run", "scores")
    held = take_data(place.state, [DataLock("imis:test/abc_scores", write=True)])
    assert isinstance(held, list)
    approving = place.start("approve", "1")
    until(lambda: place.runs()[0].reason.startswith("waits for"))
    approving.send_signal(signal.SIGINT)
    told, _ = approving.communicate(timeout=30)
    assert approving.returncode == 130
    assert "run 1 was left to the next tick" in told
    for lock in held:
        lock.release()
    place.idms("run-due", "--wait")
    assert (place.runs()[0].status, _written(site)) == ("completed", 10)


def test_an_approved_plan_of_many_inserts_is_looked_at_once_more_in_whole_pages(place: Place, site: Sandbox) -> None:
    _job(place, "{max_changes: 5}")
    place.idms("run", "scores")
    (held,) = place.runs()
    site.add_rows("ABC_Scores", [{"ID": "103", "Course": "Bookbinding", "Grade": "C"}])  # somebody was quicker
    before = sum(site.calls["calls"].values())
    place.idms("approve", "1")
    (run,) = place.runs()
    assert (run.status, run.counts["inserted"], run.counts["rejected"]) == ("partial", 9, 1)
    assert _written(site) == 10
    assert held.counts["expected_calls"] == 10 + 1
    assert sum(site.calls["calls"].values()) - before < 2 * 10
