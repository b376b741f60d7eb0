"""Contacts: persons and organizations under flat names."""

from datetime import date, datetime

import pytest

from idms_cli.errors import InputError, OutcomeUnknown, RecordRefused
from idms_cli.imis.kinds.contact import open_kind
from idms_cli.sandbox import metadata

PERSON = {
    "Prefix": "Ms.",
    "FirstName": "Zoë",
    "MiddleName": "M",
    "LastName": "O'Brien|Núñez",
    "Suffix": "Jr",
    "InformalName": "Zo",
    "OrganizationName": "Acme",
    "Title": "Director",
    "Email": "zoe+x@example.org",
    "MobilePhone": "0400",
    "WorkPhone": "0300",
    "BirthDate": date(1980, 2, 29),
    "Gender": "F",
    "Status": "A",
    "CustomerTypeCode": "REG",
    "JoinDate": date(2020, 1, 1),
    "Chapter": "South",
}


@pytest.fixture
def contacts(live):
    return open_kind(live, None)


def test_a_person_is_created_and_read_back_under_the_same_names(contacts):
    key = contacts.insert(PERSON)
    values = contacts.read(key).values
    expected = {
        **PERSON,
        "BirthDate": datetime.fromisoformat("1980-02-29"),
        "JoinDate": datetime.fromisoformat("2020-01-01"),
    }
    assert {name: values[name] for name in expected} == expected
    assert (values["ID"], values["PartyId"]) == (key[0], key[0])
    assert values["HomePhone"] is None


def test_names_are_taken_in_any_case(contacts):
    key = contacts.insert({"firstname": "Ada", "LASTNAME": "Byron", "customertypecode": "STU"})
    values = contacts.read(key).values
    assert (values["FirstName"], values["LastName"], values["CustomerTypeCode"]) == ("Ada", "Byron", "STU")


def test_an_organization_is_created_where_no_name_of_a_person_is_given(contacts):
    record = contacts.read(contacts.insert({"OrganizationName": "Acme", "Email": "office@acme.example"}))
    assert "OrganizationData" in record.body["$type"]
    assert (record.values["OrganizationName"], record.values["Email"]) == ("Acme", "office@acme.example")
    contacts.update(record, {"OrganizationName": "Acme & Söhne"})
    assert contacts.read(record.key).values["OrganizationName"] == "Acme & Söhne"


def test_a_contact_without_any_name_is_refused_before_it_is_sent(sandbox, contacts):
    with pytest.raises(RecordRefused, match="needs FirstName or LastName"):
        contacts.insert({"Email": "x@example.org"})
    assert sandbox.writes == []


def test_what_an_update_does_not_name_survives_on_a_site_that_blanks_what_is_missing(sandbox, contacts):
    sandbox.put_missing = "blank"
    before = contacts.read(("101",))
    contacts.update(before, {"Title": "Chair"})
    after = contacts.read(("101",))
    changed = {name for name in before.values if before.values[name] != after.values.get(name)}
    assert changed == {"Title"}
    untouched = {"Emails", "Phones", "Addresses", "Salutations", "AlternateIds", "CommunicationTypePreferences"}
    assert {name for name in untouched if before.body[name] != after.body[name]} == set()


def test_an_update_changes_the_primary_e_mail_and_keeps_the_others(contacts):
    record = contacts.read(contacts.insert({"LastName": "Byron", "Email": "old@example.org"}))
    record.body["Emails"]["$values"].append({"Address": "work@example.org", "EmailType": "Work", "IsPrimary": False})
    contacts.update(record, {"Email": "new@example.org"})
    body = contacts.read(record.key).body
    assert [one["Address"] for one in body["Emails"]["$values"]] == ["new@example.org", "work@example.org"]


def test_phones_are_changed_by_their_kind_and_added_where_missing(contacts):
    record = contacts.read(contacts.insert({"LastName": "Byron", "MobilePhone": "1", "WorkPhone": "2"}))
    contacts.update(record, {"WorkPhone": "22", "Fax": "3"})
    phones = contacts.read(record.key).body["Phones"]["$values"]
    assert [(one["PhoneType"], one["Number"]) for one in phones] == [("Mobile", "1"), ("Work", "22"), ("Fax", "3")]


@pytest.mark.parametrize(
    ("before", "changes", "expected"),
    [
        pytest.param({}, {"Phone": "1"}, ("1", "1", None), id="first-phone"),
        pytest.param({"Phone": "1"}, {"Phone": "2"}, ("2", "2", None), id="changed"),
        pytest.param({"MobilePhone": "1"}, {"Phone": "1"}, ("1", "1", None), id="the-same-number"),
        pytest.param({}, {"Phone": "1", "MobilePhone": "2"}, ("1", "2", "1"), id="two-at-once"),
        pytest.param({"Phone": "1"}, {"Phone": "3", "MobilePhone": "4"}, ("3", "4", "3"), id="split"),
        pytest.param({"Phone": "1"}, {"Phone": None}, ("", "", None), id="cleared"),
    ],
)
def test_the_primary_phone_and_the_kinds_of_phone_do_not_overwrite_each_other(contacts, before, changes, expected):
    record = contacts.read(contacts.insert({"LastName": "Byron", **before}))
    contacts.update(record, changes)
    values = contacts.read(record.key).values
    assert (values["Phone"], values["MobilePhone"], values["HomePhone"]) == expected


