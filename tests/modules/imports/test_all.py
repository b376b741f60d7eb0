"""`on_multiple: all`: a row acts on every record that it finds, and each of them has its own end."""

import json
from typing import Any

import pytest

from idms_cli.config.problems import ProblemsFound
from idms_cli.sandbox import Sandbox
from tests.modules.imports.office import Done, Office, found, graded, job, writes
from tests.modules.imports.test_resume import die, name_of

EACH = 4
MEMBERS = ("101", "102")
ROWS = "member,course,grade\n101,Bookbinding,A\n102,Bookbinding,B\n"


@pytest.fixture(autouse=True)
def _records(site: Sandbox) -> None:
    """Each of two members has four results in bookbinding; the first of 101 has the grade that the file wants."""
    rows = [{"ID": one, "Course": "Bookbinding", "Grade": "C", "Hours": n} for one in MEMBERS for n in range(EACH)]
    site.add_rows("ABC_Scores", [{**rows[0], "Grade": "A"}, *rows[1:]])


def graded_all(**options: Any) -> dict[str, Any]:
    return graded(options={"on_multiple": "all", **options.pop("options", {})}, **options)


def grades_of(site: Sandbox, member: str) -> list[str]:
    return [row["Grade"] for row in found(site, "ABC_Scores", ID=member, Course="Bookbinding")]


def ends(done: Done) -> list[tuple[int, int, str]]:
    """Line, part and state of every record."""
    import sqlite3

    with sqlite3.connect(done.directory / "journal.db") as connection:
        rows = list(connection.execute("SELECT line, part, state FROM record ORDER BY place"))
    connection.close()
    return rows


@pytest.mark.parametrize("action", ["update", "upsert"])
@pytest.mark.parametrize("read", ["record", "snapshot"])
def test_all_records_that_a_row_finds_are_changed_and_counted_one_by_one(
    office: Office, site: Sandbox, action: str, read: str
) -> None:
    done = office.run(graded_all(action=action, options={"read": read}), ROWS)
    assert done.outcome.status == "completed"
    assert done.summary == {"read": 2, "further": 6, "updated": 7, "unchanged": 1}
    assert [grades_of(site, member) for member in MEMBERS] == [["A"] * EACH, ["B"] * EACH]
    assert writes(site) == 7
    assert ends(done)[:3] == [(2, 0, "unchanged"), (2, 1, "done"), (2, 2, "done")]


def test_all_records_that_a_row_finds_are_deleted(office: Office, site: Sandbox) -> None:
    done = office.run(graded_all(action="delete"), ROWS)
    assert done.summary == {"read": 2, "further": 6, "deleted": 8}
    assert [grades_of(site, member) for member in MEMBERS] == [[], []]


def test_an_upsert_that_finds_none_inserts_one(office: Office, site: Sandbox) -> None:
    done = office.run(graded_all(), ROWS + "105,Bookbinding,A\n")
    assert done.summary == {"read": 3, "further": 6, "inserted": 1, "updated": 7, "unchanged": 1}
    assert grades_of(site, "105") == ["A"]


def test_more_records_than_a_search_shows_at_first_are_all_found(office: Office, site: Sandbox) -> None:
    site.add_rows("ABC_Scores", [{"ID": "103", "Course": "Gilding", "Grade": "C"} for _ in range(450)])
    done = office.run(graded_all(action="update"), "member,course,grade\n103,Gilding,A\n")
    assert done.summary == {"read": 1, "further": 449, "updated": 450}
    assert {row["Grade"] for row in found(site, "ABC_Scores", Course="Gilding")} == {"A"}


@pytest.mark.parametrize(
    "moment",
    [("before-update", 3), ("after-update", 1), ("after-update", 3), ("after-update", 6), ("after-plan-is-kept", 1)],
    ids=name_of,
)
def test_a_killed_run_goes_on_at_the_record_in_question(office: Office, site: Sandbox, moment: tuple[str, int]) -> None:
    directory = die(office, graded_all(), ROWS, moment)
    done = office.run(graded_all(), again=directory)
    assert done.outcome.status == "completed"
    assert done.summary == {"read": 2, "further": 6, "updated": 7, "unchanged": 1}
    assert [grades_of(site, member) for member in MEMBERS] == [["A"] * EACH, ["B"] * EACH]
    assert writes(site) == 7


