"""Addresses within a contact, by purpose."""

import threading

import pytest

from idms_cli.errors import InputError, OutcomeUnknown, RecordRefused
from idms_cli.imis.kinds.address import open_kind
from idms_cli.imis.kinds.contact import open_kind as open_contacts

from .lost import SAVED, insert_as_a_run_does

BILLING = {
    "AddressPurpose": "Billing",
    "Address1": "1 High St",
    "Address2": "Flat 2",
    "City": "Perth",
    "StateProvince": "WA",
    "PostalCode": "6000",
    "Country": "AU",
    "Phone": "0400",
    "Fax": "0401",
    "Email": "ada@example.org",
    "IsPreferredBill": True,
}
SHIPPING = {"AddressPurpose": "Shipping", "Address1": "2 Low St", "City": "Perth", "IsPreferredShip": True}


@pytest.fixture
def addresses(live):
    return open_kind(live, None)


@pytest.fixture
def ada(live):
    """The ID of a contact without any address."""
    return open_contacts(live, None).insert({"FirstName": "Ada", "LastName": "Byron"})[0]


@pytest.fixture
def both(addresses, ada):
    """The same contact with two addresses."""
    addresses.insert({"ID": ada, **BILLING})
    addresses.insert({"ID": ada, **SHIPPING})
    return ada


def values_at(addresses, contact, purpose):
    return addresses.find({"ID": contact, "AddressPurpose": purpose})[0].values


def test_a_contact_without_an_address_has_no_record_though_the_site_shows_an_empty_one(live, addresses, ada):
    assert len(live.get(f"/api/Party/{ada}")["Addresses"]["$values"]) == 1
    assert addresses.find({"ID": ada}) == []


def test_the_first_address_takes_the_place_of_the_empty_one(live, addresses, ada):
    assert addresses.insert({"ID": ada, **BILLING}) == (ada, "Billing", "1")
    (stored,) = live.get(f"/api/Party/{ada}")["Addresses"]["$values"]
    assert stored["AddressPurpose"] == "Billing"
    values = values_at(addresses, ada, "billing")
    assert {name: values[name] for name in BILLING} == BILLING
    assert (values["ID"], values["Address3"], values["IsPreferredMail"]) == (ada, None, False)


def test_a_second_address_is_added_and_the_first_survives(addresses, both):
    assert [record.key for record in addresses.find({"ID": both})] == [(both, "Billing", "1"), (both, "Shipping", "2")]
    assert values_at(addresses, both, "Billing")["City"] == "Perth"
    assert addresses.read((both, "Shipping", "2")).values["Address1"] == "2 Low St"


@pytest.mark.parametrize(
    ("match", "found"),
    [
        ({"ID": "99999"}, 0),
        ({"ID": "", "AddressPurpose": "Billing"}, 0),
        ({"City": "Moon"}, 0),
        ({"AddressPurpose": "SHIPPING"}, 1),
        ({"City": "Perth"}, 2),
    ],
)
def test_none_one_or_many_are_found(addresses, both, match, found):
    assert len(addresses.find({"ID": both, **match})) == found


def test_an_update_keeps_what_is_not_mapped(sandbox, live, addresses, both):
    sandbox.put_missing = "blank"
    before = live.get(f"/api/Party/{both}")
    addresses.update(addresses.find({"ID": both, "AddressPurpose": "Billing"})[0], {"Address1": "9 New Rd"})
    after = live.get(f"/api/Party/{both}")
    assert {**BILLING, "Address1": "9 New Rd"}.items() <= values_at(addresses, both, "Billing").items()
    assert after["Addresses"]["$values"][1] == before["Addresses"]["$values"][1]
    assert (after["PersonName"], after["Emails"]) == (before["PersonName"], before["Emails"])


def test_an_update_that_changes_nothing_is_not_sent(sandbox, addresses, both):
    record = addresses.find({"ID": both, "AddressPurpose": "Billing"})[0]
    before = len(sandbox.writes)
    addresses.update(record, {"City": "Perth"})
    assert len(sandbox.writes) == before


def test_two_addresses_of_one_contact_read_before_either_is_written_both_change(addresses, both):
    billing, shipping = addresses.find({"ID": both})
    addresses.update(billing, {"City": "Albany"})
    addresses.update(shipping, {"City": "Broome"})
    assert [record.values["City"] for record in addresses.find({"ID": both})] == ["Albany", "Broome"]


def test_two_threads_do_not_undo_each_other(addresses, ada):
    purposes = ("Address", "Billing", "Shipping")
    work = [
        threading.Thread(target=addresses.insert, args=({"ID": ada, "AddressPurpose": one, "City": one},))
        for one in purposes
    ]
    for each in work:
        each.start()
    for each in work:
        each.join()
    assert {record.values["City"] for record in addresses.find({"ID": ada})} == set(purposes)


def test_the_mark_for_preferred_mail_moves_from_one_address_to_the_other(addresses, both):
    for purpose in ("Billing", "Shipping"):
        record = addresses.find({"ID": both, "AddressPurpose": purpose})[0]
        addresses.update(record, {"IsPreferredMail": True})
    assert [record.values["IsPreferredMail"] for record in addresses.find({"ID": both})] == [False, True]
    assert values_at(addresses, both, "Billing")["IsPreferredBill"] is True