def test_clearing_a_property_empties_it(contacts):
    record = contacts.read(contacts.insert(PERSON))
    contacts.update(record, {"InformalName": None, "Email": None, "BirthDate": None, "Chapter": None, "JoinDate": None})
    values = contacts.read(record.key).values
    cleared = {name: values.get(name) for name in ("InformalName", "Email", "BirthDate", "Chapter", "JoinDate")}
    assert all(value in {None, ""} for value in cleared.values())
    assert values["FirstName"] == "Zoë"


def test_the_id_of_a_contact_cannot_be_changed(contacts):
    with pytest.raises(RecordRefused, match="ID of contact 101 cannot be changed"):
        contacts.update(contacts.read(("101",)), {"ID": "102"})


@pytest.mark.parametrize(
    "match",
    [
        pytest.param({"ID": "101"}, id="id"),
        pytest.param({"PartyId": " 101 "}, id="party-id-with-blanks"),
        pytest.param({"Email": "LOVELACE@example.org"}, id="e-mail-in-any-case"),
        pytest.param({"FirstName": "Ada", "LastName": "Lovelace"}, id="names"),
        pytest.param({"LastName": "Lovelace", "Chapter": "Moon"}, id="attribute"),
        pytest.param({"LastName": "Lovelace", "Title": "Countess"}, id="checked-here-only"),
    ],
)
def test_a_contact_is_found(contacts, match):
    values = {"FirstName": "Ada", "LastName": "Lovelace", "Email": "lovelace@example.org", "Chapter": "Moon"}
    contacts.update(contacts.read(("101",)), {**values, "Title": "Countess"})
    assert [record.key for record in contacts.find(match)] == [("101",)]


def test_every_contact_that_matches_is_given(contacts):
    for first in ("Ada", "Bea"):
        contacts.insert({"FirstName": first, "LastName": "Twin", "Email": "twins@example.org"})
    assert len(contacts.find({"Email": "twins@example.org"})) == 2
    assert len(contacts.find({"Email": "twins@example.org", "FirstName": "Bea"})) == 1


@pytest.mark.parametrize(
    "match", [{"ID": "99999"}, {"ID": "101", "Email": "no@example.org"}, {"Email": "no@example.org"}, {"ID": ""}]
)
def test_no_contact_is_found(contacts, match):
    assert contacts.find(match) == []


def test_a_search_that_imis_cannot_do_is_the_users_mistake(contacts):
    with pytest.raises(InputError, match="cannot search contacts by Title alone"):
        contacts.find({"Title": "Director"})


def test_an_unknown_name_is_refused_with_a_near_match(contacts):
    with pytest.raises(RecordRefused, match=r"no property 'Chaptr'\. Did you mean 'Chapter'"):
        contacts.find({"Chaptr": "South"})


def test_the_properties_have_the_lengths_and_attributes_that_the_site_tells(contacts):
    properties = contacts.properties()
    assert properties["ID"].key
    assert properties["FirstName"].max_length == 20
    assert properties["JoinDate"].type == "Date"


def test_the_codes_of_a_member_are_those_that_the_site_names_where_it_names_any(sandbox, monkeypatch, contacts):
    described = metadata._party_members

    def with_codes():
        members = described()
        (gender,) = [one for one in members if one["Name"] == "Gender"]
        (code,) = gender["EntityDefinition"]["Properties"]["$values"]
        code["Rule"] = {"ValueList": {"$values": [{"Name": "F", "Value": "Female"}, {"Name": "M", "Value": "Male"}]}}
        return members

    monkeypatch.setattr(metadata, "_party_members", with_codes)
    properties = contacts.properties()
    assert (properties["Gender"].choices, properties["Status"].choices) == (("F", "M"), ())


def test_a_site_that_does_not_describe_contacts_has_the_attributes_known_from_others(sandbox, live, contacts):
    sandbox.set_fault("metadata-501", 1)
    assert contacts.properties()["PaidThruDate"].type == "Date"
    assert contacts.read(("101",)).values["CustomerTypeCode"]


def test_one_metadata_call_is_made_whatever_is_asked(sandbox, contacts):
    contacts.properties()
    contacts.find({"ID": "101"})
    contacts.find({"Email": "x@example.org"})
    assert sandbox.calls["calls"] == {"GET Party": 2, "GET metadata": 1, "POST token": 1}


def test_an_insert_that_got_no_answer_is_unknown_and_sent_once(sandbox, contacts):
    contacts.properties()
    sandbox.set_fault("cut-after-write", 1)
    with pytest.raises(OutcomeUnknown) as caught:
        contacts.insert(PERSON)
    assert caught.value.status is None
    assert len(sandbox.writes) == 1


def test_an_update_that_was_stored_without_an_answer_is_fine(sandbox, contacts):
    record = contacts.read(("101",))
    sandbox.set_fault("cut-after-write", 1)
    contacts.update(record, {"InformalName": "Zaz"})
    assert contacts.read(("101",)).values["InformalName"] == "Zaz"
