"""A site that fails in every way that is known: each record is there exactly once, and the counts say what is true."""

from collections import Counter
from typing import Any

import pytest

from idms_cli.errors import InputError
from idms_cli.sandbox import Sandbox
from tests.modules.imports.office import Done, Office, found, graded, grades, job, writes

ROWS = 20
PASSING = [
    ("write-500-saved", 0.3),
    ("write-500", 0.3),
    ("cut-after-write", 0.3),
    ("token-dies", 0.1),
    ("too-many", 0.2),
    ("too-many-retry", 0.2),
    ("not-json", 0.2),
]
LASTING = [("write-500-saved", 1.0), ("write-500", 1.0), ("cut-after-write", 1.0), ("too-many", 1.0), ("not-json", 1.0)]
IDS = [f"{name} {rate}" for name, rate in PASSING + LASTING]

pytestmark = pytest.mark.usefixtures("no_pauses")


def grades_of(site: Sandbox, course: str = "Bookbinding") -> dict[int, list[str]]:
    """Line of `grades` -> the grades that the site has for it: one, if all is well."""
    there: dict[int, list[str]] = {}
    for row in found(site, "ABC_Scores", Course=course):
        there.setdefault(int(row["ID"]) - 99, []).append(row["Grade"])
    return there


def check_told_truly(done: Done, stored: set[int], lines: range) -> None:
    """What is told as written is there, and what is told as rejected is not, but for what nobody can know."""
    rejected = done.codes
    for line in lines:
        if line not in rejected:
            assert line in stored, f"line {line} is told as written"
        elif rejected[line] != "unknown":
            assert line not in stored, f"line {line} is told as rejected ({rejected[line]}): {done.messages[line]}"


def check_status(done: Done) -> None:
    rejected = done.counts.rejected
    if done.outcome.exit_code in (4, 5) or rejected == done.counts.read:
        assert done.outcome.status == "failed"
    else:
        assert done.outcome.status == ("partial" if rejected else "completed")


@pytest.mark.parametrize(("fault", "rate"), PASSING + LASTING, ids=IDS)
def test_whatever_fails_each_new_record_is_there_once_after_one_more_run(
    office: Office, site: Sandbox, fault: str, rate: float
) -> None:
    site.set_fault(fault, rate)
    lines = range(2, ROWS + 2)
    done = office.run_or_error(graded(), grades(ROWS))
    struck = site.calls["faults"].get(fault)
    assert struck
    there = grades_of(site)
    assert set(Counter(line for line, values in there.items() for _ in values).values()) <= {1}
    if done is not None:
        check_told_truly(done, set(there), lines)
        check_status(done)
    site.set_fault(fault, 0)
    again = office.run(graded())
    assert again.outcome.status == "completed"
    assert grades_of(site) == {line: ["A"] for line in lines}


@pytest.mark.parametrize(("fault", "rate"), PASSING + LASTING, ids=IDS)
def test_whatever_fails_each_changed_record_is_right_after_one_more_run(
    office: Office, site: Sandbox, fault: str, rate: float
) -> None:
    office.run(graded(), grades(ROWS))
    site.set_fault(fault, rate)
    lines = range(2, ROWS + 2)
    done = office.run_or_error(graded(), grades(ROWS, grade="B"))
    assert site.calls["faults"].get(fault)
    there = grades_of(site)
    assert {len(values) for values in there.values()} == {1}
    if done is not None:
        check_told_truly(done, {line for line, values in there.items() if values == ["B"]}, lines)
        check_status(done)
    site.set_fault(fault, 0)
    assert office.run(graded()).outcome.status == "completed"
    assert grades_of(site) == {line: ["B"] for line in lines}


@pytest.mark.parametrize("fault", ["write-500-saved", "cut-after-write"])
def test_a_write_that_was_stored_without_an_answer_counts_as_written_and_is_not_repeated(
    office: Office, site: Sandbox, fault: str
) -> None:
    site.set_fault(fault, 1.0)
    done = office.run(graded(), grades(5))
    assert done.summary == {"read": 5, "inserted": 5}
    assert site.calls["calls"]["POST ABC_Scores"] == 5


