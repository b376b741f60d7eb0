"""Options are said by the site, by a job and for one run; each run keeps and tells what held for it."""

import os
import signal

import pytest

from idms_cli.sandbox import Sandbox
from tests.conftest import Place, courses, until

TWICE = "member,course,grade\n101,Gilding,A\n101,Gilding,B\n"
SITE = "defaults: {options: {duplicates: first}}\n"
FROM_SITE = {"value": "first", "from": "idms.yaml"}
JOB = """
module: import
with:
  source: {path: scores.csv}
  destination: {panel: ABC_Scores}
  action: upsert
  match: [ID, Course]
  map: {ID: member, Course: course, Grade: grade}
"""


def given(value: object) -> dict[str, object]:
    return {"value": value, "from": "command line"}


def grade(site: Sandbox) -> list[str]:
    return [str(row["Grade"]) for row in site.rows("ABC_Scores") if row["Course"] == "Gilding"]


def say(place: Place, text: str) -> None:
    """Put this in idms.yaml, below its connection."""
    path = place.directory / "idms.yaml"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:2]) + text)


def prepare(place: Place, *, site: str = "", job: str = "") -> None:
    say(place, site)
    place.write("jobs.d/scores.yaml", JOB + (f"  options: {job}\n" if job else ""))
    place.write("scores.csv", TWICE)


@pytest.mark.parametrize(
    ("said", "job", "options", "grades", "told"),
    [
        ("", "", (), [], {}),
        (SITE, "", (), ["A"], {"duplicates": FROM_SITE}),
        (SITE, "{duplicates: last}", (), ["B"], {}),
        ("", "{duplicates: last}", ("duplicates=first",), ["A"], {"duplicates": given("first")}),
        (SITE, "{duplicates: last}", ("duplicates=reject",), [], {"duplicates": given("reject")}),
        (
            SITE,
            "",
            ("duplicates=last", "only_changes=no"),
            ["B"],
            {"duplicates": given("last"), "only_changes": given(False)},
        ),
    ],
    ids=["none", "site", "job before site", "run before job", "run before both", "several"],
)
def test_the_run_goes_before_the_job_and_the_job_before_the_site(
    place: Place, site: Sandbox, *, said: str, job: str, options: tuple[str, ...], grades: list[str], told: object
) -> None:
    prepare(place, site=said, job=job)
    result = place.idms("run", "scores", *[word for option in options for word in ("-o", option)])
    assert result.returncode == (0 if grades else 1), result.stderr
    assert grade(site) == grades
    assert place.json("show", "1")["run"]["options"] == told


def test_show_tells_what_holds_though_the_job_does_not_say_it(place: Place) -> None:
    prepare(place, site=SITE)
    place.idms("run", "scores", "--dry-run", "-o", "only_changes=false")
    (line,) = [line for line in place.idms("show", "1").stdout.splitlines() if line.startswith("options")]
    assert line.split(maxsplit=1)[1] == "duplicates: first (idms.yaml); only_changes: false (command line)"


def test_what_was_planned_with_an_option_is_applied_with_it(place: Place, site: Sandbox) -> None:
    prepare(place)
    planned = place.idms("plan", "scores", "--out", "plan.db", "-o", "duplicates=last")
    assert planned.returncode == 0, planned.stderr
    assert place.idms("apply", "plan.db").returncode == 0
    assert grade(site) == ["B"]
    assert place.runs()[1].options == {"duplicates": given("last")}


def test_rows_are_tried_again_with_the_options_that_the_run_was_given(place: Place) -> None:
    prepare(place, site="defaults: {options: {skip_blank_match: true}}\n")
    place.write("scores.csv", TWICE + "101,Gilding,not a grade\n")
    assert place.idms("run", "scores", "-o", "duplicates=last").returncode == 1
    assert place.idms("retry", "1", "--rejected").returncode == 1
    first, again = place.runs()
    assert first.options == again.options
    assert again.options == {
        "duplicates": given("last"),
        "skip_blank_match": {"value": True, "from": "idms.yaml"},
    }


def test_a_run_that_died_goes_on_with_its_options_whatever_idms_yaml_says_now(
    place: Place, site: Sandbox, url: str
) -> None:
    prepare(place)
    place.settings(url, connection="rate: 40/s, settle: 0s", more=SITE)
    many = "".join(f"{number},Gilding,A\n{number},Gilding,B\n" for number in range(101, 141))
    place.write("scores.csv", "member,course,grade\n" + many)
    started = place.start("run", "scores", "-o", "only_changes=no", "-o", "read=record")
    until(lambda: len(grade(site)) > 2)
    os.kill(place.worker(1), signal.SIGKILL)
    os.killpg(started.pid, signal.SIGKILL)
    started.communicate()
    place.settings(url, more="defaults: {options: {duplicates: reject}}\n")
    resumed = place.idms("resume", "1")
    assert resumed.returncode == 0, resumed.stdout + resumed.stderr
    assert grade(site) == ["A"] * 40
    assert {number for (_, course), number in courses(site).items() if course == "Gilding"} == {1}
    assert place.runs()[0].options == {
        "duplicates": FROM_SITE,
        "only_changes": given(False),
        "read": given("record"),
    }


@pytest.mark.parametrize(
    ("option", "told", "hint"),
    [
        ("on_multiple", "-o on_multiple: a value is missing", "Write -o NAME=VALUE"),
        ("on_multipel=all", "-o on_multipel=all: ", "did you mean 'on_multiple'?"),
        ("duplicates=lst", "-o duplicates=lst: ", "did you mean 'last'?"),
        ("only_changes=maybe", "-o only_changes=maybe: ", "true"),
        ("=x", "-o =x: ", ""),
    ],
)
def test_an_option_of_the_command_line_that_there_is_not_is_told_with_a_near_one(
    place: Place, option: str, told: str, hint: str
) -> None:
    prepare(place)
    for command in ("run", "plan"):
        result = place.idms(command, "scores", "-o", option)
        assert result.returncode == 2
        assert told in result.stderr
        assert hint in result.stderr
    assert place.runs() == []


def test_an_option_of_idms_yaml_that_there_is_not_is_told_with_its_place_and_a_near_one(place: Place) -> None:
    prepare(place, site="defaults:\n  options:\n    on_multiple: eror\n    duplicate: first\n")
    result = place.idms("check")
    assert result.returncode == 2
    path = place.directory / "idms.yaml"
    assert f"{path}:5:18: " in result.stderr
    assert "did you mean 'error'?" in result.stderr
    assert f"{path}:6:5: " in result.stderr
    assert "did you mean 'duplicates'?" in result.stderr


WIDE = JOB.replace("match: [ID, Course]", "match: [PartyId]").replace("{panel: ABC_Scores}", "activity")
WIDE = WIDE.replace("{ID: member, Course: course, Grade: grade}", "{PartyId: member, DESCRIPTION: course}")


def test_that_a_site_acts_on_all_does_not_let_a_job_match_on_the_contact_alone(place: Place) -> None:
    prepare(place, site="defaults: {options: {on_multiple: all}}\n")
    place.write("jobs.d/scores.yaml", WIDE)
    refused = place.idms("check")
    assert refused.returncode == 2
    assert "the contact's ID alone matches every such record of the contact" in refused.stdout + refused.stderr
    allowed = place.idms("plan", "scores", "-o", "on_multiple=all", "-o", "duplicates=first")
    assert allowed.returncode == 0, allowed.stdout + allowed.stderr
