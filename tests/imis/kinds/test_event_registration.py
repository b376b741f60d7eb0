"""Registrations for events, each once though the site would take it twice."""

import pytest

from idms_cli.errors import InputError, OutcomeUnknown, RecordRefused
from idms_cli.imis.kinds.event_registration import open_kind

from ..stub import Reply
from .lost import SAVED, insert_as_a_run_does

FULL = {"EventId": "CONF25", "ID": "101", "FunctionId": "FULL"}


@pytest.fixture
def registrations(live):
    return open_kind(live, None)


def stored(sandbox):
    return [(row["EventId"], row["PartyId"], row["FunctionId"]) for row in sandbox.rows("EventRegistration")]


def cancel(live, key):
    body = {"$type": "X", "OperationName": "CancelEventRegistration", "Parameters": [key]}
    live.post("/api/EventRegistration/_execute", body)


def test_a_contact_is_registered_and_found(sandbox, registrations):
    assert registrations.insert(FULL) == ("CONF25", "101", "FULL")
    (row,) = sandbox.rows("EventRegistration")
    assert (row["RegisteredBy"], row["BillTo"], row["Waitlist"]) == ("101", "101", False)
    (record,) = registrations.find({"eventid": "CONF25", "id": "101", "functionid": "full"})
    assert record.key == ("CONF25", "101", "FULL")
    assert registrations.read(record.key).values["FunctionId"] == "FULL"


def test_who_registers_and_who_is_billed_can_be_said(sandbox, registrations):
    registrations.insert({**FULL, "RegisteredBy": "102", "BillTo": "103", "Waitlist": True})
    (row,) = sandbox.rows("EventRegistration")
    assert (row["RegisteredBy"], row["BillTo"], row["Waitlist"]) == ("102", "103", True)


def test_the_site_itself_takes_a_registration_twice_and_this_kind_does_not(sandbox, registrations):
    registrations.insert(FULL)
    with pytest.raises(RecordRefused, match="Contact 101 is registered for CONF25 FULL") as caught:
        registrations.insert({**FULL, "FunctionId": "full"})
    assert caught.value.code == "exists"
    assert stored(sandbox) == [("CONF25", "101", "FULL")]


def test_a_program_item_is_added_to_a_registration(sandbox, registrations):
    registrations.insert(FULL)
    registrations.insert({**FULL, "FunctionId": "DINNER", "RegistrationOption": "FULL"})
    assert [record.key[2] for record in registrations.find({"EventId": "CONF25", "ID": "101"})] == ["FULL", "DINNER"]


def test_nothing_is_found_where_nobody_was_registered(registrations):
    assert registrations.find(FULL) == []
    assert registrations.find({**FULL, "ID": ""}) == []
    assert registrations.read(("CONF25", "101", "FULL")) is None


def test_a_cancelled_registration_counts_for_none(live, sandbox, registrations):
    registrations.insert(FULL)
    cancel(live, "CONF25-101")
    assert registrations.find(FULL) == []
    registrations.insert(FULL)
    assert len(registrations.find(FULL)) == 1


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"EventId": "CONF25", "ID": "101"}, "FunctionId is missing"),
        ({**FULL, "EventId": "NONE"}, "'NONE' is not an event"),
        ({**FULL, "FunctionId": "DINNER"}, "'DINNER' is not a registration option of CONF25"),
        ({**FULL, "ID": "99999"}, "Contact 99999 does not exist"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_the_site_refuses_inside_a_200_is_refused(sandbox, registrations, values, said):
    with pytest.raises(RecordRefused, match=said) as caught:
        registrations.insert(values)
    assert caught.value.code == "validation"
    assert sandbox.writes == []


def test_an_answer_that_does_not_say_whether_it_was_done_is_unknown(stub, site):
    stub.will(Reply(200, {"EventRegistrationId": "CONF25-101"}))
    stub.will(Reply(200, {"Result": None}))
    with pytest.raises(OutcomeUnknown, match="does not say"):
        open_kind(site, None).insert(FULL)


def test_an_active_registration_for_something_unknown_is_not_doubled(stub, site):
    stub.will(Reply(200, {"Status": {"$type": "System.Int32", "$value": 1}}))
    with pytest.raises(RecordRefused, match=r"Contact 101 is registered for CONF25$"):
        open_kind(site, None).insert(FULL)
    assert len(stub.api) == 1


@pytest.mark.parametrize("fault", SAVED)
def test_a_lost_answer_leads_to_one_registration(sandbox, registrations, fault):
    sandbox.set_fault(fault, 1)
    assert insert_as_a_run_does(registrations, FULL, by=FULL) == ("CONF25", "101", "FULL")
    assert stored(sandbox) == [("CONF25", "101", "FULL")]


def test_a_registration_is_sent_once(sandbox, registrations):
    sandbox.set_fault("write-500", 1)
    with pytest.raises(OutcomeUnknown):
        registrations.insert(FULL)
    assert sandbox.calls["calls"]["POST EventRegistration/_execute"] == 1


@pytest.mark.parametrize(
    ("match", "said"),
    [({"ID": "101"}, "by event and contact only"), ({**FULL, "BillTo": "1"}, "does not tell BillTo")],
    ids=["no event", "not told"],
)
def test_a_search_that_the_site_cannot_do_is_the_users_mistake(registrations, match, said):
    with pytest.raises(InputError, match=said):
        registrations.find(match)


def test_a_registration_is_neither_changed_nor_deleted(sandbox, registrations):
    registrations.insert(FULL)
    (record,) = registrations.find(FULL)
    with pytest.raises(RecordRefused, match=r"can only be inserted.*\(BillTo\)"):
        registrations.update(record, {"BillTo": "102"})
    with pytest.raises(RecordRefused, match="Cancel one in iMIS"):
        registrations.delete(record)
    assert len(sandbox.writes) == 1


def test_no_metadata_is_asked_for(sandbox, registrations):
    assert [name for name, one in registrations.properties().items() if one.key] == ["EventId", "ID", "FunctionId"]
    assert sandbox.calls["total"] == 0
