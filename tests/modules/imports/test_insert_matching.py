"""`insert-matching`: the file knows a contact by e-mail or name, and data is added to the contact that is found."""

from typing import Any

import pytest

from idms_cli.config.problems import ProblemsFound
from idms_cli.errors import InputError
from idms_cli.sandbox import Sandbox
from tests.modules.imports.office import Office, found, job, writes
from tests.modules.imports.test_resume import die, name_of

COLUMNS = "email,last,course,hours\n"
HOMER = "homer@example.org,Homer,{},2\n"
ADA = "ada@example.org,Ada,{},3\n"


@pytest.fixture(autouse=True)
def ids(site: Sandbox, office: Office) -> dict[str, str]:
    """Two contacts of their own, and two who share an e-mail address; all by first name."""
    people = job(
        action="insert",
        match=["Email", "FirstName"],
        map={"Email": "email", "FirstName": "first", "LastName": "last"},
    )
    rows = "homer@example.org,Winslow,Homer\nada@example.org,Ada,Ada\ntwins@example.org,Bea,Twin\n"
    done = office.run(people, "email,first,last\n" + rows + "twins@example.org,Cleo,Twin\n")
    assert done.summary == {"read": 4, "inserted": 4}
    site.reset()
    emails = {"homer@example.org", "ada@example.org", "twins@example.org"}
    return {str(row["FirstName"]): str(row["PartyId"]) for row in site.rows("Party") if row["Email"] in emails}


def courses(**options: Any) -> dict[str, Any]:
    """Results for the contact whose e-mail address and name the file has."""
    return job(
        **{
            "destination": {"panel": "ABC_Scores"},
            "action": "insert-matching",
            "find": {"Email": "email", "LastName": "last"},
            "match": ["ID", "Course"],
            "map": {"Course": "course", "Hours": "hours", "Grade": {"value": "A"}},
            **options,
        }
    )


def of(site: Sandbox, member: str) -> list[str]:
    return sorted(str(row["Course"]) for row in found(site, "ABC_Scores", ID=member))


def searches(site: Sandbox) -> int:
    return int(site.calls["calls"].get("GET Party", 0))


def test_data_is_added_to_the_contact_that_the_row_is_about(office: Office, site: Sandbox, ids: dict[str, str]) -> None:
    done = office.run(courses(), COLUMNS + HOMER.format("Gilding") + ADA.format("Gilding"))
    assert done.outcome.status == "completed"
    assert done.summary == {"read": 2, "inserted": 2}
    assert (of(site, ids["Winslow"]), of(site, ids["Ada"])) == (["Gilding"], ["Gilding"])


def test_what_is_there_already_is_left_alone(office: Office, site: Sandbox, ids: dict[str, str]) -> None:
    rows = COLUMNS + HOMER.format("Gilding")
    office.run(courses(), rows)
    again = office.run(courses(), rows + HOMER.format("Sewing"))
    assert again.summary == {"read": 2, "inserted": 1, "skipped": 1}
    assert of(site, ids["Winslow"]) == ["Gilding", "Sewing"]


def test_a_row_whose_contact_is_not_found_or_not_sure_is_rejected_and_says_so(
    office: Office, ids: dict[str, str]
) -> None:
    rows = "nobody@example.org,Nobody,Gilding,1\ntwins@example.org,Twin,Gilding,1\nada@example.org,Homer,Gilding,1\n"
    done = office.run(courses(), COLUMNS + rows)
    assert done.codes == {2: "no-contact", 3: "many-contacts", 4: "no-contact"}
    assert done.messages == {
        2: "no contact has Email nobody@example.org, LastName Nobody",
        3: f"2 contacts have Email twins@example.org, LastName Twin: {ids['Bea']}, {ids['Cleo']}",
        4: "no contact has Email ada@example.org, LastName Homer",
    }
    assert {reject["_field"] for reject in done.rejects} == {"Email, LastName"}


def test_several_contacts_end_the_run_before_anything_is_written_where_the_job_says_so(
    office: Office, site: Sandbox
) -> None:
    rows = COLUMNS + HOMER.format("Gilding") + "twins@example.org,Twin,Gilding,1\n"
    error = office.fails(courses(options={"on_multiple": "error"}), rows)
    assert str(error).startswith("line 3: 2 contacts have Email twins@example.org, LastName Twin: ")
    assert error.hint == "Find contacts by more, or let such rows be rejected with `on_multiple: skip`."
    assert writes(site) == 0


