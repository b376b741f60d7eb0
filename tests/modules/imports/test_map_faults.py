"""What is wrong with a map is told before anything is written: all at once, at the place in the job file."""

import pytest

from idms_cli.config.problems import ProblemsFound
from idms_cli.sandbox import Sandbox
from tests.modules.imports.office import Office, writes

JOB = """\
module: import
with:
  source: {path: data.csv}
  destination: {panel: ABC_Scores}
  action: upsert
  match: [ID, Course]
  map:
    ID: member
    Course: corse
    Grad: grade
    Hours: {column: hours, date: "%d/%m/%Y"}
    Score: {value: many}
    Ordinal: member
"""


def test_all_faults_of_a_map_are_told_at_once_with_their_places(office: Office, site: Sandbox) -> None:
    error = office.fails(JOB, "member,course,grade,hours\n101,Bookbinding,A,1\n")
    assert isinstance(error, ProblemsFound)
    assert error.exit_code == 2
    places = [(problem.file, problem.line, problem.column) for problem in error.problems]
    assert places == [("jobs.d/job.yaml", line, 5) for line in range(9, 14)]
    told = [(problem.message, problem.hint) for problem in error.problems]
    assert told[0] == ("the file has no column 'corse'", "did you mean 'course'?")
    assert told[1] == ("the site knows no property 'Grad'", "did you mean 'Grade'?")
    assert told[2] == ("date is for dates, but Hours is of type Decimal", "leave out date")
    assert "'many'" in told[3][0]
    assert told[4] == ("Ordinal cannot be written", "take it out of the map")
    assert str(error).startswith("jobs.d/job.yaml:9:5: the file has no column 'corse'\n")
    assert writes(site) == 0


def test_an_unknown_panel_is_told_with_a_near_one(office: Office, site: Sandbox) -> None:
    error = office.fails(JOB.replace("ABC_Scores", "ABC_Score"), "member\n")
    assert error.exit_code == 2
    assert "The site has no business object 'ABC_Score'. Did you mean 'ABC_Scores'?" in str(error)


def test_a_match_that_the_site_cannot_search_by_ends_the_run_before_anything_is_written(
    office: Office, site: Sandbox
) -> None:
    job = """\
module: import
with:
  source: {path: data.csv}
  destination: contact
  action: update
  match: [Title]
  map: {Title: title, LastName: last}
"""
    error = office.fails(job, "title,last\nChair,Bell\n")
    assert error.exit_code == 2
    assert str(error) == "iMIS cannot search contacts by Title alone."
    assert error.hint.startswith("Match on ID, on FirstName,")
    assert writes(site) == 0


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (None, "data.csv"),
        (b"", "data.csv"),
        (b"member,course,member\n101,x,102\n", "member"),
        (b"member,,grade\n101,x,A\n", "data.csv:1"),
        (b'member,course,grade\n101,"x,A\n', "data.csv"),
    ],
    ids=["no file", "an empty file", "a name twice", "a name that is blank", "a quote that is never closed"],
)
def test_a_file_that_cannot_be_read_is_told_by_its_own_name(
    office: Office, site: Sandbox, data: bytes | None, told: str
) -> None:
    job = JOB[: JOB.index("    Course: corse")] + "    Course: course\n"
    error = office.fails(job, data)
    assert error.exit_code == (5 if data is None else 2)
    assert told in str(error)
    assert writes(site) == 0
