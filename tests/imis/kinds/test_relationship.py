"""Relationships between two contacts."""

from datetime import datetime

import pytest

from idms_cli.errors import RecordRefused
from idms_cli.imis.kinds.relationship import open_kind

from .lost import SAVED, insert_as_a_run_does

KEYS = ("ID", "RELATION_TYPE", "TARGET_ID")
MENTOR = {
    "ID": "101",
    "RELATION_TYPE": "MENTOR",
    "TARGET_ID": "102",
    "TARGET_RELATION_TYPE": "MENTEE",
    "EFFECTIVE_DATE": datetime.fromisoformat("2026-01-01"),
    "TITLE": "Guide",
}
BY = {name: MENTOR[name] for name in KEYS}


@pytest.fixture
def relationships(live):
    return open_kind(live, None)


def test_a_relationship_is_inserted_found_by_its_keys_and_updated(sandbox, relationships):
    sandbox.put_missing = "blank"
    key = relationships.insert({name.lower(): value for name, value in MENTOR.items()})
    assert key == ("1",)
    (record,) = relationships.find(BY)
    assert {name: record.values[name] for name in MENTOR} == MENTOR
    relationships.update(record, {"THRU_DATE": datetime.fromisoformat("2027-01-01")})
    assert {**MENTOR, "THRU_DATE": datetime.fromisoformat("2027-01-01")}.items() <= relationships.read(
        key
    ).values.items()


def test_none_one_or_many_are_found(relationships):
    relationships.insert(MENTOR)
    relationships.insert({**MENTOR, "TARGET_ID": "103"})
    assert relationships.find({**BY, "TARGET_ID": "104"}) == []
    assert len(relationships.find({**BY, "TARGET_ID": "103"})) == 1
    assert len(relationships.find({"ID": "101", "RELATION_TYPE": "MENTOR"})) == 2


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"RELATION_TYPE": "MENTOR", "TARGET_ID": "102"}, "ID is missing"),
        ({"ID": "101", "RELATION_TYPE": "BOSS", "TARGET_ID": "102"}, "RELATION_TYPE 'BOSS' is not in the list"),
        ({"ID": "101", "RELATION_TYPE": "MENTOR"}, "TARGET_ID is required"),
        ({"ID": "101", "KIND": "MENTOR"}, "no property 'KIND'"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_relationship_that_cannot_be_is_refused(relationships, values, said):
    with pytest.raises(RecordRefused, match=said):
        relationships.insert(values)


@pytest.mark.parametrize("fault", SAVED)
def test_a_lost_answer_leads_to_one_relationship(sandbox, relationships, fault):
    sandbox.set_fault(fault, 1)
    assert insert_as_a_run_does(relationships, MENTOR, by=KEYS) == ("1",)
    assert len(sandbox.rows("Relationship")) == 1


def test_a_relationship_is_deleted(sandbox, relationships):
    relationships.insert(MENTOR)
    (record,) = relationships.find(BY)
    relationships.delete(record)
    relationships.delete(record)
    assert sandbox.rows("Relationship") == []


def test_a_site_that_describes_nothing_still_takes_relationships(sandbox, relationships):
    sandbox.set_fault("metadata-501", 1)
    assert relationships.read(relationships.insert(MENTOR)).values["TITLE"] == "Guide"
