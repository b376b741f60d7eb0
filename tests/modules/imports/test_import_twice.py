"""A second run of the same import finds everything as it wants it, and writes nothing."""

from typing import Any

import pytest

from idms_cli.sandbox import Sandbox
from tests.modules.imports.office import Office, graded, job, scores, writes

CONTACTS = job(
    action="upsert",
    match=["Email"],
    map={
        **{"Email": "email", "FirstName": "first", "LastName": "last", "Title": "title", "MobilePhone": "mobile"},
        **{"BirthDate": "born", "Chapter": "chapter", "PaidThruDate": "paid"},
    },
)
PEOPLE = """\
email,first,last,title,mobile,born,chapter,paid
zoe@example.org,Zoë,O'Brien,Chair,+1 555 0100,1980-02-29,South,2027-01-31
ada@example.org,Ada,Byron,,,,,
"""
COMPANIES = job(match=["OrganizationName"], map={"OrganizationName": "name", "Email": "email", "WorkPhone": "phone"})
NAMES = "name,email,phone\nPrägerei & Söhne,office@praegerei.example,+49 30 1\nBinders' Guild,,\n"
SCORES = """\
member,course,grade,hours,score,taken
101,Bookbinding,A,7.5,90,2026-11-01
102,Bookbinding,B,,,2026-11-01
103,Café chemistry 2,,12,,
"""
MEMBERSHIP = job(
    destination={"panel": "ABC_Membership"},
    match=["ID"],
    map={"ID": "id", "Standing": "standing", "PaidThru": "paid", "Newsletter": "news"},
)
STANDINGS = "id,standing,paid,news\n101,HONORARY,2030-12-31,yes\n102,GOOD,2027-03-01,no\n"
CODES = job(destination={"panel": "ABC_Codes"}, match=["Code"], map={"Code": "code", "Description": "text"})
TEXTS = "code,text\nETH,Ethics and more\nNEW,Something new\nÉTÉ,\n"
ACTIVITIES = job(
    destination="activity",
    match=["PartyId", "ACTIVITY_TYPE", "TRANSACTION_DATE"],
    map={
        "PartyId": "member",
        "ACTIVITY_TYPE": {"value": "EDUC"},
        "TRANSACTION_DATE": {"column": "on", "date": "%d/%m/%Y"},
        "QUANTITY": "hours",
        "DESCRIPTION": "course",
        "AMOUNT": "fee",
    },
)
EDUCATION = "member,on,hours,course,fee\n101,01/11/2026,7.50,Bookbinding,12.00\n102,02/11/2026,3,Ethics,0\n"

CASES = {
    "contact": (CONTACTS, PEOPLE, {"inserted": 2}),
    "organization": (COMPANIES, NAMES, {"inserted": 2}),
    "panel with many rows a member": (scores(), SCORES, {"inserted": 3}),
    "panel with one row a member": (MEMBERSHIP, STANDINGS, {"updated": 2}),
    "standalone panel": (CODES, TEXTS, {"inserted": 2, "updated": 1}),
    "activity": (ACTIVITIES, EDUCATION, {"inserted": 2}),
}


@pytest.mark.parametrize(("options", "rows", "written"), CASES.values(), ids=CASES.keys())
def test_a_second_run_of_the_same_import_writes_nothing(
    office: Office, site: Sandbox, options: dict[str, Any], rows: str, written: dict[str, int]
) -> None:
    first = office.run(options, rows)
    number = sum(written.values())
    assert first.summary == {"read": number, **written}, first.rejects
    assert writes(site) == number
    site.reset()
    second = office.run(options)
    assert second.outcome.status == "completed"
    assert second.summary == {"read": number, "unchanged": number}
    assert writes(site) == 0


def test_with_only_changes_off_every_record_found_is_written_again(office: Office, site: Sandbox) -> None:
    rows = "member,course,grade\n101,Bookbinding,A\n102,Bookbinding,B\n"
    office.run(graded(), rows)
    site.reset()
    again = office.run(graded(options={"only_changes": False}))
    assert again.summary == {"read": 2, "updated": 2}
    assert site.calls["calls"]["PUT ABC_Scores"] == 2
    assert {write.summary for write in site.writes} == {"nothing changed"}


def test_a_row_that_was_rejected_is_tried_again_and_nothing_else_is_written(office: Office, site: Sandbox) -> None:
    rows = "member,course,grade\n101,Bookbinding,A\n999999,Bookbinding,B\n"
    assert office.run(graded(), rows).codes == {3: "validation"}
    site.reset()
    again = office.run(graded())
    assert again.summary == {"read": 2, "unchanged": 1, "rejected": 1}
    assert writes(site) == 1
    assert site.writes == []
