"""A workflow through the real command: its steps in the history, held, approved, failed, gone on with, taken back."""

import json

import pytest
from click.testing import CliRunner, Result

from idms_cli.cli import group
from idms_cli.sandbox import Sandbox
from tests.conftest import Place, courses

JOB = """\
description: Scores, and who took part
module: workflow
{more}with:
  parameters: {{course: Bookbinding}}
  steps:
    - name: scores
      run: scores
    - name: found
      query: $/Idms/Scores
    - name: ours
      filter: "{{{{ row.Course == input.course }}}}"
    - name: listed
      file: {{to: out, file: "{{{{ run.id }}}}.csv"}}
"""


@pytest.fixture
def flow(place: Place) -> Place:
    place.job("scores", more="guard: {max_changes: 3}")
    place.scores("scores", 3)
    place.write("jobs.d/flow.yaml", JOB.format(more=""))
    (place.directory / "out").mkdir()
    return place


def states(place: Place, run: int) -> dict[str, str]:
    shown = json.loads(said(place, "show", str(run), "--json").output)
    return {step["path"]: step["status"] for step in shown["run"]["workflow"]}


def test_a_workflow_runs_is_shown_and_its_data_can_be_read(flow: Place, site: Sandbox) -> None:
    done = flow.idms("run", "flow", "-p", "course=Bookbinding")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "run scores" in done.stdout
    assert "4 steps succeeded" in done.stdout
    assert states(flow, 1) == dict.fromkeys(("scores", "found", "ours", "listed"), "succeeded")
    data = json.loads(said(flow, "show", "1", "--data", "ours").output)
    assert data["input"] == {"course": "Bookbinding"}
    assert data["ours"]["rows"] == 3
    assert "listed" not in data
    assert "there is no parameter 'curse'" in str(said(flow, "run", "flow", "-p", "curse=x").exception)
    (only,) = flow.runs()
    assert {lock["resource"].rpartition("/")[2] for lock in only.locks} >= {"abc_scores", "scores"}


def test_the_data_of_a_workflow_within_one_is_its_own(flow: Place, site: Sandbox) -> None:
    del site
    flow.write("jobs.d/outer.yaml", "module: workflow\nwith: {steps: [{name: inner, run: flow}]}\n")
    assert flow.idms("run", "outer").returncode == 0
    data = json.loads(said(flow, "show", "1", "--data", "inner/ours").output)
    assert data["input"] == {"course": "Bookbinding"}
    assert (data["ours"]["rows"], len(data["ours"]["first"])) == (3, 3)


def test_a_held_workflow_is_approved_goes_on_and_is_taken_back(flow: Place, site: Sandbox) -> None:
    before = courses(site)
    flow.scores("scores", 4)
    held = flow.idms("run", "flow")
    assert (held.returncode, states(flow, 1)) == (6, {"scores": "held"})
    assert "max_changes is 3" in held.stdout
    assert "to insert" in held.stdout
    approved = flow.idms("approve", "1")
    assert approved.returncode == 0, approved.stdout + approved.stderr
    assert len(courses(site)) == len(before) + 4
    assert list(states(flow, 1).values()) == ["succeeded"] * 4
    assert flow.idms("undo", "1", "--apply").returncode == 0
    assert courses(site) == before


def test_a_workflow_that_failed_goes_on_in_a_run_of_its_own(flow: Place, site: Sandbox) -> None:
    (flow.directory / "out").rmdir()
    failed = flow.idms("run", "flow")
    assert (failed.returncode, states(flow, 1)["listed"]) == (5, "failed")
    assert "idms retry 1" in failed.stdout
    (flow.directory / "out").mkdir()
    rest = flow.idms("retry", "1")
    assert rest.returncode == 0, rest.stdout + rest.stderr
    assert list(states(flow, 2).values()) == ["succeeded"] * 4
    assert "done by run 1" in rest.stdout
    assert [path.name for path in (flow.directory / "out").iterdir()] == ["1.csv"]
    assert set(courses(site).values()) == {1}
    assert "has done everything" in str(said(flow, "retry", "2").exception)


def test_rejected_rows_of_a_workflow_are_those_of_its_jobs(flow: Place) -> None:
    flow.write("scores.csv", "member,course,grade\n101,Bookbinding,A\n102,Bookbinding,Z\n")
    assert flow.idms("run", "flow").returncode == 1
    assert "'Z' is not among" in said(flow, "rejects", "1").output
    assert "102,Bookbinding,Z" in said(flow, "rejects", "1", "--csv", "-").output
    assert "its rejected rows are those of its jobs" in str(said(flow, "retry", "1", "--rejected").exception)


def test_a_rejected_workflow_ends_with_its_rows_told(flow: Place) -> None:
    flow.scores("scores", 4)
    flow.idms("run", "flow")
    assert said(flow, "reject", "1").exit_code == 0
    (run,) = flow.runs()
    assert (run.status, run.is_refused) == ("cancelled", True)


def test_status_history_check_test_and_the_report_know_workflows(flow: Place) -> None:
    tried = flow.idms("test", "flow")
    assert (tried.returncode, "passed: 4 of 4 steps tried" in tried.stdout) == (0, True), tried.stdout + tried.stderr
    flow.idms("run", "flow")
    assert "4 steps succeeded" in said(flow, "status").output
    assert "4 steps succeeded" in said(flow, "history").output
    assert "4 steps: run, query, filter, file" in said(flow, "check").output
    assert said(flow, "report", "--html", str(flow.directory / "report.html")).exit_code == 0


def test_parameters_without_a_default_have_to_be_said(flow: Place) -> None:
    flow.write("jobs.d/flow.yaml", JOB.format(more="").replace("course: Bookbinding}", "course: {description: which}}"))
    for word in ("run", "test", "plan"):
        assert str(said(flow, word, "flow").exception) == "the parameter course is missing"
    assert "takes no parameters" in str(said(flow, "run", "scores", "-p", "a=b").exception)


def said(place: Place, *arguments: str) -> Result:
    """What a command says that starts no run; in this process."""
    return CliRunner().invoke(group, ["--config", str(place.directory / "idms.yaml"), *arguments])


def test_a_job_that_asks_is_answered_and_the_workflow_goes_on(flow: Place, site: Sandbox) -> None:
    path = flow.job("scores")
    path.write_text(path.read_text().replace("upsert", "insert").replace("  match: [ID, Course]\n", ""))
    site.set_fault("cut-after-write", 1.0)
    asks = flow.idms("run", "flow")
    site.set_fault("cut-after-write", 0.0)
    assert asks.returncode == 6, asks.stdout + asks.stderr
    assert "Are these on the site?" in asks.stdout
    answered = flow.idms("approve", "1", "--stored", "1")
    assert answered.returncode == 0, answered.stdout + answered.stderr
    ours = {who: number for (who, course), number in courses(site).items() if course == "Bookbinding"}
    assert ours == {"101": 1, "102": 1, "103": 1}
    assert list(states(flow, 1).values()) == ["succeeded"] * 4
