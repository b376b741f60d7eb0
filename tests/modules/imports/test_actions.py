"""What a row does, for each action and for none, one or many records that it matches."""

from typing import Any

import pytest

from idms_cli.sandbox import Sandbox
from tests.modules.imports.office import Office, found, graded, job, scores, writes

NONE = "member,course,grade\n101,Bookbinding,A\n"
ONE = "member,course,grade\n102,Bookbinding,A\n"
MANY = "member,course,grade\n103,Bookbinding,A\n"


@pytest.fixture(autouse=True)
def _records(site: Sandbox) -> None:
    """Member 102 has one result in bookbinding, and 103 has two."""
    rows = [{"ID": member, "Course": "Bookbinding", "Grade": "C"} for member in ("102", "103", "103")]
    site.add_rows("ABC_Scores", rows)


def grades_of(site: Sandbox, member: str) -> list[str]:
    return [row["Grade"] for row in found(site, "ABC_Scores", ID=member, Course="Bookbinding")]


@pytest.mark.parametrize(
    ("action", "rows", "expected"),
    [
        ("insert", NONE, ({"inserted": 1}, ["A"])),
        ("insert", ONE, ({"skipped": 1}, ["C"])),
        ("insert", MANY, ({"rejected": 1}, ["C", "C"])),
        ("update", NONE, ({"rejected": 1}, [])),
        ("update", ONE, ({"updated": 1}, ["A"])),
        ("update", MANY, ({"rejected": 1}, ["C", "C"])),
        ("upsert", NONE, ({"inserted": 1}, ["A"])),
        ("upsert", ONE, ({"updated": 1}, ["A"])),
        ("upsert", MANY, ({"rejected": 1}, ["C", "C"])),
    ],
    ids=[f"{action} {matches}" for action in ("insert", "update", "upsert") for matches in ("none", "one", "many")],
)
def test_each_action_does_the_one_right_thing(
    office: Office, site: Sandbox, action: str, rows: str, expected: tuple[dict[str, int], list[str]]
) -> None:
    summary, grades = expected
    done = office.run(graded(action=action), rows)
    assert done.summary == {"read": 1, **summary}
    assert grades_of(site, rows[20:23]) == grades
    assert writes(site) == summary.get("inserted", 0) + summary.get("updated", 0)


def test_an_update_without_a_record_is_told_with_what_was_looked_for(office: Office) -> None:
    done = office.run(graded(action="update"), NONE)
    assert done.codes == {2: "no-match"}
    assert done.messages == {2: "no record has ID 101, Course Bookbinding"}


def test_an_insert_of_a_record_that_is_there_is_skipped_and_told(office: Office) -> None:
    done = office.run(graded(action="insert"), ONE)
    assert done.outcome.status == "completed"
    (text,) = done.skipped.values()
    assert text.startswith("there is such a record already: 102|")


def test_a_row_that_matches_many_records_is_rejected_with_their_keys(office: Office) -> None:
    done = office.run(graded(), MANY)
    assert done.codes == {2: "many-matches"}
    assert done.messages[2].startswith("2 records match ID 103, Course Bookbinding: 103|")


def test_on_multiple_error_ends_the_run_before_anything_is_written(office: Office, site: Sandbox) -> None:
    error = office.fails(graded(options={"on_multiple": "error"}), NONE + MANY.partition("\n")[2])
    assert error.exit_code == 1
    assert str(error).startswith("line 3: 2 records match ID 103, Course Bookbinding: 103|")
    assert error.hint == "Match on more fields, or let such rows be rejected with `on_multiple: skip`."
    assert writes(site) == 0


BLANK = "member,course,grade\n,Bookbinding,A\n102,,B\n,,C\n"


def test_a_blank_in_what_is_matched_on_rejects_the_row_and_names_it(office: Office, site: Sandbox) -> None:
    done = office.run(graded(), BLANK)
    assert set(done.codes.values()) == {"blank-match"}
    assert done.messages == {
        2: "ID is blank, and a record is not looked for by less than all of match",
        3: "Course is blank, and a record is not looked for by less than all of match",
        4: "ID and Course are blank, and a record is not looked for by less than all of match",
    }
    assert [row["_field"] for row in done.rejects] == ["ID", "Course", "ID, Course"]
    assert writes(site) == 0


def test_with_skip_blank_match_off_the_rest_of_match_must_do(office: Office, site: Sandbox) -> None:
    site.add_rows("ABC_Scores", [{"ID": "104", "Course": "Gilding", "Grade": "C"}])
    before = len(found(site, "ABC_Scores", ID="104"))
    rows = "member,course,grade\n,Gilding,A\n,,B\n"
    done = office.run(graded(action="update", options={"skip_blank_match": False}), rows)
    assert done.summary == {"read": 2, "updated": 1, "rejected": 1}
    assert done.messages == {3: "ID and Course are blank, and there is nothing left to look for"}
    assert [row["Grade"] for row in found(site, "ABC_Scores", ID="104", Course="Gilding")] == ["A"]
    assert len(found(site, "ABC_Scores", ID="104")) == before


