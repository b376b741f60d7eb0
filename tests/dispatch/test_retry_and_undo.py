"""Rejected rows are tried again; a run is taken back."""

import os
import re
import signal

import pytest

from idms_cli.dispatch.locks import take_data
from idms_cli.modules import DataLock
from idms_cli.sandbox import Sandbox
from tests.conftest import Place, courses, until

HEADER = "member,course,grade\n"


def _grades(site: Sandbox, course: str = "Bookbinding") -> dict[str, str]:
    return {row["ID"]: row["Grade"] for row in site.rows("ABC_Scores") if row["Course"] == course}


def _interrupt(place: Place, site: Sandbox) -> None:
    """Run 1 of 50 rows is killed after some of them."""
    site.latency_s = 0.02
    place.job("scores")
    place.scores("scores", 50)
    place.at("2026-11-30 20:00")
    place.at("2026-12-01 02:00")
    worker = place.worker(1)
    until(lambda: len(_grades(site)) > 10)
    os.kill(worker, signal.SIGKILL)
    place.settled()


def test_rejected_rows_are_tried_again_as_they_are_once_the_job_is_mended(place: Place, site: Sandbox) -> None:
    place.job("scores")
    place.write("scores.csv", f"{HEADER}101,Bookbinding,A\n102,Bookbinding,\n,Bookbinding,B\n")
    place.idms("run", "scores")
    assert place.runs()[0].counts["rejected"] == 1
    told = place.idms("retry", "1", "--rejected")
    assert told.returncode == 1, told.stderr
    (_, run) = place.runs()
    assert (run.intent, run.of_run, run.counts["read"], run.counts["rejected"]) == ("retry", 1, 1, 1)
    assert "(by hand, rejected rows of run 1)\n" in told.stdout


def test_a_mended_rejects_file_is_taken_and_only_its_rows_are_sent(place: Place, site: Sandbox) -> None:
    place.job("scores")
    place.write("scores.csv", f"{HEADER}101,Bookbinding,A\n102,Bookbinding,AAAAAAAAAAAA\n")
    place.idms("run", "scores")
    rejects = (place.state / "runs/1/rejects.csv").read_text(encoding="utf-8-sig")
    mended = place.write("mended.csv", rejects.replace("AAAAAAAAAAAA", "B"))
    written = len(site.writes)
    told = place.idms("retry", "1", "--rejected", "--file", str(mended))
    assert told.returncode == 0, told.stdout + told.stderr
    assert _grades(site) == {"101": "A", "102": "B"}
    assert len(site.writes) == written + 1


def test_there_is_nothing_to_retry_in_a_run_without_rejects(place: Place) -> None:
    place.job("scores")
    place.scores("scores", 1)
    place.idms("run", "scores")
    told = place.idms("retry", "1", "--rejected")
    assert told.returncode == 2
    assert "run 1 has no rejected rows" in told.stderr


def test_undo_shows_its_plan_first_and_writes_nothing(place: Place, site: Sandbox) -> None:
    place.job("scores")
    place.scores("scores", 3)
    place.idms("run", "scores")
    site.reset()
    told = place.idms("undo", "1")
    assert told.returncode == 0, told.stderr
    assert "3 to delete" in told.stdout
    assert site.writes == []


def test_a_run_that_wrote_nothing_cannot_be_taken_back(place: Place) -> None:
    place.job("scores")
    place.scores("scores", 1)
    place.idms("run", "scores")
    place.idms("run", "scores")  # all is there
    told = place.idms("undo", "2")
    assert (told.returncode, told.stdout) == (2, "")
    assert "run 2 wrote nothing: there is nothing to take back" in told.stderr


def test_undo_removes_what_was_inserted_and_restores_what_was_changed(place: Place, site: Sandbox) -> None:
    place.job("scores")
    place.scores("scores", 3)
    place.idms("run", "scores")
    place.write("scores.csv", f"{HEADER}101,Bookbinding,C\n102,Bookbinding,A\n104,Bookbinding,B\n")
    place.idms("run", "scores")
    assert _grades(site) == {"101": "C", "102": "A", "103": "A", "104": "B"}
    told = place.idms("undo", "2", "--apply")
    assert told.returncode == 0, told.stdout + told.stderr
    assert _grades(site) == {"101": "A", "102": "A", "103": "A"}
    assert "(by hand, undo of run 2)\n" in told.stdout
    assert "by hand; undo of run 2; 2 read = 1 updated + 1 deleted" in place.idms("history", "scores").stdout
    run = place.runs()[-1]
    assert (run.intent, run.of_run, run.counts["updated"], run.counts["deleted"]) == ("undo", 2, 1, 1)
    assert place.idms("undo", "1", "--apply").returncode == 0
    assert _grades(site) == {}


