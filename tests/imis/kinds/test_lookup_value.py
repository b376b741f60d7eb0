"""Values of the general lookup tables."""

import pytest

from idms_cli.errors import InputError, OutcomeUnknown, RecordRefused
from idms_cli.imis.kinds.lookup_value import open_kind

from .lost import SAVED, insert_as_a_run_does

EAST = {"TableName": "REGION", "Code": "EAST", "Description": "Eastern région", "Expansion": "E"}


@pytest.fixture
def lookups(live):
    return open_kind(live, None)


def regions(sandbox):
    return {row["Code"]: row["Description"] for row in sandbox.rows("GenTable") if row["TableName"] == "REGION"}


def test_a_value_is_inserted_found_and_read(sandbox, lookups):
    assert lookups.insert({name.lower(): value for name, value in EAST.items()}) == ("REGION", "EAST")
    assert lookups.read(("REGION", "EAST")).values == EAST
    assert [record.key for record in lookups.find({"TableName": "REGION", "Code": "EAST"})] == [("REGION", "EAST")]
    assert regions(sandbox)["EAST"] == "Eastern région"


@pytest.mark.parametrize(
    ("match", "found"),
    [
        ({"TableName": "REGION", "Code": "MOON"}, 0),
        ({"TableName": "NONE"}, 0),
        ({"TableName": "REGION", "Code": "A/B"}, 0),
        ({"TableName": "region", "Description": "Overseas"}, 1),
        ({"TableName": "REGION"}, 3),
    ],
    ids=str,
)
def test_none_one_or_many_are_found(lookups, match, found):
    assert len(lookups.find(match)) == found


def test_an_update_keeps_what_is_not_mapped(sandbox, lookups):
    sandbox.put_missing = "blank"
    lookups.insert(EAST)
    lookups.update(lookups.read(("REGION", "EAST")), {"description": "East"})
    assert lookups.read(("REGION", "EAST")).values == {**EAST, "Description": "East"}
    lookups.update(lookups.read(("REGION", "EAST")), {"Expansion": None})
    assert lookups.read(("REGION", "EAST")).values["Expansion"] == ""


@pytest.mark.parametrize("change", [{"Code": "X"}, {"TableName": "X"}], ids=str)
def test_the_key_cannot_be_changed(lookups, change):
    with pytest.raises(RecordRefused, match="cannot be changed"):
        lookups.update(lookups.read(("REGION", "NORTH")), change)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"TableName": "REGION"}, "Code is missing"),
        ({"Code": "EAST"}, "TableName is missing"),
        ({"TableName": "REGION", "Code": "NORTH"}, "The code NORTH is in REGION already"),
        ({"TableName": "REGION", "Code": "x" * 61}, "Code is longer than 60"),
        ({**EAST, "Text": "x"}, "no property 'Text'"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_value_that_cannot_be_is_refused(sandbox, lookups, values, said):
    with pytest.raises(RecordRefused, match=said):
        lookups.insert(values)
    assert sandbox.writes == []


def test_values_are_found_by_their_table_only(lookups):
    with pytest.raises(InputError, match="by their table only"):
        lookups.find({"Code": "NORTH"})


@pytest.mark.parametrize("fault", SAVED)
def test_a_lost_answer_leads_to_one_value(sandbox, lookups, fault):
    sandbox.set_fault(fault, 1)
    assert insert_as_a_run_does(lookups, EAST, by=("TableName", "Code")) == ("REGION", "EAST")
    assert [write.method for write in sandbox.writes] == ["POST"]
    lookups.update(lookups.read(("REGION", "EAST")), {"Description": "East"})
    assert regions(sandbox)["EAST"] == "East"


def test_an_insert_is_sent_once(sandbox, lookups):
    sandbox.set_fault("write-500", 1)
    with pytest.raises(OutcomeUnknown):
        lookups.insert(EAST)
    assert sandbox.calls["calls"]["POST GenTable"] == 1


def test_a_value_is_deleted_and_once_more_is_fine(sandbox, lookups):
    record = lookups.read(("REGION", "SOUTH"))
    lookups.delete(record)
    lookups.delete(record)
    assert "SOUTH" not in regions(sandbox)
