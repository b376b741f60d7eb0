"""Persons and organizations: what is mapped changes, and everything else stays as it was."""

from typing import Any, Literal

import pytest

from idms_cli.sandbox import Sandbox
from idms_cli.sandbox.party_shape import merged
from tests.modules.imports.office import Office, found, job, writes

COLLECTIONS = ("Emails", "Phones", "Addresses", "Salutations", "AlternateIds", "CommunicationTypePreferences")


def by_id(**mapped: Any) -> dict[str, Any]:
    return job(action="update", match=["ID"], map={"ID": "id", **mapped})


def body(site: Sandbox, party_id: str) -> dict[str, Any]:
    found = site.parties.get(party_id)
    assert found is not None
    return found


def rich_member(site: Sandbox) -> dict[str, Any]:
    """Member 101 with something in every corner."""
    party = body(site, "101")
    party["PersonName"] |= {"NamePrefix": "Dr.", "MiddleName": "Q", "NameSuffix": "Jr", "InformalName": "Ally"}
    party["Emails"]["$values"] = [
        {"Address": "one@example.org", "EmailType": "_Primary", "IsPrimary": True},
        {"Address": "two@example.org", "EmailType": "Work", "IsPrimary": False},
    ]
    party["Phones"]["$values"] = [
        {"Number": "1", "PhoneType": "Mobile", "IsPrimary": True},
        {"Number": "2", "PhoneType": "Home", "IsPrimary": False},
        {"Number": "3", "PhoneType": "Pager", "IsPrimary": False},
    ]
    stored = {**merged(party, party, keep=True), "UpdateInformation": party["UpdateInformation"]}
    site.parties.put(stored)
    return stored


def changed(old: dict[str, Any], new: dict[str, Any]) -> set[str]:
    """The top-level members in which they differ; who wrote it last does not count."""
    return {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)} - {"UpdateInformation"}


@pytest.mark.parametrize("missing", ["keep", "blank"])
def test_an_update_changes_what_is_mapped_and_nothing_else(
    office: Office, site: Sandbox, missing: Literal["keep", "blank"]
) -> None:
    site.put_missing = missing
    old = rich_member(site)
    done = office.run(by_id(LastName="last", Chapter="chapter"), "id,last,chapter\n101,Bell,Overseas\n")
    assert done.summary == {"read": 1, "updated": 1}
    new = body(site, "101")
    assert changed(old, new) == {"PersonName", "Name", "Sort", "AdditionalAttributes"}
    names = {**old["PersonName"], "LastName": "Bell", "FullName": new["PersonName"]["FullName"]}
    assert new["PersonName"] == names
    assert new["PersonName"]["InformalName"] == "Ally"
    attributes = {item["Name"]: item.get("Value") for item in old["AdditionalAttributes"]["$values"]}
    assert {item["Name"]: item.get("Value") for item in new["AdditionalAttributes"]["$values"]} == {
        **attributes,
        "Chapter": "Overseas",
    }
    assert {name: new[name] for name in COLLECTIONS} == {name: old[name] for name in COLLECTIONS}


@pytest.mark.parametrize("missing", ["keep", "blank"])
def test_one_e_mail_or_phone_changes_and_the_others_stay(
    office: Office, site: Sandbox, missing: Literal["keep", "blank"]
) -> None:
    site.put_missing = missing
    old = rich_member(site)
    rows = "id,email,home,fax\n101,new@example.org,22,4\n"
    office.run(by_id(Email="email", HomePhone="home", Fax="fax"), rows)
    new = body(site, "101")
    assert changed(old, new) == {"Emails", "Phones"}
    assert [(item["Address"], item["EmailType"]) for item in new["Emails"]["$values"]] == [
        ("new@example.org", "_Primary"),
        ("two@example.org", "Work"),
    ]
    assert [(item["Number"], item["PhoneType"], item["IsPrimary"]) for item in new["Phones"]["$values"]] == [
        ("1", "Mobile", True),
        ("22", "Home", False),
        ("3", "Pager", False),
        ("4", "Fax", False),
    ]


def test_the_organization_of_a_person_and_the_name_of_an_organization_are_both_organization_name(
    office: Office, site: Sandbox
) -> None:
    options = by_id(OrganizationName="name", Title="title")
    office.run(options, "id,name,title\n101,Binders' Guild,Chair\n125,Société générale,\n")
    person, company = body(site, "101"), body(site, "125")
    assert (person["PrimaryOrganization"]["Name"], person["PrimaryOrganization"]["Title"]) == (
        "Binders' Guild",
        "Chair",
    )
    assert (company["OrganizationName"], company["Name"]) == ("Société générale", "Société générale")
    assert office.run(options).summary == {"read": 2, "unchanged": 2}


