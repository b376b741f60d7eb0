"""Activities of a contact."""

from datetime import datetime
from decimal import Decimal

import pytest

from idms_cli.errors import InputError, RecordRefused
from idms_cli.imis.kinds.activity import open_kind

VALUES = {
    "PartyId": "101",
    "activity_type": "EDUC",
    "TRANSACTION_DATE": datetime.fromisoformat("2026-03-01T09:30"),
    "DESCRIPTION": "Ethics: part 1 | 2",
    "QUANTITY": Decimal("2.5"),
    "AMOUNT": Decimal("19.99"),
}


@pytest.fixture
def activities(live):
    return open_kind(live, None)


def test_an_activity_is_inserted_found_read_and_updated(activities):
    key = activities.insert(VALUES)
    found = activities.find({"PartyId": "101", "DESCRIPTION": "Ethics: part 1 | 2", "AMOUNT": Decimal("19.99")})
    assert [record.key for record in found] == [key]
    activities.update(found[0], {"NOTE": "Zoë's"})
    values = activities.read(key).values
    assert (values["NOTE"], values["ACTIVITY_TYPE"], values["QUANTITY"]) == ("Zoë's", "EDUC", Decimal("2.5"))
    assert values["TRANSACTION_DATE"] == datetime.fromisoformat("2026-03-01T09:30")


def test_an_activity_needs_its_contact(activities):
    with pytest.raises(RecordRefused, match="PartyId is missing"):
        activities.insert({"ACTIVITY_TYPE": "EDUC"})


def test_activities_have_no_name(live):
    with pytest.raises(InputError, match="have no name") as caught:
        open_kind(live, "X")
    assert "destination: activity" in caught.value.hint


def test_a_site_that_describes_nothing_still_takes_activities(sandbox, live, activities):
    sandbox.set_fault("metadata-501", 1)
    key = activities.insert(VALUES)
    assert activities.read(key).values["AMOUNT"] == Decimal("19.99")
    assert activities.properties()["SEQN"].key