def test_a_code_makes_the_name_beside_it_void(addresses, ada):
    addresses.insert({"ID": ada, "AddressPurpose": "Address", "City": "Perth", "CountryName": "Australia"})
    addresses.update(addresses.find({"ID": ada})[0], {"Country": "CA", "StateProvince": "ON"})
    values = addresses.find({"ID": ada})[0].values
    assert (values["Country"], values["CountryName"]) == ("CA", "")


def test_clearing_empties_a_line(addresses, both):
    addresses.update(addresses.find({"ID": both, "AddressPurpose": "Billing"})[0], {"Address2": None, "Fax": None})
    values = values_at(addresses, both, "Billing")
    assert (values["Address1"], values["Address2"], values["Fax"]) == ("1 High St", "", "")


def test_a_second_address_for_a_purpose_is_refused(sandbox, addresses, both):
    before = len(sandbox.writes)
    with pytest.raises(RecordRefused, match="has an address for Billing already") as caught:
        addresses.insert({"ID": both, "AddressPurpose": "Billing", "City": "X"})
    assert caught.value.code == "exists"
    assert len(sandbox.writes) == before


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"AddressPurpose": "Billing"}, "ID is missing"),
        ({"ID": "101"}, "AddressPurpose is missing"),
        ({"ID": "99999", "AddressPurpose": "Billing", "City": "X"}, "There is no contact 99999"),
        ({"ID": "101", "AddressPurpose": "Moon", "City": "X"}, "'Moon' is not a valid address purpose"),
        ({"ID": "101", "Purpose": "Billing"}, "no property 'Purpose'"),
    ],
)
def test_an_address_that_cannot_be_is_refused(addresses, values, said):
    with pytest.raises(RecordRefused, match=said):
        addresses.insert(values)


def test_addresses_are_found_by_their_contact_only(addresses):
    with pytest.raises(InputError, match="by their contact only"):
        addresses.find({"City": "Perth"})


@pytest.mark.parametrize("change", [{"ID": "102"}, {"AddressPurpose": "Shipping"}])
def test_an_address_stays_with_its_contact_and_purpose(addresses, both, change):
    with pytest.raises(RecordRefused, match="cannot be changed"):
        addresses.update(addresses.find({"ID": both, "AddressPurpose": "Billing"})[0], change)


def test_an_address_is_not_deleted(addresses, both):
    with pytest.raises(RecordRefused, match="Clear their lines") as caught:
        addresses.delete(addresses.find({"ID": both})[0])
    assert caught.value.code == "not-allowed"


@pytest.mark.parametrize("fault", SAVED)
def test_a_lost_answer_leads_to_one_address(sandbox, addresses, ada, fault):
    sandbox.set_fault(fault, 1)
    assert insert_as_a_run_does(addresses, {"ID": ada, **BILLING}, by=("ID", "AddressPurpose"))[:2] == (ada, "Billing")
    assert len(addresses.find({"ID": ada})) == 1
    assert [write.method for write in sandbox.writes].count("PUT") == 1


def test_an_insert_is_sent_once(sandbox, addresses, ada):
    sandbox.set_fault("write-500", 1)
    with pytest.raises(OutcomeUnknown):
        addresses.insert({"ID": ada, **BILLING})
    assert sandbox.calls["calls"]["PUT Party"] == 1


@pytest.mark.parametrize("fault", SAVED)
def test_an_update_whose_answer_was_lost_is_fine(sandbox, addresses, both, fault):
    record = addresses.find({"ID": both, "AddressPurpose": "Billing"})[0]
    sandbox.set_fault(fault, 1)
    addresses.update(record, {"City": "Albany"})
    assert values_at(addresses, both, "Billing")["City"] == "Albany"


def test_an_address_that_is_gone_is_none_and_cannot_be_changed(live, addresses, both):
    record = addresses.find({"ID": both, "AddressPurpose": "Billing"})[0]
    body = live.get(f"/api/Party/{both}")
    live.put(f"/api/Party/{both}", {**body, "Addresses": {"$values": []}})
    assert addresses.read(record.key) is None
    with pytest.raises(RecordRefused, match="no longer there"):
        addresses.update(record, {"City": "Albany"})


def test_the_properties_have_the_purposes_of_the_site_as_choices(sandbox, addresses):
    properties = addresses.properties()
    assert properties["AddressPurpose"].choices == ("Address", "Billing", "Shipping")
    assert [name for name, one in properties.items() if one.key] == ["ID", "AddressPurpose"]
    assert properties["IsPreferredMail"].type == "Boolean"
    addresses.properties()
    assert sandbox.calls["calls"] == {"GET AddressPurpose": 1, "GET metadata": 1, "POST token": 1}


def test_a_site_that_describes_nothing_still_takes_addresses(sandbox, addresses, ada):
    sandbox.set_fault("metadata-501", 1)
    addresses.insert({"ID": ada, **BILLING})
    assert values_at(addresses, ada, "Billing")["Fax"] == "0401"
