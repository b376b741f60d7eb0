"""A job is tested before it is scheduled: a dry run of some rows, whose verdict holds until the job changes."""

from pathlib import Path

import pytest

from idms_cli.sandbox import Sandbox
from idms_cli.sandbox.server import serve
from tests.conftest import Place

EVENING, NIGHT = "2026-11-30 20:00", "2026-12-01 02:00"


@pytest.fixture
def job(place: Place) -> Path:
    place.scores("scores", 30)
    return place.job("scores")


def is_tested(place: Place) -> bool:
    (told,) = place.json("status")["jobs"]
    (checked,) = place.json("check")["jobs"]
    assert told["tested"] == checked["tested"]
    return bool(told["tested"])


def test_a_job_is_untested_until_it_passes_and_a_test_writes_nothing(place: Place, job: Path, site: Sandbox) -> None:
    assert "untested as it is now: idms test scores" in place.idms("check").stdout
    assert "Untested as they are now: scores (idms test JOB)." in place.idms("status").stdout
    tested = place.idms("test", "scores")
    assert tested.returncode == 0
    assert tested.stdout.startswith("test 1 of scores: completed; 20 read = 20 to write\n")
    assert tested.stdout.endswith("\ntest of scores against test: passed: 20 rows\n")
    assert "ntested" not in place.idms("check").stdout + place.idms("status").stdout
    assert is_tested(place)
    assert site.writes == []
    (run,) = place.runs()
    assert (run.intent, run.dry_run, run.row_limit, run.by_hand) == ("test", True, 20, True)
    assert place.idms("history").stdout.splitlines()[1].endswith("test; 20 read = 20 to write")


def test_the_number_of_rows_can_be_chosen_and_the_verdict_is_in_the_json(place: Place, job: Path) -> None:
    told = place.json("test", "scores", "--rows", "3")
    assert told["run"]["counts"]["read"] == 3
    assert told["run"]["planned"] == {"insert": 3}
    assert told["test"] == {"passed": True, "reason": "3 rows", "connection": "test"}


@pytest.mark.parametrize(
    ("before", "after", "tested"),
    [
        ("description:", "# a comment\ndescription:", True),
        ("Scores of scores", "Another description", True),
        ("0 2 * * *", "0 3 * * *", True),
        ("{ID: member, Course: course, Grade: grade}", "{Grade: grade, ID: member, Course: course}", True),
        ("Grade: grade", "Grade: {column: grade, case: upper}", False),
        ("action: upsert", "action: update", False),
        ("module: import", "module: import\nguard: {max_rejects: 1}", False),
    ],
    ids=["comment", "description", "schedule", "order", "map", "action", "guard"],
)
def test_what_the_job_does_counts_and_not_how_it_is_written(
    place: Place, job: Path, before: str, after: str, tested: bool
) -> None:
    place.idms("test", "scores", "--rows", "2")
    text = job.read_text()
    assert before in text
    job.write_text(text.replace(before, after))
    assert is_tested(place) is tested
    job.write_text(text)
    assert is_tested(place)


def test_a_job_that_goes_to_another_site_is_untested_there(place: Place, job: Path) -> None:
    place.idms("test", "scores", "--rows", "2")
    place.settings("http://127.0.0.1:9")
    assert not is_tested(place)


def test_a_test_may_go_to_a_connection_that_is_named(place: Place, job: Path, site: Sandbox, url: str) -> None:
    login = "username: idms-background, password: {env: IDMS_TEST_PASSWORD}"
    other = Sandbox()
    with serve(other) as address:
        more = f'  other: {{url: "{address}", {login}}}\ndefaults: {{connection: test}}\n'
        place.settings(url, more=more)
        tested = place.idms("test", "scores", "--connection", "other")
    assert tested.returncode == 0
    assert tested.stdout.endswith("\ntest of scores against other: passed: 20 rows\n")
    assert is_tested(place)
    assert site.calls["total"] == 0
    assert other.calls["total"] > 0


def test_a_connection_that_is_not_there_is_told_with_a_near_one(place: Place, job: Path) -> None:
    tested = place.idms("test", "scores", "--connection", "tset")
    assert tested.returncode == 2
    assert "there is no connection 'tset'" in tested.stderr


@pytest.mark.parametrize(
    ("rows", "guard", "reason"),
    [
        ("", "", "the source has no rows, so nothing was tried"),
        (",Bookbinding,A\n,Bookbinding,B\n", "", "2 of 2 rows rejected"),
        ("101,Bookbinding,A\n,Bookbinding,A\n", "guard: {max_rejects: 0}\n", "1 of 2 rows rejected, max_rejects"),
    ],
    ids=["no rows", "all rejected", "more than the guard allows"],
)
def test_a_test_that_does_not_pass_says_why(place: Place, job: Path, rows: str, guard: str, reason: str) -> None:
    job.write_text(job.read_text() + guard)
    place.write("scores.csv", f"member,course,grade\n{rows}")
    tested = place.idms("test", "scores")
    assert tested.returncode == 1
    assert f"\ntest of scores against test: not passed: {reason}" in tested.stdout
    assert not is_tested(place)


def test_a_site_that_is_down_says_nothing_about_the_job(place: Place, job: Path, url: str) -> None:
    place.idms("test", "scores", "--rows", "2")
    place.environment["IDMS_TEST_PASSWORD"] = "wrong"
    (place.state / "tokens/test.json").unlink()
    tested = place.idms("test", "scores")
    assert tested.returncode == 4
    assert "\ntest of scores against test: not passed: Connection test: the site refuses the login" in tested.stdout
    assert is_tested(place)


@pytest.mark.parametrize("where", ["job", "defaults"])
def test_with_require_test_an_untested_job_does_not_run_on_its_own(
    place: Place, job: Path, url: str, where: str
) -> None:
    if where == "job":
        job.write_text(job.read_text() + "require_test: true\n")
    else:
        place.settings(url, more="defaults: {require_test: true}\n")
    place.at(EVENING)
    told = place.at(NIGHT)
    assert told.stdout == "scores: skipped, untested: run idms test scores\n"
    assert place.slots("scores") == [("2026-12-01 02:00", "skipped", "untested")]
    (state,) = place.json("status")["jobs"]
    assert state["state"] == "untested"
    assert "and it does not run on its own before it has passed" in place.idms("check").stdout
    place.idms("test", "scores")
    place.at("2026-12-02 02:00", "--wait")
    assert place.slots("scores")[1] == ("2026-12-02 02:00", "run", "")
    assert place.runs()[-1].status == "completed"


def test_a_run_by_hand_needs_no_test(place: Place, job: Path) -> None:
    job.write_text(job.read_text() + "require_test: true\n")
    assert place.idms("run", "scores").returncode == 0


def test_a_wrong_value_of_require_test_is_told_with_its_place(place: Place, job: Path) -> None:
    job.write_text(job.read_text() + "require_test: maybe\n")
    assert "scores.yaml:10:15:" in place.idms("check").stdout