@pytest.mark.parametrize("read", ["record", "snapshot"])
def test_undo_makes_again_what_was_deleted_with_all_that_it_said(place: Place, site: Sandbox, read: str) -> None:
    place.write(
        "jobs.d/gone.yaml",
        "module: import\nwith:\n  source: {path: gone.csv}\n  destination: {panel: ABC_Scores}\n  action: delete\n"
        f"  match: [ID]\n  map: {{ID: member}}\n  options: {{on_multiple: all, read: {read}}}\n",
    )
    place.job("scores")
    place.scores("scores", 2)
    place.idms("run", "scores")
    place.write("gone.csv", "member\n101\n102\n")
    before = _without_numbers(site)
    told = place.idms("plan", "gone")
    assert re.search("Course +Bookbinding\n", told.stdout), told.stdout
    assert place.idms("run", "gone").returncode == 0
    assert {row["ID"] for row in site.rows("ABC_Scores")}.isdisjoint({"101", "102"})
    assert "to insert" in place.idms("undo", "3").stdout
    told = place.idms("undo", "3", "--apply")
    assert told.returncode == 0, told.stdout + told.stderr
    assert _without_numbers(site) == before
    again = place.idms("undo", "3", "--apply")
    assert "there is such a record already" in again.stdout
    assert _without_numbers(site) == before


def test_a_deleted_membership_is_made_again_if_one_role_says_it_all(place: Place) -> None:
    job = (
        "module: import\nwith:\n  source: {{path: members.csv}}\n  destination: group_member\n  action: {action}\n"
        "  match: [GroupName, ID{role}]\n  map: {{GroupName: group, ID: member, Role: role, EffectiveDate: since}}\n"
    )
    place.write("jobs.d/join.yaml", job.format(action="upsert", role=", Role"))
    place.write("jobs.d/leave.yaml", job.format(action="delete", role=""))
    joined = "group,member,role,since\nMentors,101,Chair,2026-01-02\n"
    place.write("members.csv", f"{joined}Mentors,102,Chair,2026-01-03\nMentors,102,Member,2026-01-04\n")
    assert place.idms("run", "join").returncode == 0
    place.write("members.csv", f"{joined}Mentors,102,Chair,2026-01-03\n")
    assert place.idms("run", "leave").returncode == 0
    told = place.idms("undo", "2", "--apply")
    assert "it cannot be made again: it had no Role, or several" in told.stdout
    assert place.runs()[-1].counts["inserted"] == 1
    place.write("members.csv", joined)
    assert "1 read = 1 unchanged" in place.idms("run", "join").stdout


def _without_numbers(site: Sandbox) -> list[str]:
    rows = [{name: value for name, value in row.items() if name != "Ordinal"} for row in site.rows("ABC_Scores")]
    return sorted(map(repr, rows))


def test_undo_leaves_and_names_what_somebody_changed_since(place: Place, site: Sandbox) -> None:
    place.job("scores")
    place.scores("scores", 2)
    place.idms("run", "scores")
    place.job("other")
    place.write("other.csv", f"{HEADER}101,Bookbinding,C\n")
    place.idms("run", "other")
    told = place.idms("undo", "1", "--apply")
    assert "Grade has been changed since, to 'C'" in told.stdout
    assert _grades(site) == {"101": "C"}


