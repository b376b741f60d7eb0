"""A process that dies at any moment of an import, and the same run gone on with: each record is written once."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from idms_cli.sandbox import Sandbox
from tests.modules.imports.office import Done, Job, Office, found, graded, grades, job, writes

ROWS = 6
MOMENTS = [
    ("before-find", 4),
    ("before-plan-is-kept", 1),
    ("after-plan-is-kept", 1),
    ("before-insert", 1),
    ("after-insert", 1),
    ("before-insert", 3),
    ("after-insert", 3),
    ("after-insert", ROWS),
]
CHANGES = [("before-update", 3), ("after-update", 1), ("after-update", 3), ("after-update", ROWS)]


def name_of(moment: tuple[str, int]) -> str:
    return f"{moment[0]} {moment[1]}"


def die(office: Office, options: Job, rows: str, moment: tuple[str, int], *, module: str = "import") -> Path:
    """Run the job in a process that dies at this moment, and give the run's directory."""
    office.write(rows)
    office.parse(options)
    office.write(json.dumps({"module": module, "with": options}), "job.yaml")
    directory = office.directory / "died"
    directory.mkdir()
    word, number = moment
    command = [
        sys.executable,
        "-m",
        "tests.modules.imports.dying",
        str(office.directory),
        str(directory),
        word,
        str(number),
    ]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 99, ended.stderr
    return directory


@pytest.mark.parametrize("moment", MOMENTS, ids=name_of)
def test_new_records_are_there_once_whenever_the_process_died(
    office: Office, site: Sandbox, moment: tuple[str, int]
) -> None:
    directory = die(office, graded(), grades(ROWS), moment)
    office.write("the file is another one now")
    done = office.run(graded(), again=directory)
    assert done.outcome.status == "completed"
    assert done.summary == {"read": ROWS, "inserted": ROWS}
    assert [row["ID"] for row in found(site, "ABC_Scores", Course="Bookbinding")] == [
        str(number) for number in range(101, 101 + ROWS)
    ]
    assert writes(site) == ROWS


def test_what_another_run_wrote_between_death_and_resume_is_not_written_a_second_time(
    office: Office, site: Sandbox
) -> None:
    directory = die(office, graded(), grades(ROWS), ("after-insert", 2))
    between = office.run(graded(), grades(4) + "105,Bookbinding,F\n")
    assert between.summary == {"read": 5, "inserted": 3, "unchanged": 2}
    done = office.run(graded(), again=directory)
    assert done.summary == {"read": ROWS, "inserted": 3, "unchanged": 2, "rejected": 1}
    assert done.messages == {6: "there was no such record when this was planned"}
    rows = {row["ID"]: row["Grade"] for row in found(site, "ABC_Scores", Course="Bookbinding")}
    assert rows == {"101": "A", "102": "A", "103": "A", "104": "A", "105": "F", "106": "A"}
    assert len(found(site, "ABC_Scores", Course="Bookbinding")) == ROWS


def test_an_insert_that_leaves_alone_what_is_there_does_so_when_it_came_after_the_plan(
    office: Office, site: Sandbox
) -> None:
    options = graded(action="insert")
    directory = die(office, options, grades(3), ("before-insert", 1))
    office.run(graded(), grades(2, first=102, grade="F"))
    done = office.run(options, again=directory)
    assert done.summary == {"read": 3, "inserted": 1, "skipped": 2}
    assert "there is such a record already: 102|" in done.skipped[3]
    assert len(found(site, "ABC_Scores", Course="Bookbinding")) == 3


@pytest.mark.parametrize("only_changes", [True, False], ids=["only changes", "all"])
@pytest.mark.parametrize("moment", CHANGES, ids=name_of)
def test_changed_records_are_right_whenever_the_process_died(
    office: Office, site: Sandbox, moment: tuple[str, int], *, only_changes: bool
) -> None:
    options = graded(options={"only_changes": only_changes})
    office.run(graded(), grades(ROWS))
    site.reset()
    directory = die(office, options, grades(ROWS, grade="B"), moment)
    done = office.run(options, again=directory)
    assert done.outcome.status == "completed"
    assert done.summary == {"read": ROWS, "updated": ROWS}
    assert [row["Grade"] for row in found(site, "ABC_Scores", Course="Bookbinding")] == ["B"] * ROWS
    assert writes(site) == ROWS


def test_the_object_as_it_was_before_survives_a_crash_after_the_write(office: Office, site: Sandbox) -> None:
    options = graded(options={"only_changes": False})
    office.run(graded(), grades(2))
    directory = die(office, options, grades(2, grade="B"), ("after-update", 1))
    done = office.run(options, again=directory)
    assert grades_before(done) == ["A", "A"]


def grades_before(done: Done) -> list[str]:
    import sqlite3

    with sqlite3.connect(done.directory / "journal.db") as connection:
        bodies = [json.loads(text) for (text,) in connection.execute("SELECT before FROM record ORDER BY line")]
    connection.close()
    return [next(one["Value"] for one in body["Properties"]["$values"] if one["Name"] == "Grade") for body in bodies]


def test_without_match_the_run_asks_about_a_record_in_flight(office: Office, site: Sandbox) -> None:
    options = graded(action="insert", match=[])
    directory = die(office, options, grades(ROWS), ("after-insert", 3))
    done = office.run(options, again=directory)
    assert (done.outcome.status, done.outcome.exit_code) == ("held", 6)
    assert done.summary == {"read": ROWS, "inserted": 2, "left": ROWS - 2}
    assert done.outcome.counts["questions"] == 1
    assert done.outcome.reason == (
        "line 4: sent, perhaps stored, and nothing finds it again: somebody has to look. "
        "The run died while a record was being sent"
    )
    assert len(found(site, "ABC_Scores", Course="Bookbinding")) == 3


def test_contacts_are_there_once_after_a_crash(office: Office, site: Sandbox) -> None:
    options = job(match=["Email"], map={"Email": "email", "FirstName": "first", "LastName": "last"})
    rows = "email,first,last\n" + "".join(f"new{n}@example.org,Zoë,Number {n}\n" for n in range(4))
    directory = die(office, options, rows, ("after-insert", 2))
    assert office.run(options, again=directory).summary == {"read": 4, "inserted": 4}
    emails = [row["Email"] for row in site.rows("Party") if str(row["LastName"]).startswith("Number")]
    assert emails == [f"new{n}@example.org" for n in range(4)]


def test_a_run_that_is_complete_is_gone_on_with_without_a_call_that_writes(office: Office, site: Sandbox) -> None:
    first = office.run(graded(), grades(3))
    site.reset()
    again = office.run(graded(), again=first.directory)
    assert again.summary == first.summary == {"read": 3, "inserted": 3}
    assert writes(site) == 0


def test_a_change_in_flight_is_not_called_unsent_by_a_next_attempt_that_is_stopped(
    office: Office, site: Sandbox
) -> None:
    office.run(graded(), grades(ROWS))
    directory = die(office, graded(), grades(ROWS, grade="B"), ("after-update", 3))
    done = office.run(graded(), again=directory, stopping=lambda: True)
    assert done.outcome.status == "cancelled"
    assert [row["Grade"] for row in found(site, "ABC_Scores", Course="Bookbinding")] == ["B"] * 3 + ["A"] * 3
    assert done.codes == {4: "unknown", 5: "not-sent", 6: "not-sent", 7: "not-sent"}
