"""What the site says of its business objects."""

import threading

import pytest

from idms_cli.errors import InputError, RecordRefused
from idms_cli.imis.definitions import definition_of, property_of
from idms_cli.imis.properties import Property

from .stub import Reply

NO_LIST = Reply(501, {"Message": "Not implemented."})
METADATA = {
    "Properties": {
        "$values": [
            {"Name": "ID", "PropertyTypeName": "String", "IsIdentity": True},
            {"Name": "Grade", "PropertyTypeName": "String"},
        ]
    }
}


def test_a_definition_has_types_lengths_keys_and_choices(live):
    found = live.definition("abc_SCORES")
    assert (found.name, found.object_type, found.parent, found.keys) == (
        "ABC_Scores",
        "Multi",
        "Party",
        ("ID", "Ordinal"),
    )
    assert found.properties["ID"] == Property("ID", max_length=10, required=True, key=True)
    assert found.properties["Ordinal"] == Property("Ordinal", "Integer", required=True, key=True, read_only=True)
    assert found.properties["Grade"] == Property("Grade", max_length=5, choices=("A", "B", "C", "F"))
    assert found.properties["Hours"] == Property("Hours", "Decimal", precision=9, scale=2)


def test_the_list_is_read_once_for_all_threads(live):
    names = ["Activity", "ABC_Scores", "ABC_Membership", "ABC_Codes"]
    threads = [threading.Thread(target=live.definition, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert live.calls.snapshot().get == 1


def test_an_unknown_name_is_the_users_mistake_and_gets_a_near_match(live):
    with pytest.raises(InputError, match=r"no business object 'ABC_Score'\. Did you mean 'ABC_Scores'"):
        live.definition("ABC_Score")


def test_where_the_site_gives_no_list_one_entity_is_asked_for(stub, site):
    stub.will(NO_LIST, Reply(200, METADATA))
    found = site.definition("ABC_Scores")
    assert site.definition("abc_scores") is found
    assert (found.name, found.parent, list(found.properties)) == ("ABC_Scores", "Party", ["ID", "Grade"])
    assert [one.path for one in stub.api] == ["/api/BoEntityDefinition", "/api/metadata/ABC_Scores"]


def test_where_the_site_describes_nothing_that_is_told(stub, site):
    stub.will(NO_LIST, NO_LIST)
    with pytest.raises(InputError, match="The site does not describe ABC_Scores"):
        site.definition("ABC_Scores")


def test_a_list_that_the_account_may_not_read_is_not_taken_for_missing(stub, site):
    stub.will(Reply(403, {"Message": "No."}))
    with pytest.raises(RecordRefused, match="403"):
        site.definition("ABC_Scores")


@pytest.mark.parametrize(
    ("described", "expected"),
    [
        pytest.param({"Name": "A"}, Property("A"), id="name-alone"),
        pytest.param({"Name": "A", "PropertyTypeName": "Novelty"}, Property("A"), id="unknown-type"),
        pytest.param(
            {"Name": "A", "$type": "Asi.Soa.Core.DataContracts.PropertyTypeDateTimeData, Asi.Contracts"},
            Property("A", "Date"),
            id="type-from-the-contract",
        ),
        pytest.param({"Name": "A", "MaxLength": 0}, Property("A"), id="no-limit"),
        pytest.param(
            {"Name": "A", "ExtendedPropertyInformation": {"IsDbIdentity": True}},
            Property("A", read_only=True),
            id="identity-column",
        ),
        pytest.param({"Name": "A", "Rule": {"$type": "PropertyRuleQueryData"}}, Property("A"), id="list-by-query"),
    ],
)
def test_a_sparse_description_is_read(described, expected):
    assert property_of(described) == expected


@pytest.mark.parametrize("word", ["Single", "SINGLE"])
def test_the_object_type_is_read_in_any_case(word):
    assert definition_of({"EntityTypeName": "X", "ObjectTypeName": word}).object_type == "Single"
