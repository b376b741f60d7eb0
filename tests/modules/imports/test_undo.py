"""What an undo puts back is what was there before, whatever the options of the job; and nobody's change is lost."""

from collections.abc import Mapping
from contextlib import closing

from idms_cli.records.journal import Journal
from idms_cli.sandbox import Sandbox
from tests.modules.imports.office import Office, found, graded, grades, job, scores, writes

INTERESTS = job(
    destination="activity",
    match=["PartyId", "TRANSACTION_DATE", "ACTIVITY_TYPE"],
    map={
        "PartyId": "member",
        "TRANSACTION_DATE": "date",
        "ACTIVITY_TYPE": {"value": "NOTE"},
        "UF_1": {"column": "interests", "split": ";", "append": True},
    },
)
HEADER = "member,date,interests\n"


def test_what_was_added_to_a_multi_select_field_is_taken_away_again(office: Office, site: Sandbox) -> None:
    office.run(INTERESTS, f"{HEADER}101,2026-05-01,golf;chess\n")
    done = office.run(INTERESTS, f"{HEADER}101,2026-05-01,chess;tennis\n")
    (row,) = found(site, "Activity", TRANSACTION_DATE="2026-05-01T00:00:00")
    assert row["UF_1"] == "golf,chess,tennis"
    back = office.run(INTERESTS, intent="undo", of_directory=done.directory)
    assert back.summary == {"read": 1, "updated": 1}
    (row,) = found(site, "Activity", TRANSACTION_DATE="2026-05-01T00:00:00")
    assert row["UF_1"] == "golf,chess"


def test_a_change_that_somebody_makes_while_a_run_is_taken_back_is_left_and_named(
    office: Office, site: Sandbox
) -> None:
    office.run(graded(), grades(3))
    done = office.run(graded(), grades(3, grade="B"))
    others: list[Mapping[str, int]] = []

    def meanwhile(counts: Mapping[str, int]) -> None:
        if not others and counts["left"]:
            others.append(counts)
            office.run(graded(), grades(1, first=102, grade="F"))

    back = office.run(graded(), intent="undo", of_directory=done.directory, progress=meanwhile)
    assert others
    assert back.summary == {"read": 3, "updated": 2, "rejected": 1}
    assert back.messages == {3: "Grade was 'B' in the plan, and is 'F' now"}
    now = {row["ID"]: row["Grade"] for row in found(site, "ABC_Scores", Course="Bookbinding")}
    assert now == {"101": "A", "102": "F", "103": "A"}


def test_of_a_record_that_somebody_changed_in_part_the_rest_is_restored_and_the_part_is_named(
    office: Office, site: Sandbox
) -> None:
    header = "member,course,grade,hours,score,taken\n"
    office.run(scores(), f"{header}101,Bookbinding,A,1,10,2026-01-01\n")
    done = office.run(scores(), f"{header}101,Bookbinding,B,2,20,2026-01-01\n")
    office.run(graded(), "member,course,grade\n101,Bookbinding,F\n")
    back = office.run(scores(), intent="undo", of_directory=done.directory)
    assert back.summary == {"read": 1, "updated": 1}
    (row,) = found(site, "ABC_Scores", Course="Bookbinding")
    assert (row["Grade"], row["Hours"], row["Score"]) == ("F", 1, 10)
    with closing(Journal(back.directory)) as journal:
        ((line, faults),) = journal.left_alone()
    assert (line, [fault.message for fault in faults]) == (2, ["Grade has been changed since, to 'F'"])


def test_a_member_of_a_committee_that_was_added_is_left_and_named_since_the_site_cannot_be_asked_to_remove_it(
    office: Office, site: Sandbox
) -> None:
    mapped = {"GroupId": "group", "ID": "id", "JoinDate": "joined"}
    rows = "group,id,joined\nCOMMITTEE/AWARDS,101,2026-01-01\n"
    members = job(destination="group_member", match=["GroupId", "ID"], map=mapped)
    done = office.run(members, rows)
    sent = writes(site)
    back = office.run(members, intent="undo", of_directory=done.directory)
    assert back.summary == {"read": 1, "skipped": 1}
    assert back.skipped[2].startswith("Members of committees can only be added")
    for action in ("update", "delete"):
        plan = office.run({**members, "action": action}, rows.replace("-01\n", "-02\n"), dry_run=True)
        assert (plan.codes, plan.rejects[0]["_stage"]) == ({2: "not-allowed"}, "plan")
    assert writes(site) == sent


def test_a_preference_that_was_said_for_the_first_time_is_left_and_named_since_none_is_ever_deleted(
    office: Office, site: Sandbox
) -> None:
    mapped = {"ID": "id", "CommunicationTypeId": "type", "OptInFlag": "opt"}
    preferences = job(destination="communication_preference", match=["ID", "CommunicationTypeId"], map=mapped)
    office.run(preferences, "id,type,opt\n101,NEWS,yes\n")
    done = office.run(preferences, "id,type,opt\n101,NEWS,no\n102,EVENTS,no\n")
    back = office.run(preferences, intent="undo", of_directory=done.directory)
    assert back.summary == {"read": 2, "updated": 1, "skipped": 1}
    assert back.skipped == {
        3: "OptInFlag was blank before, and cannot be made blank again: "
        "a preference is not deleted. Set OptInFlag to no"
    }