def test_undo_names_what_it_leaves_of_a_record_that_it_restores_in_part(place: Place, site: Sandbox) -> None:
    job = place.job("scores")
    job.write_text(job.read_text().replace("Grade: grade", "Grade: grade, Score: score"))
    place.write("scores.csv", "member,course,grade,score\n101,Bookbinding,A,10\n")
    place.idms("run", "scores")
    place.write("scores.csv", "member,course,grade,score\n101,Bookbinding,B,20\n")
    place.idms("run", "scores")
    place.job("other")
    place.write("other.csv", f"{HEADER}101,Bookbinding,C\n")
    place.idms("run", "other")
    for told in (place.idms("undo", "2").stdout, place.idms("undo", "2", "--apply").stdout):
        assert "Why rows were left in part as they are" in told
        assert "line 2: Grade has been changed since, to 'C'" in told
    assert _grades(site) == {"101": "C"}
    assert [row["Score"] for row in site.rows("ABC_Scores") if row["Course"] == "Bookbinding"] == [10]


def test_an_undo_twice_finds_nothing_left_to_do(place: Place, site: Sandbox) -> None:
    place.job("scores")
    place.scores("scores", 2)
    place.idms("run", "scores")
    place.idms("undo", "1", "--apply")
    site.reset()
    place.idms("undo", "1", "--apply")
    assert site.writes == []


def test_contacts_are_not_deleted_by_an_undo(place: Place, site: Sandbox) -> None:
    place.write(
        "jobs.d/people.yaml",
        "module: import\nwith:\n  source: {path: people.csv}\n  destination: contact\n  action: upsert\n"
        "  match: [Email]\n  map: {FirstName: first, LastName: last, Email: mail}\n",
    )
    place.write("people.csv", "first,last,mail\nZoe,Quill,zoe.quill@example.org\n")
    assert place.idms("run", "people").returncode == 0
    told = place.idms("undo", "1", "--apply")
    assert "not-deletable" in told.stdout
    assert len([row for row in site.rows("Party") if "Quill" in str(row)]) == 1


@pytest.mark.parametrize("status", ["dry run", "nothing there"])
def test_what_wrote_nothing_cannot_be_undone(place: Place, status: str) -> None:
    place.job("scores")
    place.scores("scores", 1)
    if status == "dry run":
        place.idms("run", "scores", "--dry-run")
    assert place.idms("undo", "1").returncode == 2


def test_resume_goes_on_now_with_an_interrupted_run(place: Place, site: Sandbox) -> None:
    _interrupt(place, site)
    told = place.idms("resume", "1")
    assert told.returncode == 0, told.stderr
    assert place.runs()[0].status == "completed"
    assert sorted(courses(site)[str(101 + index), "Bookbinding"] for index in range(50)) == [1] * 50


def test_only_an_interrupted_run_can_be_resumed(place: Place) -> None:
    place.job("scores")
    place.scores("scores", 1)
    place.idms("run", "scores")
    told = place.idms("resume", "1")
    assert told.returncode == 2
    assert "run 1 is not interrupted: it is completed" in told.stderr


def test_a_run_that_never_had_a_plan_cannot_be_undone(place: Place) -> None:
    place.job("scores")  # and no file for it
    place.idms("run", "scores")
    told = place.idms("undo", "1")
    assert told.returncode == 2
    assert "there is nothing to take back" in told.stderr


def test_the_rows_of_an_undo_are_not_imported(place: Place) -> None:
    place.job("scores")
    place.scores("scores", 1)
    place.idms("run", "scores")
    place.idms("undo", "1", "--apply")
    assert place.idms("retry", "2", "--rejected").returncode == 2


def test_an_interrupted_run_is_still_there_when_its_resume_is_stopped_while_it_waits(
    place: Place, site: Sandbox
) -> None:
    _interrupt(place, site)
    held = take_data(place.state, [DataLock("imis:test/abc_scores", write=True)])
    assert isinstance(held, list)
    resuming = place.start("resume", "1")
    until(lambda: place.runs()[0].reason.startswith("waits for"))
    resuming.send_signal(signal.SIGTERM)
    resuming.communicate(timeout=30)
    assert (resuming.returncode, place.runs()[0].status) == (130, "interrupted")
    for lock in held:
        lock.release()
    place.idms("run-due", "--wait")
    assert (place.runs()[0].status, len(_grades(site))) == ("completed", 50)