def test_a_row_adds_to_all_its_contacts_where_the_job_says_so(
    office: Office, site: Sandbox, ids: dict[str, str]
) -> None:
    rows = COLUMNS + "twins@example.org,Twin,Gilding,1\n" + HOMER.format("Gilding")
    done = office.run(courses(options={"on_multiple": "all"}), rows)
    assert done.summary == {"read": 2, "further": 1, "inserted": 3}
    assert [of(site, ids[one]) for one in ("Bea", "Cleo", "Winslow")] == [["Gilding"]] * 3
    again = office.run(courses(options={"on_multiple": "all"}), rows)
    assert again.summary == {"read": 2, "further": 1, "skipped": 3}


def test_a_contact_is_looked_for_once_however_many_rows_are_about_it(office: Office, site: Sandbox) -> None:
    rows = COLUMNS + "".join(HOMER.format(f"Course {n}") + ADA.format(f"Course {n}") for n in range(150))
    done = office.run(courses(match=[], action="insert-matching"), rows, dry_run=True)
    assert done.summary == {"read": 300, "left": 300}
    assert searches(site) == 2


def test_a_contact_is_looked_for_once_by_calls_at_the_same_time(office: Office, site: Sandbox) -> None:
    office.connection = "rate: 100000/s, settle: 0s, concurrency: 8"
    rows = COLUMNS + "".join(HOMER.format(f"Course {n}") for n in range(50))
    assert office.run(courses(), rows).summary == {"read": 50, "inserted": 50}
    assert searches(site) == 1


def test_two_rows_for_one_record_of_one_contact_are_found_though_they_name_it_differently(
    office: Office, site: Sandbox, ids: dict[str, str]
) -> None:
    by_email_or_id = courses(find={"Email": "email"})
    rows = "email,last,course,hours\nhomer@example.org,,Gilding,1\nHOMER@example.org,,Gilding,2\n"
    done = office.run(by_email_or_id, rows)
    assert set(done.codes.values()) == {"double"}
    assert done.summary == {"read": 2, "rejected": 2}
    assert writes(site) == 0


@pytest.mark.parametrize(
    ("blank", "expected"),
    [(True, {"read": 1, "rejected": 1}), (False, {"read": 1, "inserted": 1})],
    ids=["rejected", "the rest must do"],
)
def test_a_blank_in_what_the_contact_is_found_by(office: Office, *, blank: bool, expected: dict[str, int]) -> None:
    done = office.run(courses(options={"skip_blank_match": blank}), COLUMNS + "homer@example.org,,Gilding,1\n")
    assert done.summary == expected
    if blank:
        told = "LastName is blank, and a contact is not looked for by less than all of find"
        assert done.messages == {2: told}


def test_all_that_is_wrong_with_a_row_is_told_at_once(office: Office) -> None:
    done = office.run(courses(), COLUMNS + "homer@example.org,,Gilding,many\n")
    assert done.codes == {2: "blank-match; not-a-number"}


@pytest.mark.parametrize(
    ("destination", "owner", "mapped"),
    [
        ("activity", "PartyId", {"DESCRIPTION": "course", "ACTIVITY_TYPE": {"value": "EDUC"}}),
        ("address", "ID", {"AddressPurpose": {"value": "Billing"}, "City": "course"}),
        ("group_member", "ID", {"GroupName": {"value": "Mentors"}}),
    ],
    ids=["activity", "address", "group member"],
)
def test_data_of_every_kind_is_added(office: Office, destination: str, owner: str, mapped: dict[str, Any]) -> None:
    options = courses(destination=destination, match=[owner, next(iter(mapped))], map=mapped)
    done = office.run(options, COLUMNS + HOMER.format("Gilding"))
    assert done.summary == {"read": 1, "inserted": 1}, done.messages
    assert office.run(options).summary == {"read": 1, "skipped": 1}


MOMENTS = [
    ("before-find", 2),
    ("after-plan-is-kept", 1),
    ("before-insert", 2),
    ("after-insert", 2),
    ("after-insert", 4),
]


@pytest.mark.parametrize("moment", MOMENTS, ids=name_of)
def test_whenever_the_process_died_each_record_is_there_once(
    office: Office, site: Sandbox, ids: dict[str, str], moment: tuple[str, int]
) -> None:
    rows = COLUMNS + "twins@example.org,Twin,Gilding,1\n" + HOMER.format("Gilding") + ADA.format("Gilding")
    options = courses(options={"on_multiple": "all"})
    directory = die(office, options, rows, moment)
    done = office.run(options, again=directory)
    assert done.summary == {"read": 3, "further": 1, "inserted": 4}
    assert [of(site, one) for one in ids.values()] == [["Gilding"]] * 4
    assert writes(site) == 4