@pytest.mark.parametrize("moment", [("before-delete", 3), ("after-delete", 3), ("after-delete", 8)], ids=name_of)
def test_a_killed_run_that_deletes_goes_on_at_the_record_in_question(
    office: Office, site: Sandbox, moment: tuple[str, int]
) -> None:
    directory = die(office, graded_all(action="delete"), ROWS, moment)
    done = office.run(graded_all(action="delete"), again=directory)
    assert done.summary == {"read": 2, "further": 6, "deleted": 8}
    assert [grades_of(site, member) for member in MEMBERS] == [[], []]


@pytest.mark.usefixtures("no_pauses")
@pytest.mark.parametrize("fault", ["cut-after-write", "write-500-saved", "too-many"])
def test_lost_answers_are_settled_for_each_record(office: Office, site: Sandbox, fault: str) -> None:
    site.set_fault(fault, 0.4)
    done = office.run(graded_all(), ROWS)
    site.set_fault(fault, 0)
    done = office.run(graded_all(), ROWS) if done.counts.rejected else done
    assert done.outcome.status == "completed"
    assert [grades_of(site, member) for member in MEMBERS] == [["A"] * EACH, ["B"] * EACH]
    assert len(found(site, "ABC_Scores", Course="Bookbinding")) == 2 * EACH


def test_a_row_is_rejected_once_with_the_reasons_of_each_record_by_name(office: Office, site: Sandbox) -> None:
    planned = office.run(graded_all(), ROWS, dry_run=True)
    first, second, *_ = found(site, "ABC_Scores", ID="102", Course="Bookbinding")
    for row in (first, second):
        site.table("ABC_Scores").remove(("102", str(row["Ordinal"])))
    done = office.run(graded_all(), again=planned.directory)
    assert done.outcome.status == "partial"
    assert done.outcome.reason == "2 of 8 records rejected"
    assert done.summary == {"read": 2, "further": 6, "updated": 5, "unchanged": 1, "rejected": 2}
    (reject,) = done.rejects
    assert (reject["_line"], reject["_code"], reject["member"]) == ("3", "gone", "102")
    gone = "record 102|{}: the record is no longer there"
    assert reject["_message"] == f"{gone.format(first['Ordinal'])} {gone.format(second['Ordinal'])}"


def test_a_row_that_another_contradicts_acts_on_no_record(office: Office, site: Sandbox) -> None:
    rows = ROWS + "102,Bookbinding,A\n"
    assert office.run(graded_all(), rows).summary == {
        "read": 3, "further": 3, "updated": 3, "unchanged": 1, "rejected": 2,
    }  # fmt: skip
    assert grades_of(site, "102") == ["C"] * EACH
    last = office.run(graded_all(options={"duplicates": "last"}), rows)
    assert last.summary == {"read": 3, "further": 6, "updated": 4, "unchanged": 4, "skipped": 1}
    assert grades_of(site, "102") == ["A"] * EACH


def test_a_run_on_all_records_is_taken_back(office: Office, site: Sandbox) -> None:
    done = office.run(graded_all(), ROWS)
    back = office.run(graded_all(), intent="undo", of_directory=done.directory)
    assert back.summary == {"read": 2, "further": 5, "updated": 7}
    assert [grades_of(site, member) for member in MEMBERS] == [["A", "C", "C", "C"], ["C"] * EACH]


WIDE = [
    {"destination": "activity", "match": ["PartyId"], "map": {"PartyId": "member", "DESCRIPTION": "grade"}},
    {"destination": "relationship", "match": ["ID"], "map": {"ID": "member", "TITLE": "grade"}},
    {"destination": {"panel": "ABC_Scores"}, "match": ["ID"], "map": {"ID": "member", "Grade": "grade"}},
]


@pytest.mark.parametrize("wide", WIDE, ids=["activity", "relationship", "panel"])
@pytest.mark.parametrize("action", ["update", "delete"])
def test_the_contact_alone_finds_too_much_unless_the_job_says_all(
    office: Office, wide: dict[str, Any], action: str
) -> None:
    careful = job(action=action, **wide)
    with pytest.raises(ProblemsFound) as refused:
        office.run(careful, ROWS)
    (problem,) = refused.value.problems
    assert problem.hint == "Match on more, up to the whole key; or act on all of them: options: {on_multiple: all}."
    done = office.run(job(action=action, options={"on_multiple": "all"}, **wide), ROWS, dry_run=True)
    assert done.counts.add_up


