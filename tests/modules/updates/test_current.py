"""`current:`: rows that say themselves what is stored are compared with that, and only what differs is read."""

from typing import Any

import pytest

from idms_cli.config.problems import ProblemsFound
from idms_cli.sandbox import Sandbox
from idms_cli.sandbox.definitions import MEMBERSHIP, PARTY
from idms_cli.sandbox.queries import Column, Query, columns
from tests.modules.imports.office import Office, found, job, writes
from tests.modules.updates.jobs import grades_query, regraded, update

BY_GRADE = {"value": "B", "current": "Grade"}


@pytest.fixture(autouse=True)
def _query(site: Sandbox) -> None:
    site.add_query(grades_query())


def ethics(site: Sandbox) -> list[str]:
    """The grades of all results in Ethics."""
    return [str(row["Grade"]) for row in found(site, "ABC_Scores", Course="Ethics")]


def reads(site: Sandbox) -> int:
    number: int = site.calls["calls"].get("GET ABC_Scores", 0)
    return number


def test_rows_that_differ_are_read_and_written_and_the_others_are_not_looked_at(office: Office, site: Sandbox) -> None:
    grades = ethics(site)
    differ = len([grade for grade in grades if grade != "B"])
    assert 0 < differ < len(grades)
    done = office.run(regraded(BY_GRADE))
    assert done.summary == {"read": len(grades), "updated": differ, "unchanged": len(grades) - differ}
    assert set(ethics(site)) == {"B"}
    assert reads(site) == 2 * differ  # for the plan, and again before the write
    site.reset()
    assert office.run(regraded(BY_GRADE)).summary == {"read": len(grades), "unchanged": len(grades)}
    assert reads(site) == 0


def test_what_the_row_says_is_stale_is_found_out_before_it_is_written(office: Office, site: Sandbox) -> None:
    """The query tells an older grade than the record has, as a cached answer may."""
    stale = (*grades_query().columns[:2], Column("Grade", "Course"), Column("No", "Ordinal"))
    site.add_query(grades_query(columns=stale, prompts=(stale[1],)))
    grades = ethics(site)
    done = office.run(regraded(BY_GRADE))
    assert done.summary["unchanged"] == grades.count("B")
    assert set(ethics(site)) == {"B"}


def test_numbers_and_dates_are_compared_as_such(office: Office, site: Sandbox) -> None:
    mapped = {
        "ID": "ID",
        "Ordinal": "No",
        "Hours": {"column": "Hours", "current": "Hours"},
        "Score": {"column": "Score", "current": "score"},
        "TakenOn": {"column": "TakenOn", "date": "%d/%m/%Y", "current": "TakenOn"},
    }
    done = office.run(regraded({}, map=mapped))
    assert done.summary == {"read": len(ethics(site)), "unchanged": len(ethics(site))}
    assert reads(site) == 0


def test_a_cell_that_is_kept_says_nothing_against_the_record(office: Office, site: Sandbox) -> None:
    for row in site.tables["ABC_Scores"].rows.values():
        row["Hours"] = None
    mapped = {"ID": "ID", "Ordinal": "No", "Hours": {"column": "Hours", "current": "Score"}, "Grade": BY_GRADE}
    done = office.run(regraded({}, map=mapped))
    assert done.summary["unchanged"] == len(ethics(site)) - done.summary["updated"] > 0
    assert reads(site) == 2 * done.summary["updated"]


def test_whole_pages_are_read_only_when_that_is_fewer_calls_for_what_differs(office: Office, site: Sandbox) -> None:
    office.run(regraded(BY_GRADE))
    site.tables["ABC_Scores"].rows[next(iter(site.tables["ABC_Scores"].rows))]["Course"] = "Ethics"
    site.reset()
    office.run(regraded(BY_GRADE, options={"read": "auto"}))
    assert reads(site) <= 1 + 2  # how many there are, and the one record that differs


def test_two_rows_of_one_record_that_contradict_each_other_are_both_rejected(office: Office, site: Sandbox) -> None:
    """Also where one of them says what is stored."""
    twice = (Column("ID", "ID"), Column("No", "Ordinal"), Column("Grade", "Grade"), Column("New", "Grade"))
    site.tables["ABC_Scores"].rows.clear()
    site.add_rows("ABC_Scores", [{"ID": "101", "Course": "Ethics", "Grade": grade} for grade in ("A", "B")])
    shown = (twice[0], Column("No", "Score"), *twice[2:])
    site.add_query(grades_query(columns=shown, prompts=()))
    for row in site.tables["ABC_Scores"].rows.values():
        row["Score"] = 1
    mapped = {"ID": "ID", "Ordinal": "No", "Grade": {"column": "New", "current": "Grade"}}
    done = office.run(regraded({}, source={"query": "$/Idms/Grades"}, map=mapped))
    assert done.summary == {"read": 2, "rejected": 2}
    assert set(done.codes.values()) == {"double"}
    assert writes(site) == 0


def test_a_record_that_is_not_there_is_inserted_though_all_its_columns_are_blank(office: Office, site: Sandbox) -> None:
    del site.tables["ABC_Membership"].rows["101",]
    shown = (*columns(PARTY, "ID"), Column("Standing", "Standing", MEMBERSHIP), Column("Nothing", "PaidThruDate"))
    site.add_query(Query("$/Idms/All", PARTY, shown, lambda _: ()))
    rule = {"column": "Nothing", "blank": "clear", "current": "Standing"}
    mapped: dict[str, Any] = {"ID": "ID", "Standing": rule}
    upsert = update(source={"query": "$/Idms/All"}, action="upsert", map=mapped)
    assert office.run(upsert, row_limit=1).summary == {"read": 1, "inserted": 1}


def test_rows_that_are_tried_again_are_looked_at_whatever_they_say(office: Office, site: Sandbox) -> None:
    directory = office.directory / "again"
    directory.mkdir()
    (row, *_) = found(site, "ABC_Scores", Course="Ethics")
    (directory / "given.csv").write_text(f"ID,No,Grade\n{row['ID']},{row['Ordinal']},B\n")
    site.tables["ABC_Scores"].rows[row["ID"], str(row["Ordinal"])]["Grade"] = "C"
    done = office.run(regraded(BY_GRADE), again=directory, intent="retry")
    assert done.summary == {"read": 1, "updated": 1}


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (
            regraded(
                BY_GRADE, map={"ID": "ID", "Ordinal": "No", "Grade": BY_GRADE, "Hours": "Hours", "Score": "Score"}
            ),
            "`current:` tells nothing as long as Hours, Score have none",
        ),
        (regraded(BY_GRADE, action="delete"), "`current:` means nothing to delete"),
        (
            regraded({"column": "Grade", "append": True, "current": "Grade"}),
            "`current:` cannot tell whether there is something to append",
        ),
        (job(map={"ID": "ID", "Title": {"column": "t", "current": "t"}}, match=["ID"]), "is for module: update"),
    ],
    ids=["not all", "delete", "append", "import"],
)
def test_a_current_that_would_tell_nothing_is_refused(office: Office, options: Any, told: str) -> None:
    with pytest.raises(ProblemsFound, match=told):
        office.parse(options)
