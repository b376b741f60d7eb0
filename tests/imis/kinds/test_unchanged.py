"""What was inserted comes back equal, so that a second run of the same file has nothing to write."""

from datetime import date

import pytest

from idms_cli.imis.kinds import open_kind
from idms_cli.imis.values import same

CASES = {
    "contact": ({"FirstName": "Ada", "LastName": "Lovelace", "Email": "love@example.org", "Chapter": "X"}, ["Email"]),
    "activity": ({"PartyId": "101", "ACTIVITY_TYPE": "CALL", "TRANSACTION_DATE": date(2026, 3, 1)}, ["PartyId"]),
    "address": (
        {"ID": "125", "AddressPurpose": "Billing", "Address3": "Back", "Country": "AU", "IsPreferredMail": True},
        ["ID", "AddressPurpose"],
    ),
    "group_member": (
        {"GroupName": "Awards", "ID": "101", "Role": "Chair", "EffectiveDate": date(2026, 3, 1), "IsActive": True},
        ["GroupName", "ID"],
    ),
    "relationship": (
        {"ID": "101", "RELATION_TYPE": "MENTOR", "TARGET_ID": "102", "THRU_DATE": date(2026, 3, 1)},
        ["ID", "RELATION_TYPE", "TARGET_ID"],
    ),
    "communication_preference": (
        {"ID": "101", "CommunicationType": "Event invitations", "OptInFlag": False},
        ["ID", "CommunicationType"],
    ),
    "event_registration": (
        {"EventId": "GALA", "ID": "101", "FunctionId": "SEAT"},
        ["EventId", "ID", "FunctionId"],
    ),
    "user_login": ({"ID": "101", "UserName": "ada"}, ["ID"]),
    "lookup_value": ({"TableName": "COLOUR", "Code": "RED", "Description": "Rød: 1|2"}, ["TableName", "Code"]),
}


@pytest.mark.parametrize("word", CASES)
def test_a_second_run_finds_every_value_as_it_was_sent(sandbox, live, word):
    sandbox.tables["Activity"].rows.clear()
    values, match = CASES[word]
    kind = open_kind(live, word, None)
    key = kind.insert(values)
    (record,) = kind.find({name: values[name] for name in match})
    assert {name: record.values[name] for name, value in values.items() if not same(value, record.values[name])} == {}
    assert kind.read(record.key).values == record.values
    assert record.key[: len(key)] == key[: len(record.key)]


@pytest.mark.parametrize("word", CASES)
def test_the_key_is_text_and_as_long_as_the_key_properties_or_one_more(sandbox, live, word):
    values, _ = CASES[word]
    kind = open_kind(live, word, None)
    key = kind.insert(values)
    keys = [name for name, one in kind.properties().items() if one.key]
    assert all(isinstance(part, str) and part for part in key)
    assert len(key) - len(keys) in {0, 1}
