"""The whole way through the real command: exit codes, and what the operator is shown."""

import csv
import io

import pytest

from idms_cli.sandbox import Sandbox
from tests.conftest import Place, courses
from tests.modules.imports.test_rows import HOSTILE


def test_a_partial_import_is_told_with_its_counts_reasons_and_rejects(place: Place, site: Sandbox) -> None:
    place.job("scores")
    rows = "member,course,grade\n101,Gilding,A\n102,Gilding,Z\n103,Gilding\n999999,Gilding,A\n"
    place.write("scores.csv", rows)
    ran = place.idms("run", "scores")
    assert ran.returncode == 1, ran.stderr
    (run,) = place.runs()
    assert (run.status, run.reason) == ("partial", "3 of 4 rows rejected")
    shown = place.idms("show", "1").stdout
    for said in ("4 read = 1 inserted + 3 rejected", "not-a-choice", "ragged", "validation", "rejects.csv"):
        assert said in shown
    mended = place.state / "runs/1/rejects.csv"
    text = mended.read_text(encoding="utf-8-sig").replace("102,Gilding,Z", "102,Gilding,B")
    place.write("scores.csv", text)
    assert place.idms("run", "scores").returncode == 1
    assert place.runs()[1].counts["inserted"] == 1
    assert courses(site)["102", "Gilding"] == 1


def test_hostile_text_cannot_act_on_the_terminal_that_shows_it(place: Place) -> None:
    place.job("scores")
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow(["member", "course", "grade"])
    for number, text in enumerate(HOSTILE.values()):
        writer.writerow([101 + number, "Gilding", text])
        writer.writerow([text, "Gilding", "A"])
    place.write("scores.csv", buffer.getvalue())
    ran = place.idms("run", "scores")
    shown = place.idms("show", "1")
    asked = place.idms("show", "1", "--json")
    for output in (ran.stdout, ran.stderr, shown.stdout, shown.stderr):
        assert not any(character in output for character in "\x1b\x07\r\u2028\u202e")
    assert shown.returncode == asked.returncode == 0
    assert "\x1b" not in asked.stdout


def test_a_refused_login_is_exit_code_4_and_is_not_tried_again(place: Place, site: Sandbox) -> None:
    place.job("scores")
    place.scores("scores", 2)
    place.environment["IDMS_TEST_PASSWORD"] = "wrong"
    first = place.idms("run", "scores")
    assert first.returncode == 4
    assert "the site refuses the login of idms-background" in first.stdout + first.stderr
    assert site.calls["calls"] == {"POST token": 1}
    assert place.idms("run", "scores").returncode == 4
    assert site.calls["calls"] == {"POST token": 1}
    place.environment["IDMS_TEST_PASSWORD"] = "sandbox"
    assert place.idms("run", "scores").returncode == 0


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("Grade: grade", "Grade: gade", "scores.yaml:9:37: the file has no column 'gade'"),
        ("Grade: grade", "Grad: grade", "scores.yaml:9:37: the site knows no property 'Grad'"),
    ],
    ids=["column", "property"],
)
def test_a_map_that_does_not_fit_is_exit_code_2_with_its_place(
    place: Place, site: Sandbox, before: str, after: str, told: str
) -> None:
    path = place.job("scores")
    path.write_text(path.read_text().replace(before, after))
    place.scores("scores", 2)
    ran = place.idms("run", "scores")
    assert ran.returncode == 2
    assert told in ran.stdout + ran.stderr
    assert site.writes == []
