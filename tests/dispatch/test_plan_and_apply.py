"""A plan is read, kept, and carried out exactly, or refused."""

from pathlib import Path

import pytest

from idms_cli.sandbox import Sandbox
from tests.conftest import Place

HEADER = "member,course,grade\n"


@pytest.fixture
def plan(place: Place) -> Path:
    """A plan of one insert and one update, kept in a file."""
    place.job("scores")
    place.write("scores.csv", f"{HEADER}101,Bookbinding,A\n")
    place.idms("run", "scores")
    place.write("scores.csv", f"{HEADER}101,Bookbinding,B\n102,Bookbinding,A\n")
    told = place.idms("plan", "scores", "--out", str(place.directory / "night.plan"))
    assert told.returncode == 0, told.stderr
    assert "1 to insert and 1 to update" in told.stdout
    return place.directory / "night.plan"


def _grades(site: Sandbox) -> dict[str, str]:
    return {row["ID"]: row["Grade"] for row in site.rows("ABC_Scores") if row["Course"] == "Bookbinding"}


def test_a_plan_writes_nothing_and_apply_carries_it_out(place: Place, site: Sandbox, plan: Path) -> None:
    assert _grades(site) == {"101": "A"}
    told = place.idms("apply", str(plan))
    assert told.returncode == 0, told.stdout + told.stderr
    assert _grades(site) == {"101": "B", "102": "A"}
    run = place.runs()[-1]
    assert (run.intent, run.counts["inserted"], run.counts["updated"]) == ("apply", 1, 1)


def test_what_to_do_next_is_exactly_what_was_planned(place: Place) -> None:
    place.job("scores")
    place.scores("scores", 1)
    options = ("-o", "duplicates=first", "-o", "skip_blank_match=false")
    told = place.idms("plan", "scores", *options)
    assert "idms run scores -o skip_blank_match=false -o duplicates=first  carry it out\n" in told.stdout
    told = place.idms("plan", "scores", *options, "--out", "night.plan")
    assert "idms apply night.plan  carry out exactly this plan\n" in told.stdout
    assert "idms run" not in told.stdout
    assert told.stderr.endswith("The plan is in night.plan.\n")


def test_a_plan_is_carried_out_once(place: Place, site: Sandbox, plan: Path) -> None:
    place.idms("apply", str(plan))
    site.reset()
    told = place.idms("apply", str(plan))
    assert told.returncode == 2
    assert "night.plan has been carried out, by run 3" in told.stderr
    assert site.writes == []


def test_a_plan_is_refused_when_its_source_has_changed(place: Place, site: Sandbox, plan: Path) -> None:
    place.write("scores.csv", f"{HEADER}101,Bookbinding,C\n")
    told = place.idms("apply", str(plan))
    assert told.returncode == 2
    assert "scores.csv has been changed since the plan was made" in told.stderr
    assert _grades(site) == {"101": "A"}


def test_a_plan_is_refused_when_its_job_has_changed(place: Place, site: Sandbox, plan: Path) -> None:
    path = place.directory / "jobs.d/scores.yaml"
    path.write_text(path.read_text() + "# a comment\n")
    told = place.idms("apply", str(plan))
    assert told.returncode == 2
    assert "scores.yaml has been changed since the plan was made" in told.stderr
    assert _grades(site) == {"101": "A"}


def test_a_plan_is_refused_as_a_whole_when_one_of_its_records_has_changed(
    place: Place, site: Sandbox, plan: Path
) -> None:
    place.job("other")
    place.write("other.csv", f"{HEADER}101,Bookbinding,C\n")
    place.idms("run", "other")
    told = place.idms("apply", str(plan))
    assert told.returncode == 2
    assert "records are no longer as they were planned (1)" in told.stdout
    assert place.runs()[-1].counts["get"] > 0
    assert _grades(site) == {"101": "C"}


@pytest.mark.parametrize("content", [None, "", "no plan at all"], ids=["missing", "empty", "text"])
def test_what_is_no_plan_is_refused(place: Place, content: str | None) -> None:
    if content is not None:
        place.write("night.plan", content)
    told = place.idms("apply", str(place.directory / "night.plan"))
    assert told.returncode == 2
    assert "`idms plan JOB --out FILE` makes one" in told.stderr


def test_a_plan_that_is_damaged_is_refused_by_its_own_name(place: Place, site: Sandbox, plan: Path) -> None:
    content = bytearray(plan.read_bytes())
    content[-3000:] = b"\xee" * 3000
    plan.write_bytes(content)
    site.reset()
    told = place.idms("apply", str(plan))
    assert told.returncode == 2
    assert f"{plan} is damaged, or not the whole of a plan" in told.stderr
    assert site.writes == []


def test_a_plan_is_never_overwritten(place: Place, plan: Path) -> None:
    before = plan.read_bytes()
    assert place.idms("plan", "scores", "--out", str(plan)).returncode == 2
    assert plan.read_bytes() == before


def test_a_plan_that_died_half_way_is_resumed_exactly_once(place: Place, site: Sandbox) -> None:
    import os
    import signal

    from tests.conftest import courses, until

    place.job("scores")
    place.scores("scores", 40)
    place.idms("plan", "scores", "--out", str(place.directory / "night.plan"))
    site.latency_s = 0.03
    started = place.start("apply", str(place.directory / "night.plan"))
    until(lambda: len(_grades(site)) > 5)
    for pid in place.processes():
        os.kill(pid, signal.SIGKILL)
    started.communicate()
    place.settled()
    place.idms("run-due", "--wait")
    assert place.runs()[-1].status == "completed"
    assert sorted(courses(site)[str(101 + index), "Bookbinding"] for index in range(40)) == [1] * 40


def test_a_plan_of_inserts_without_match_is_carried_out_once(place: Place, site: Sandbox) -> None:
    path = place.job("scores")
    path.write_text(path.read_text().replace("upsert", "insert").replace("  match: [ID, Course]\n", ""))
    place.scores("scores", 2)
    plan = str(place.directory / "night.plan")
    place.idms("plan", "scores", "--out", plan)
    assert place.idms("apply", plan).returncode == 0
    told = place.idms("apply", plan)
    assert told.returncode == 2
    assert "has been carried out, by run 2" in told.stderr
    assert len(_grades(site)) == len([write for write in site.writes if write.method == "POST"]) == 2