@pytest.mark.usefixtures("no_pauses")
@pytest.mark.parametrize("fault", ["cut-after-write", "write-500-saved", "write-500", "too-many"])
def test_whatever_answer_is_lost_each_record_is_there_once(
    office: Office, site: Sandbox, ids: dict[str, str], fault: str
) -> None:
    rows = COLUMNS + "".join(HOMER.format(f"Course {n}") + ADA.format(f"Course {n}") for n in range(10))
    site.set_fault(fault, 0.4)
    office.run_or_error(courses(), rows)
    site.set_fault(fault, 0)
    assert office.run(courses(), rows).outcome.status == "completed"
    for one in ("Winslow", "Ada"):
        assert of(site, ids[one]) == sorted(f"Course {n}" for n in range(10))


def test_a_plan_of_it_is_carried_out_later_and_taken_back(office: Office, site: Sandbox, ids: dict[str, str]) -> None:
    planned = office.run(courses(), COLUMNS + HOMER.format("Gilding"), dry_run=True)
    changes = {"ID": (None, ids["Winslow"]), "Course": (None, "Gilding"), "Hours": (None, 2), "Grade": (None, "A")}
    assert [(line, action, dict(given)) for line, action, given in planned.planned] == [(2, "insert", changes)]
    done = office.run(courses(), again=planned.directory)
    assert of(site, ids["Winslow"]) == ["Gilding"]
    back = office.run(courses(), intent="undo", of_directory=done.directory)
    assert back.summary == {"read": 1, "deleted": 1}
    assert of(site, ids["Winslow"]) == []


def test_what_the_site_cannot_search_by_is_told_before_anything_is_written(office: Office, site: Sandbox) -> None:
    error = office.fails(courses(find={"Title": "last"}), COLUMNS + HOMER.format("Gilding"))
    assert isinstance(error, InputError)
    assert str(error) == "iMIS cannot search contacts by Title alone."
    assert writes(site) == 0


def test_a_word_of_find_that_contacts_do_not_have_is_told_with_its_place_and_a_near_one(office: Office) -> None:
    with pytest.raises(ProblemsFound) as refused:
        office.run(courses(find={"Emial": "email", "LastName": "lst"}), COLUMNS)
    told = [(one.message, one.hint) for one in refused.value.problems]
    assert told == [
        ("the site knows no property 'Emial'", "did you mean 'Email'?"),
        ("the file has no column 'lst'", "did you mean 'last'?"),
    ]
    assert {one.line for one in refused.value.problems} == {1}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"find": {}}, "insert-matching needs find: to find the contact"),
        ({"action": "insert"}, "only insert-matching finds contacts"),
        ({"map": {"id": "email", "Course": "course"}}, "the contact's ID comes from find:"),
        ({"destination": "contact", "match": []}, "that adds data to contacts that are there. For contacts themselves"),
        ({"destination": "lookup_value", "match": []}, "a lookup value belongs to no contact"),
        ({"match": ["Grad"]}, "matched on, but not mapped"),
    ],
)
def test_a_job_that_makes_no_sense_is_refused_without_the_site(
    office: Office, changes: dict[str, Any], told: str
) -> None:
    options = courses(**changes)
    if changes.get("action") == "insert":
        options["map"]["ID"] = "email"
    with pytest.raises(ProblemsFound) as refused:
        office.parse(options)
    (problem,) = refused.value.problems
    assert problem.message.startswith(told)
    assert problem.hint


def test_a_panel_whose_rows_belong_to_no_contact_is_told(office: Office) -> None:
    options = courses(destination={"panel": "ABC_Codes"}, match=["Code"], map={"Code": "course"})
    with pytest.raises(ProblemsFound, match="a row of ABC_Codes belongs to no contact"):
        office.run(options, COLUMNS + HOMER.format("Gilding"))


def test_check_says_how_the_contact_is_found(office: Office) -> None:
    assert office.parse(courses()).describe() == (
        "insert-matching panel ABC_Scores on test from data.csv, "
        "for the contact found by Email, LastName, unless there is one by ID, Course"
    )
    everyone = courses(options={"on_multiple": "all"}, match=[])
    assert office.parse(everyone).describe().endswith("by Email, LastName; one for each contact that is found")


def test_it_reads_contacts_and_writes_the_records(office: Office) -> None:
    locks = {lock.resource.partition("imis:")[2]: lock.write for lock in office.parse(courses()).locks()}
    assert locks["test/abc_scores"]
    assert not locks["test/party"]
    assert {lock.resource: lock.write for lock in office.parse(courses(destination="address", match=[])).locks()}[
        "imis:test/party"
    ]