@pytest.mark.parametrize(
    ("action", "guard", "told"),
    [
        ("delete", None, "; a row acts on all records that match, and no guard has max_deletes"),
        ("delete", {"max_deletes": 5}, "; a row acts on all records that match"),
        ("update", {"max_deletes": 5}, "; a row acts on all records that match, and no guard has max_changes"),
        ("insert", None, ""),
    ],
)
def test_check_tells_that_a_row_acts_on_all_and_whether_a_guard_limits_it(
    office: Office, action: str, guard: dict[str, int] | None, told: str
) -> None:
    text = {"module": "import", "with": graded_all(action=action), **({"guard": guard} if guard else {})}
    assert office.parse(json.dumps(text)).describe().endswith("found by ID, Course" + told)


def test_the_guard_counts_records(office: Office, site: Sandbox) -> None:
    from idms_cli.jobs.job import GuardOptions

    guard = GuardOptions.model_validate({"max_changes": "50%"})
    done = office.run(graded_all(), ROWS, guard=guard)
    assert done.outcome.status == "held"
    assert done.outcome.reason == "7 records to write for 2 rows, max_changes is 50%. Nothing was written"
    assert writes(site) == 0


CROSSING = "member,course,grade\n101,Bookbinding,B\n,Bookbinding,F\n"


@pytest.mark.parametrize("read", ["record", "snapshot"])
@pytest.mark.parametrize(
    ("duplicates", "expected"),
    [
        ("reject", ({"updated": 4, "rejected": 8}, ["A", "C", "C", "C"])),
        ("first", ({"updated": 8, "skipped": 4}, ["B"] * EACH)),
        ("last", ({"updated": 8, "skipped": 4}, ["F"] * EACH)),
    ],
)
def test_of_two_rows_about_the_same_record_at_most_one_counts(
    office: Office, site: Sandbox, read: str, duplicates: str, expected: tuple[dict[str, int], list[str]]
) -> None:
    counted, first_grades = expected
    options = {"skip_blank_match": False, "duplicates": duplicates, "read": read}
    done = office.run(graded_all(action="update", options=options), CROSSING)
    assert done.summary == {"read": 2, "further": 10, **counted}
    assert [grades_of(site, member) for member in MEMBERS] == [first_grades, ["F"] * EACH]
    if duplicates == "reject":
        assert set(done.codes) == {2, 3}
        assert (
            "line 3 is about the same record and says something else; nobody knows which is right" in done.messages[2]
        )
        again = office.run(graded_all(action="update", options=options), CROSSING)
        assert (again.summary["unchanged"], again.summary["rejected"]) == (4, 8)
    else:
        settled = office.run(graded_all(action="update", options=options), CROSSING)
        assert settled.summary == {"read": 2, "further": 10, "unchanged": 8, "skipped": 4}


def test_of_two_rows_that_say_the_same_of_a_record_one_counts(office: Office, site: Sandbox) -> None:
    options = {"skip_blank_match": False}
    rows = "member,course,grade\n,Bookbinding,F\n101,Bookbinding,F\n"
    done = office.run(graded_all(action="update", options=options), rows)
    assert done.summary == {"read": 2, "further": 10, "updated": 8, "skipped": 4}
    assert "says the same of the record as line 2" in done.skipped[3]
    deleted = office.run(graded_all(action="delete", options=options), rows)
    assert deleted.summary == {"read": 2, "further": 10, "deleted": 8, "skipped": 4}


def test_two_names_of_one_key_are_about_the_same_record(office: Office, site: Sandbox) -> None:
    mapped = {"ID": "id", "CommunicationType": "type", "OptInFlag": "opt"}
    preferences = job(destination="communication_preference", match=["ID", "CommunicationType"], map=mapped)
    done = office.run(preferences, "id,type,opt\n101,NEWS,yes\n101,Newsletter,no\n")
    assert set(done.codes.values()) == {"double"}
    assert writes(site) == 0