@pytest.mark.parametrize("action", ["update", "upsert", "delete"])
def test_a_row_of_which_a_blank_leaves_the_contact_alone_acts_on_nothing_unless_the_job_says_all(
    office: Office, site: Sandbox, action: str
) -> None:
    site.add_rows("ABC_Scores", [{"ID": "111", "Course": "Gilding", "Grade": "C"}])
    options: dict[str, object] = {"skip_blank_match": False}
    office.further = "defaults: {options: {on_multiple: all}}\n"
    done = office.run(graded(action=action, options=options), "member,course,grade\n111,,A\n")
    assert done.codes == {2: "blank-match"}
    assert done.messages == {
        2: "Course is blank, and the contact's ID alone matches every row of ABC_Scores that the contact has"
    }
    assert [row["Grade"] for row in found(site, "ABC_Scores", ID="111")] == ["C"]
    options["on_multiple"] = "all"
    assert office.run(graded(action=action, options=options)).summary.keys() <= {"read", "updated", "deleted"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {
                "destination": "activity",
                "action": "update",
                "match": ["PartyId", "ACTIVITY_TYPE"],
                "map": {"PartyId": "member", "ACTIVITY_TYPE": "course", "DESCRIPTION": "grade"},
            },
            "ACTIVITY_TYPE is blank, and the contact's ID alone matches every such record of the contact",
        ),
        (
            {
                "destination": "relationship",
                "action": "delete",
                "match": ["ID", "RELATION_TYPE", "TARGET_ID"],
                "map": {"ID": "member", "RELATION_TYPE": {"value": "PARENT"}, "TARGET_ID": "course"},
            },
            "TARGET_ID is blank, and a delete needs SEQN or ID + RELATION_TYPE + TARGET_ID",
        ),
    ],
    ids=["activity", "relationship"],
)
def test_what_a_job_may_not_match_on_no_blank_makes_a_row_match_on(
    office: Office, options: dict[str, object], message: str
) -> None:
    blanks = {**options, "options": {"skip_blank_match": False}}
    done = office.run(job(**blanks), "member,course,grade\n101,,A\n", dry_run=True)
    assert done.messages == {2: message}


def test_a_mapped_key_that_is_not_matched_on_is_never_changed(office: Office, site: Sandbox) -> None:
    site.add_rows("ABC_Scores", [{"ID": "104", "Course": "Gilding", "Grade": "C"}])
    done = office.run(graded(match=["Course"]), "member,course,grade\n105,Gilding,A\n104,Gilding,A\n")
    assert done.summary["rejected"] == 2  # both name Gilding, and say different things
    done = office.run(graded(match=["Course"]), "member,course,grade\n105,Gilding,A\n")
    assert done.codes == {2: "other-key"}
    assert done.messages == {2: "the record found has ID 104; a key is not changed"}
    assert office.run(graded(match=["Course"]), "member,course,grade\n104,Gilding,A\n").summary["updated"] == 1


def test_a_new_record_without_what_the_site_requires_is_rejected_before_it_is_sent(
    office: Office, site: Sandbox
) -> None:
    options = scores(match=["ID", "TakenOn"])
    done = office.run(options, "member,course,grade,hours,score,taken\n101,,A,,,2026-11-01\n")
    assert done.codes == {2: "required"}
    assert done.messages == {2: "Course is needed for a new record"}
    assert done.rejects[0]["_stage"] == "plan"
    assert writes(site) == 0


def test_all_that_the_site_says_against_a_record_is_in_its_reject(office: Office, site: Sandbox) -> None:
    options = job(match=["Email"], map={"Email": "email", "OrganizationName": "name", "Status": "status"})
    options["map"]["CustomerTypeCode"] = "type"
    done = office.run(options, "email,name,status,type\nnot an address,Acme,X,QQ\n")
    (reject,) = done.rejects
    assert (reject["_stage"], reject["_code"]) == ("send", "validation")
    for said in (
        "'not an address' is not a valid e-mail address.",
        "'QQ' is not a valid customer type.",
        "'X' is not a valid status.",
    ):
        assert said in reject["_message"]
    assert writes(site) == 1


def test_a_record_that_the_site_refuses_to_change_is_rejected_and_the_others_go_on(
    office: Office, site: Sandbox
) -> None:
    options = job(action="update", match=["ID"], map={"ID": "id", "Email": "email"})
    done = office.run(options, "id,email\n101,nobody\n102,new102@example.org\n")
    assert done.outcome.status == "partial"
    assert done.outcome.reason == "1 of 2 rows rejected"
    assert done.outcome.exit_code == 1
    assert done.messages == {2: "'nobody' is not a valid e-mail address."}
    assert found(site, "Party", ID="102")[0]["Email"] == "new102@example.org"


