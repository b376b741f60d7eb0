"""A workflow through the real command: its steps in the history, held, approved, failed, gone on with, taken back."""

import json

import pytest

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
    return {step["path"]: step["status"] for step in place.json("show", str(run))["run"]["workflow"]}


def test_a_workflow_runs_is_shown_and_its_data_can_be_read(flow: Place, site: Sandbox) -> None:
    done = flow.idms("run", "flow", "-p", "course=Bookbinding")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "run scores" in done.stdout
    assert "4 steps succeeded" in done.stdout
    assert states(flow, 1) == dict.fromkeys(("scores", "found", "ours", "listed"), "succeeded")
    data = json.loads(flow.idms("show", "1", "--data", "ours").stdout)
    assert data["input"] == {"course": "Bookbinding"}
    assert data["ours"]["rows"] == 3
    assert "listed" not in data
    assert flow.idms("run", "flow", "-p", "curse=x").returncode == 2
    (only,) = flow.runs()
    assert {lock["resource"].rpartition("/")[2] for lock in only.locks} >= {"abc_scores", "scores"}


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
    assert "has done everything" in flow.idms("retry", "2").stderr


def test_a_rejected_workflow_ends_with_its_rows_told(flow: Place) -> None:
    flow.scores("scores", 4)
    flow.idms("run", "flow")
    assert flow.idms("reject", "1").returncode == 0
    (run,) = flow.runs()
    assert (run.status, run.is_refused) == ("cancelled", True)


def test_status_history_check_test_and_the_report_know_workflows(flow: Place) -> None:
    flow.idms("run", "flow")
    assert "4 steps succeeded" in flow.idms("status").stdout
    assert "4 steps succeeded" in flow.idms("history").stdout
    assert "4 steps: run, query, filter, file" in flow.idms("check").stdout
    assert flow.idms("report", "--html", "report.html").returncode == 0
    tried = flow.idms("test", "flow")
    assert "passed: " in tried.stdout, tried.stdout + tried.stderr
    assert tried.returncode == 0


def test_parameters_without_a_default_have_to_be_said(flow: Place) -> None:
    flow.write("jobs.d/flow.yaml", JOB.format(more="").replace("course: Bookbinding}", "course: {description: which}}"))
    for words in (("run",), ("test",), ("plan",)):
        refused = flow.idms(*words, "flow")
        assert (refused.returncode, "the parameter course is missing" in refused.stderr) == (2, True)
        assert flow.idms(*words, "flow", "-p", "course=Bookbinding").returncode == 0
    assert "takes no parameters" in flow.idms("run", "scores", "-p", "a=b").stderr
