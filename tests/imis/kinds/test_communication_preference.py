"""Opt-ins of contacts, by type of communication."""

import pytest

from idms_cli.errors import InputError, RecordRefused
from idms_cli.imis.kinds.communication_preference import open_kind
from idms_cli.imis.kinds.contact import open_kind as open_contacts

from .lost import SAVED, insert_as_a_run_does


@pytest.fixture
def preferences(live):
    return open_kind(live, None)


@pytest.fixture
def ada(live):
    """The ID of a contact that has not said anything yet."""
    return open_contacts(live, None).insert({"FirstName": "Ada", "LastName": "Byron"})[0]


def flags(preferences, contact):
    return {
        record.values["CommunicationTypeId"]: record.values["OptInFlag"] for record in preferences.find({"ID": contact})
    }


@pytest.mark.parametrize("by", [{"CommunicationTypeId": "NEWS"}, {"CommunicationType": "newsletter"}], ids=str)
def test_a_type_is_found_by_its_id_or_name(preferences, ada, by):
    (record,) = preferences.find({"ID": ada, **by})
    assert record.key == (ada, "NEWS")
    assert record.values == {
        "ID": ada,
        "CommunicationTypeId": "NEWS",
        "CommunicationType": "Newsletter",
        "OptInFlag": None,
    }


def test_a_contact_has_a_record_for_each_type_of_the_site(preferences, ada):
    assert flags(preferences, ada) == {"NEWS": None, "EVENTS": None, "OFFERS": None}
    assert preferences.find({"ID": "99999"}) == []
    assert preferences.find({"ID": ada, "OptInFlag": True}) == []


def test_the_types_are_asked_for_once(sandbox, preferences):
    for contact in ("101", "102", "103"):
        preferences.find({"ID": contact, "CommunicationTypeId": "NEWS"})
    assert sandbox.calls["calls"] == {"GET CommunicationType": 1, "GET Party": 3, "POST token": 1}


def test_an_opt_in_is_set_changed_and_the_others_stay(sandbox, live, preferences, ada):
    sandbox.put_missing = "blank"
    assert preferences.insert({"ID": ada, "CommunicationType": "Newsletter", "OptInFlag": True}) == (ada, "NEWS")
    preferences.update(preferences.read((ada, "OFFERS")), {"OptInFlag": False})
    preferences.update(preferences.read((ada, "NEWS")), {"OptInFlag": False})
    assert flags(preferences, ada) == {"NEWS": False, "EVENTS": None, "OFFERS": False}
    assert live.get(f"/api/Party/{ada}")["PersonName"]["FirstName"] == "Ada"


def test_an_update_that_changes_nothing_is_not_sent(sandbox, preferences, ada):
    preferences.insert({"ID": ada, "CommunicationTypeId": "NEWS", "OptInFlag": True})
    before = len(sandbox.writes)
    preferences.update(preferences.read((ada, "NEWS")), {"OptInFlag": True})
    assert len(sandbox.writes) == before


def test_two_types_of_one_contact_read_before_either_is_written_both_change(preferences, ada):
    news, events, _ = preferences.find({"ID": ada})
    preferences.update(news, {"OptInFlag": True})
    preferences.update(events, {"OptInFlag": False})
    assert flags(preferences, ada) == {"NEWS": True, "EVENTS": False, "OFFERS": None}


@pytest.mark.parametrize(
    ("values", "code", "said"),
    [
        ({"CommunicationTypeId": "NEWS", "OptInFlag": True}, "validation", "ID is missing"),
        ({"ID": "101", "OptInFlag": True}, "validation", "CommunicationTypeId or CommunicationType is missing"),
        ({"ID": "101", "CommunicationType": "Newsleter", "OptInFlag": True}, "unknown-type", "mean 'Newsletter'"),
        ({"ID": "101", "CommunicationTypeId": "X", "OptInFlag": True}, "unknown-type", "It has: Newsletter, Event"),
        ({"ID": "102", "CommunicationTypeId": "EVENTS"}, "validation", "OptInFlag must be yes or no"),
        ({"ID": "99999", "CommunicationTypeId": "NEWS", "OptInFlag": True}, "not-found", "no contact 99999"),
        ({"ID": "101", "CommunicationTypeId": "NEWS", "OptInFlag": True}, "exists", "has a preference for Newsletter"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_preference_that_cannot_be_is_refused(sandbox, preferences, values, code, said):
    with pytest.raises(RecordRefused, match=said) as caught:
        preferences.insert(values)
    assert caught.value.code == code
    assert sandbox.writes == []


def test_only_the_flag_can_be_changed(preferences):
    with pytest.raises(RecordRefused, match="only OptInFlag"):
        preferences.update(preferences.read(("101", "NEWS")), {"CommunicationTypeId": "EVENTS"})


def test_preferences_are_found_by_their_contact_only(preferences):
    with pytest.raises(InputError, match="by their contact only"):
        preferences.find({"OptInFlag": True})


def test_a_preference_is_not_deleted(preferences):
    with pytest.raises(RecordRefused, match="Set OptInFlag to no"):
        preferences.delete(preferences.read(("101", "NEWS")))


@pytest.mark.parametrize("fault", SAVED)
def test_a_lost_answer_leads_to_one_entry(sandbox, live, preferences, ada, fault):
    preferences.find({"ID": ada})
    sandbox.set_fault(fault, 1)
    values = {"ID": ada, "CommunicationTypeId": "NEWS", "OptInFlag": True}
    assert insert_as_a_run_does(preferences, values, by=("ID", "CommunicationTypeId", "OptInFlag")) == (ada, "NEWS")
    preferences.update(preferences.read((ada, "EVENTS")), {"OptInFlag": False})
    stored = live.get(f"/api/Party/{ada}")["CommunicationTypePreferences"]["$values"]
    assert [(one["CommunicationTypeId"], one["OptInFlag"]) for one in stored] == [("NEWS", True), ("EVENTS", False)]


def test_a_type_that_the_site_does_not_offer_has_no_record(preferences):
    assert preferences.read(("101", "X")) is None
    assert preferences.read(("101",)) is None