def test_a_record_that_vanished_after_the_plan_is_told(office: Office, site: Sandbox) -> None:
    planned = office.run(graded(), ONE, dry_run=True)
    (row,) = found(site, "ABC_Scores", ID="102", Course="Bookbinding")
    site.table("ABC_Scores").remove(("102", str(row["Ordinal"])))
    done = office.run(graded(), again=planned.directory)
    assert done.codes == {2: "gone"}
    assert writes(site) == 0


def test_what_others_changed_after_the_plan_survives(office: Office, site: Sandbox) -> None:
    planned = office.run(graded(), ONE, dry_run=True)
    (row,) = found(site, "ABC_Scores", ID="102", Course="Bookbinding")
    site.table("ABC_Scores").put({**row, "Score": 77})
    assert office.run(graded(), again=planned.directory).summary == {"read": 1, "updated": 1}
    (row,) = found(site, "ABC_Scores", ID="102", Course="Bookbinding")
    assert (row["Grade"], row["Score"]) == ("A", 77)


def test_what_others_did_already_after_the_plan_is_not_done_again(office: Office, site: Sandbox) -> None:
    planned = office.run(graded(), ONE, dry_run=True)
    (row,) = found(site, "ABC_Scores", ID="102", Course="Bookbinding")
    site.table("ABC_Scores").put({**row, "Grade": "A"})
    assert office.run(graded(), again=planned.directory).summary == {"read": 1, "unchanged": 1}
    assert writes(site) == 0


@pytest.mark.parametrize(
    ("rule", "value"),
    [
        ({"column": "hours", "blank": "keep"}, 3.5),
        ({"column": "hours", "blank": "clear"}, None),
        ({"value": None}, None),
    ],
    ids=["keep", "clear", "a blank constant"],
)
def test_a_blank_cell_keeps_or_clears_as_the_map_says(
    office: Office, site: Sandbox, rule: dict[str, Any], value: float | None
) -> None:
    site.add_rows("ABC_Scores", [{"ID": "104", "Course": "Gilding", "Grade": "C", "Hours": 3.5}])
    options = scores(map={"ID": "member", "Course": "course", "Grade": "grade", "Hours": rule})
    office.run(options, "member,course,grade,hours\n104,Gilding,B,\n")
    (row,) = found(site, "ABC_Scores", ID="104", Course="Gilding")
    assert (row["Grade"], row["Hours"]) == ("B", value)


def test_an_empty_file_is_a_run_with_nothing_to_do(office: Office, site: Sandbox) -> None:
    done = office.run(graded(), "member,course,grade\n")
    assert done.outcome.status == "completed"
    assert done.summary == {}
    assert writes(site) == 0


REGISTRATIONS = {"EventId": "event", "ID": "id", "FunctionId": "function"}


@pytest.mark.parametrize("find", [False, True], ids=["by ID", "by e-mail address"])
def test_a_registration_is_looked_for_by_its_key_though_the_job_does_not_say_match(
    office: Office, site: Sandbox, find: bool
) -> None:
    (member,) = found(site, "Party", ID="101")
    registrations = job(destination="event_registration", action="insert", map=dict(REGISTRATIONS))
    rows = "event,function,id\nCONF25,FULL,101\nCONF25,FULL,101\nCONF25,DAY1,101\n"
    if find:
        del registrations["map"]["ID"]
        registrations |= {"action": "insert-matching", "find": {"Email": "id"}}
        rows = rows.replace("101", str(member["Email"]))
    first = office.run(registrations, rows, dry_run=True)
    assert [(line, action) for line, action, _ in first.planned] == [(2, "insert"), (4, "insert")]
    assert first.skipped == {3: "says the same as line 2"}
    assert office.run(registrations).summary == {"read": 3, "inserted": 2, "skipped": 1}
    sent = writes(site)
    again = office.run(registrations)
    assert again.summary == {"read": 3, "skipped": 3}
    assert again.skipped[2] == "there is such a record already: CONF25|101|FULL"
    assert writes(site) == sent


def test_a_login_is_looked_for_by_its_contact_though_the_job_does_not_say_match(office: Office, site: Sandbox) -> None:
    logins = job(destination="user_login", action="insert", map={"ID": "id", "UserName": "name"})
    rows = "id,name\n101,ann\n102,ben\n102,bea\n"
    done = office.run(logins, rows)
    assert (done.summary, set(done.codes.values())) == ({"read": 3, "inserted": 1, "rejected": 2}, {"double"})
    sent = writes(site)
    assert office.run(logins, "id,name\n101,ann\n").summary == {"read": 1, "skipped": 1}
    assert writes(site) == sent