def test_a_write_that_fails_and_is_not_stored_is_tried_twice_and_then_rejected(office: Office, site: Sandbox) -> None:
    site.set_fault("write-500", 1.0)
    done = office.run(graded(), grades(2))
    assert done.outcome.status == "failed"
    assert set(done.codes.values()) == {"server-error"}
    assert "500 Server error: An error occurred. Please contact the administrator." in done.messages[2]
    assert site.calls["calls"]["POST ABC_Scores"] == 4
    assert grades_of(site) == {}


def test_without_match_a_write_that_got_no_answer_is_never_repeated_but_told(office: Office, site: Sandbox) -> None:
    site.set_fault("write-500-saved", 1.0)
    done = office.run(graded(action="insert", match=[]), grades(3))
    assert set(done.codes.values()) == {"unknown"}
    assert "It may have been stored: look before sending it again." in done.messages[2]
    assert site.calls["calls"]["POST ABC_Scores"] == 3
    assert len(grades_of(site)) == 3


@pytest.mark.parametrize("fault", ["write-500-saved", "cut-after-write"])
def test_a_cache_that_answers_as_before_does_not_make_a_lost_write_happen_twice(
    office: Office, site: Sandbox, fault: str
) -> None:
    site.set_fault("stale-read", 1.0)
    site.set_fault(fault, 1.0)
    done = office.run(graded(), grades(5))
    assert done.summary == {"read": 5, "inserted": 5}
    assert grades_of(site) == {line: ["A"] for line in range(2, 7)}


def test_an_update_through_a_cache_that_answers_as_before_is_told_as_it_is(office: Office, site: Sandbox) -> None:
    office.run(graded(), grades(5))
    site.set_fault("stale-read", 1.0)
    done = office.run(graded(), grades(5, grade="B"))
    assert done.summary == {"read": 5, "updated": 5}
    assert grades_of(site) == {line: ["B"] for line in range(2, 7)}


def test_a_busy_site_is_waited_for(office: Office, site: Sandbox) -> None:
    site.set_fault("too-many-retry", 0.3)
    done = office.run(graded(), grades(10))
    assert done.summary == {"read": 10, "inserted": 10}
    assert any("is sent again in 1.0 s" in line for line in done.log)


def test_a_site_that_is_always_busy_ends_the_run_after_a_few_records(office: Office, site: Sandbox) -> None:
    office.run(graded(), grades(1))  # metadata are asked for in every run, so the fault begins later
    site.set_fault("too-many", 1.0)
    error = office.fails(graded(), grades(50))
    assert error.exit_code == 5
    assert "429 Too many requests" in str(error)
    assert writes(site) == 1


ACTIVITY = job(
    destination="activity",
    match=["PartyId", "ACTIVITY_TYPE", "DESCRIPTION"],
    map={"PartyId": "member", "ACTIVITY_TYPE": {"value": "EDUC"}, "DESCRIPTION": "course"},
)
CONTACT = job(match=["Email"], map={"Email": "email", "LastName": "last", "Chapter": "chapter"})


@pytest.mark.parametrize(
    ("options", "rows"),
    [(ACTIVITY, "member,course\n101,Bookbinding\n"), (CONTACT, "email,last,chapter\nzoe@example.org,Bell,South\n")],
    ids=["activity", "contact"],
)
def test_a_site_that_does_not_describe_itself_is_imported_into_by_what_is_commonly_known(
    office: Office, site: Sandbox, options: dict[str, Any], rows: str
) -> None:
    site.set_fault("metadata-501", 1.0)
    assert office.run(options, rows).summary == {"read": 1, "inserted": 1}
    assert office.run(options).summary == {"read": 1, "unchanged": 1}


def test_a_panel_that_the_site_does_not_describe_is_not_written(office: Office, site: Sandbox) -> None:
    site.set_fault("metadata-501", 1.0)
    error = office.fails(graded(), grades(1))
    assert isinstance(error, InputError)
    assert "does not describe ABC_Scores" in str(error)
    assert writes(site) == 0