def test_blank_cells_are_kept_unless_the_map_says_clear(office: Office, site: Sandbox) -> None:
    rich_member(site)
    options = by_id(
        InformalName={"column": "informal", "blank": "clear"},
        MiddleName="middle",
        BirthDate={"column": "born", "blank": "clear"},
        Chapter={"column": "chapter", "blank": "clear"},
        HomePhone={"column": "home", "blank": "clear"},
    )
    assert office.run(options, "id,informal,middle,born,chapter,home\n101,,,,,\n").summary["updated"] == 1
    party = body(site, "101")
    assert (party["PersonName"]["InformalName"], party["PersonName"]["MiddleName"]) == ("", "Q")
    assert party["BirthDate"] is None
    (row,) = found(site, "Party", ID="101")
    assert row["Chapter"] in (None, "")
    assert [item["Number"] for item in party["Phones"]["$values"]] == ["1", "", "3"]
    assert office.run(options).summary == {"read": 1, "unchanged": 1}


def test_a_new_person_and_a_new_organization_get_an_id_each(office: Office, site: Sandbox) -> None:
    options = job(
        action="insert",
        match=["Email"],
        map={"Email": "email", "FirstName": "first", "LastName": "last", "OrganizationName": "org", "Chapter": "in"},
    )
    rows = "email,first,last,org,in\nzoe@example.org,Zoë,O'Brien,Acme,South\noffice@acme.example,,,Acme & Söhne,\n"
    before = len(site.rows("Party"))
    done = office.run(options, rows)
    assert done.summary == {"read": 2, "inserted": 2}
    person, company = site.rows("Party")[before:]
    assert (person["FirstName"], person["LastName"], person["OrganizationName"]) == ("Zoë", "O'Brien", "Acme")
    assert (person["IsOrganization"], person["Chapter"]) == (False, "South")
    assert (company["IsOrganization"], company["OrganizationName"]) == (True, "Acme & Söhne")


def test_a_new_contact_without_a_name_is_rejected_without_a_call(office: Office, site: Sandbox) -> None:
    options = job(match=["Email"], map={"Email": "email", "FirstName": "first"})
    done = office.run(options, "email,first\nnobody@example.org,\n")
    assert done.messages == {
        2: "A new contact needs FirstName or LastName, or for an organization OrganizationName",
    }
    assert writes(site) == 0


def test_contacts_are_found_by_id_in_either_of_its_names(office: Office, site: Sandbox) -> None:
    rows = "id,last\n101,Bell\n"
    assert office.run(by_id(LastName="last"), rows).summary == {"read": 1, "updated": 1}
    options = job(action="update", match=["PartyId"], map={"PartyId": "id", "LastName": "last"})
    assert office.run(options).summary == {"read": 1, "unchanged": 1}


@pytest.mark.parametrize("identity", ["999999", "../101", "101|2", "1 or 1=1", "ÄÖ"])
def test_an_id_that_the_site_does_not_have_matches_nothing(office: Office, site: Sandbox, identity: str) -> None:
    done = office.run(by_id(LastName="last"), f'id,last\n"{identity}",Bell\n')
    assert set(done.codes.values()) == {"no-match"}
    assert writes(site) == 0


def test_a_contact_that_is_not_there_is_not_made_anew_at_each_run_under_another_id(
    office: Office, site: Sandbox
) -> None:
    options = job(match=["ID"], map={"ID": "id", "LastName": "last"})
    done = office.run(options, "id,last\n999999,Bell\n")
    assert done.codes == {2: "no-match"}
    assert "a new one gets its ID from the site" in done.messages[2]
    assert writes(site) == 0


@pytest.mark.parametrize("read", ["record", "snapshot"])
def test_a_name_of_a_person_is_not_written_to_an_organization(office: Office, site: Sandbox, read: str) -> None:
    row = "id,first,last,company\n125,Comp,Any,Acme\n"
    named = {"FirstName": "first", "LastName": "last", "OrganizationName": "company"}
    for _ in range(2):
        done = office.run({**by_id(**named), "options": {"read": read}}, row)
        assert done.codes == {2: "unknown-property"}
        assert done.messages == {2: "Only a person has FirstName, LastName, and contact 125 is an organization"}
    assert writes(site) == 0
    assert done.rejects[0]["_stage"] == ("plan" if read == "record" else "send")


@pytest.mark.parametrize("only_changes", [True, False])
def test_a_blank_name_of_a_person_is_as_good_as_none_for_an_organization(
    office: Office, site: Sandbox, only_changes: bool
) -> None:
    cleared = by_id(FirstName={"column": "first", "blank": "clear"}, OrganizationName="company")
    options = {"only_changes": only_changes}
    done = office.run({**cleared, "options": options}, "id,first,company\n125,,Acme\n")
    assert done.summary == {"read": 1, "updated": 1}
    party = body(site, "125")
    assert (party["OrganizationName"], "PersonName" in party) == ("Acme", False)


def test_what_a_new_contact_has_to_be_called_is_seen_before_anything_is_sent(office: Office, site: Sandbox) -> None:
    named = {"MiddleName": "middle", "OrganizationName": "company", "Email": "email"}
    rows = "middle,company,email\nQ,Acme,\n,,a@example.org\n,Bindery,\n"
    plan = office.run(job(action="insert", map=named), rows, dry_run=True)
    assert plan.codes == {2: "unknown-property", 3: "validation"}
    assert plan.messages[2] == (
        "Only a person has MiddleName, and a new contact with an OrganizationName alone is an organization"
    )
    assert [line for line, _, _ in plan.planned] == [4]
    assert writes(site) == 0
