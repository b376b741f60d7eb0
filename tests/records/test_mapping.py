"""A map is checked as a whole against file and site, and then tells all that is wrong with each row."""

from datetime import datetime
from decimal import Decimal

import pytest
from pydantic import TypeAdapter, ValidationError

from idms_cli.records.faults import Fault
from idms_cli.records.mapping import MappedRow, MapRefused, Rule
from tests.records.maps import bound, refused


def test_a_row_becomes_typed_values_in_the_sites_spelling_and_the_maps_order() -> None:
    mapping = bound(
        {
            "transaction_date": {"column": "completed on", "date": "%d/%m/%Y"},
            "Activity_Type": {"value": "EDUC"},
            "AMOUNT": {"column": "price", "number": "1.234,56"},
            "NOTE": "Note",
        }
    )
    row = mapping.values(("7", "31/01/2026", "1.250,00", "x", "Zoë"))
    assert mapping.properties == ("TRANSACTION_DATE", "ACTIVITY_TYPE", "AMOUNT", "NOTE")
    assert list(row.values.items()) == [
        ("TRANSACTION_DATE", datetime(2026, 1, 31)),  # noqa: DTZ001
        ("ACTIVITY_TYPE", "EDUC"),
        ("AMOUNT", Decimal("1250.00")),
        ("NOTE", "Zoë"),
    ]
    assert (row.kept, row.faults) == ((), ())


def test_a_blank_cell_keeps_the_property_unless_told_to_clear_it() -> None:
    mapping = bound({"NOTE": "note", "AMOUNT": {"column": "price", "blank": "clear"}})
    assert mapping.values(("", "", " ", "\t", "")) == MappedRow({"AMOUNT": None}, ("NOTE",), ())


def test_all_faults_of_a_row_are_told_with_their_columns() -> None:
    mapping = bound({"TRANSACTION_DATE": "Completed On", "AMOUNT": "price", "NOTE": "note"})
    row = mapping.values(("7", "soon", "dear", "fine", ""))
    assert row.values == {"NOTE": "fine"}
    assert row.faults == (
        Fault(
            "map",
            "TRANSACTION_DATE",
            "not-a-date",
            "Column Completed On: 'soon' is not a date written as 2026-01-31 or 2026-01-31T08:30:00, "
            "or there is no such day.",
        ),
        Fault("map", "AMOUNT", "not-a-number", "Column price: 'dear' is not a number."),
    )


def test_one_row_does_not_leak_into_the_next() -> None:
    mapping = bound({"NOTE": "note", "ACTIVE": {"value": True}})
    assert mapping.values(("", "", "", "a", "")).values == {"NOTE": "a", "ACTIVE": True}
    assert mapping.values(("", "", "", "", "")).values == {"ACTIVE": True}


@pytest.mark.parametrize(
    ("word", "value", "expected"),
    [
        ("NOTE", "x", "x"),
        ("NOTE", 5, "5"),
        ("NOTE", "", None),
        ("AMOUNT", None, None),
        ("AMOUNT", 1.5, Decimal("1.5")),
        ("AMOUNT", "2.50", Decimal("2.50")),
        ("QUANTITY", 3, 3),
        ("ACTIVE", False, False),
        ("ACTIVE", "no", False),
        ("TRANSACTION_DATE", "2026-01-31", datetime(2026, 1, 31)),  # noqa: DTZ001
    ],
    ids=repr,
)
def test_a_constant_has_the_type_of_its_property(word: str, value: object, expected: object) -> None:
    assert bound({word: {"value": value}}).values(("",) * 5).values == {word: expected}