def test_a_run_that_wrote_goes_on_when_settings_that_broke_meanwhile_are_mended(place: Place, site: Sandbox) -> None:
    _interrupt(place, site)
    settings = place.directory / "idms.yaml"
    good = settings.read_text()
    line = good.partition("  test:")[2].partition("\n")[0]
    settings.write_text(f"{good}  second:{line}\n")  # nobody can tell now which connection is meant
    for _ in range(4):  # more often than a run may die
        place.idms("run-due", "--wait")
    (run,) = place.runs()
    assert (run.status, run.deaths, 0 < run.counts["inserted"] < 50) == ("interrupted", 1, True)
    assert "connection" in run.reason
    assert re.search(r"calls +at least", place.idms("show", "1").stdout)  # its death hid some
    settings.write_text(good)
    place.idms("run-due", "--wait")
    (run,) = place.runs()
    assert (run.status, run.counts["inserted"], len(_grades(site))) == ("completed", 50, 50), run.reason


def test_a_half_done_run_whose_settings_broke_can_be_stopped_with_its_rejects(place: Place, site: Sandbox) -> None:
    _interrupt(place, site)
    settings = place.directory / "idms.yaml"
    good = settings.read_text()
    line = good.partition("  test:")[2].partition("\n")[0]
    settings.write_text(f"{good}  second:{line}\n")
    told = place.idms("resume", "1")
    assert (told.returncode, place.runs()[0].status) == (2, "interrupted"), told.stdout
    assert place.idms("stop", "1").returncode == 0
    (run,) = place.runs()
    written = run.counts["inserted"]
    assert (run.status, run.counts["left"], run.counts["rejected"]) == ("cancelled", 0, 50 - written)
    assert re.search(r"calls +at least", place.idms("show", "1").stdout)
    settings.write_text(good)
    site.latency_s = 0
    assert place.idms("retry", "1", "--rejected").returncode == 0
    assert sorted(courses(site)[str(101 + index), "Bookbinding"] for index in range(50)) == [1] * 50


def test_a_row_that_may_be_stored_is_not_sent_again_when_nobody_would_look(place: Place, site: Sandbox) -> None:
    path = place.job("scores")
    path.write_text(path.read_text().replace("upsert", "insert").replace("  match: [ID, Course]\n", ""))
    place.scores("scores", 1)
    site.set_fault("cut-after-write", 1.0)
    assert place.idms("run", "scores").returncode == 6
    site.set_fault("cut-after-write", 0.0)
    assert place.idms("reject", "1").returncode == 0
    told = place.idms("retry", "1", "--rejected")
    assert told.returncode == 2
    assert "no match: to look for: line 2" in told.stderr
    assert len(_grades(site)) == 1
    assert courses(site)["101", "Bookbinding"] == 1


def test_what_a_workflow_told_before_its_end_does_not_keep_it_from_being_taken_back(place: Place) -> None:
    place.job("scores")
    place.scores("scores", 2)
    place.write("jobs.d/flow.yaml", "module: workflow\nwith:\n  steps:\n  - {run: scores}\n")
    assert place.idms("run", "flow").returncode == 0
    place.write(".idms/runs/1/progress.json", '{"inserted": 0}')
    told = place.idms("undo", "1", "--apply")
    assert told.returncode == 0, told.stderr


def test_after_a_dry_run_of_a_retry_the_same_rows_are_named_to_be_imported(place: Place) -> None:
    place.job("scores")
    place.write("scores.csv", "member,course,grade\n101,Bookbinding,A\n,Bookbinding,B\n")
    place.idms("run", "scores")
    mended = place.write("to mend.csv", "member,course,grade\n102,Bookbinding,B\n")
    told = place.idms("retry", "1", "--rejected", "--file", str(mended), "--dry-run").stdout
    assert f"idms retry 1 --rejected --file '{mended}'  carry it out\n" in told
    assert place.idms("retry", "1", "--rejected", "--file", str(mended)).returncode == 0


def test_after_a_dry_run_of_a_runs_own_rejects_no_file_is_named(place: Place, site: Sandbox) -> None:
    place.job("scores")
    place.scores("scores", 1)
    site.faults.set("write-500", 1.0)
    place.idms("run", "scores")
    site.faults.set("write-500", 0.0)
    told = place.idms("retry", "1", "--rejected", "--dry-run").stdout
    assert "idms retry 1 --rejected  carry it out\n" in told