def test_every_fault_of_a_map_is_told_at_once() -> None:
    assert refused(
        {
            "NOTES": "note",
            "note": "remark",
            "NOTE": "note",
            "CHANGED_ON": "Completed On",
            "AMOUNT": {"column": "price", "date": "%d/%m/%Y"},
            "QUANTITY": {"column": "price", "case": "upper"},
            "TRANSACTION_DATE": {"column": "completed", "number": "1234.56"},
            "ACTIVITY_TYPE": {"value": "EDU"},
            "ACTIVE": {"column": "note", "number": "1234.56"},
        }
    ) == [
        ("NOTES", "unknown-property"),
        ("note", "unknown-column"),
        ("NOTE", "mapped-twice"),
        ("CHANGED_ON", "read-only"),
        ("AMOUNT", "date"),
        ("QUANTITY", "case"),
        ("TRANSACTION_DATE", "unknown-column"),
        ("TRANSACTION_DATE", "number"),
        ("ACTIVITY_TYPE", "value"),
        ("ACTIVE", "number"),
    ]


def test_unknown_words_have_a_near_match_or_a_list() -> None:
    with pytest.raises(MapRefused) as caught:
        bound({"AMOUMT": "price", "NOTE": "member id"})
    assert [fault.hint for fault in caught.value.faults] == ["did you mean 'AMOUNT'?", "did you mean 'member'?"]
    with pytest.raises(MapRefused) as caught:
        bound({"NOTE": "zzz"})
    assert caught.value.hint == "its columns: member, Completed On, price, note, Note"


def test_a_column_that_could_be_two_must_be_spelled_exactly() -> None:
    assert refused({"NOTE": "NOTE"}) == [("NOTE", "ambiguous-column")]


@pytest.mark.parametrize("value", [True, 1.5], ids=repr)
def test_a_constant_for_text_is_not_guessed_from_a_number_or_boolean(value: object) -> None:
    assert refused({"NOTE": {"value": value}}) == [("NOTE", "value")]


def test_a_read_only_property_may_be_mapped_to_match_on_it() -> None:
    assert bound({"Id": "member"}, matched=["id"]).values(("7", "", "", "", "")).values == {"ID": "7"}
    assert refused({"Id": "member"}) == [("Id", "read-only")]


@pytest.mark.parametrize(
    "rule",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"column": "a", "value": 1}, id="both"),
        pytest.param({"value": 1, "blank": "keep"}, id="blank constant"),
        pytest.param({"column": 5}, id="column that is a number"),
        pytest.param({"column": "a", "blank": "maybe"}, id="unknown word"),
        pytest.param({"column": "a", "lockup": {}}, id="unknown key"),
        pytest.param({"column": "a", "template": "{{ a }}"}, id="column and template"),
        pytest.param({"template": "{% for x in a %}{% endfor %}"}, id="template with a loop"),
        pytest.param({"column": "a", "only_if": "a ="}, id="half a condition"),
        pytest.param({"value": "x", "case": "upper"}, id="constant in capitals"),
        pytest.param({"column": "a", "default": " "}, id="empty default"),
        pytest.param({"column": "a", "default": "x", "blank": "clear"}, id="default and clear"),
        pytest.param({"column": "a", "join": ";"}, id="join alone"),
        pytest.param({"column": "a", "split": ""}, id="empty mark"),
        pytest.param({"column": "a", "append": True, "blank": "clear"}, id="append and clear"),
        pytest.param({"column": "a", "lookup": {}}, id="empty lookup"),
        pytest.param({"column": "a", "lookup": {" ": "x"}}, id="blank key"),
        pytest.param({"column": "a", "lookup": {"K": "x", "k": "y"}, "case": "upper"}, id="key with two meanings"),
        pytest.param({"column": "a", "lookup": {"file": "a.csv", "key": "k"}}, id="half a lookup file"),
        pytest.param({"column": "a", "boolean": {"true": ["Ja"], "false": ["ja "]}}, id="word with two meanings"),
        pytest.param({"column": "a", "boolean": {}}, id="no words"),
    ],
)
def test_a_rule_that_says_too_much_or_too_little_is_refused(rule: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Rule).validate_python(rule)
