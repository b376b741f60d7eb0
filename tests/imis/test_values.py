"""Values on the wire."""

from datetime import date, datetime
from decimal import Decimal

import pytest

from idms_cli.imis.properties import Value
from idms_cli.imis.values import filter_text, plain_name, same, typed, unwrap, wrap

BINARY = {"$type": "System.Byte[], mscorlib", "$value": "AAEC"}


@pytest.mark.parametrize(
    ("wire", "value"),
    [
        pytest.param("text", "text", id="text"),
        pytest.param(5, 5, id="plain-number"),
        pytest.param({"$type": "System.Int32", "$value": 5}, 5, id="wrapped-integer"),
        pytest.param({"$type": "System.Boolean", "$value": True}, True, id="wrapped-boolean"),
        pytest.param({"$type": "System.Decimal", "$value": 1.1}, Decimal("1.1"), id="wrapped-decimal"),
        pytest.param({"$type": "System.Decimal", "$value": 2}, Decimal("2"), id="wrapped-whole-decimal"),
        pytest.param({"$type": "System.DateTime", "$value": "2021-11-25T00:00:00"}, "2021-11-25T00:00:00", id="date"),
        pytest.param(0.1, Decimal("0.1"), id="plain-fraction"),
        pytest.param(None, None, id="null"),
        pytest.param(BINARY, BINARY, id="binary-stays-wrapped"),
    ],
)
def test_a_value_is_read_wrapped_or_plain(wire, value):
    assert unwrap(wire) == value
    assert type(unwrap(wire)) is type(value)


@pytest.mark.parametrize(
    ("wire", "kind", "value"),
    [
        pytest.param("7", "Integer", 7, id="integer-as-text"),
        pytest.param(7.0, "Integer", 7, id="integer-with-point"),
        pytest.param("12.50", "Monetary", Decimal("12.50"), id="money-as-text"),
        pytest.param(12, "Decimal", Decimal(12), id="decimal-without-point"),
        pytest.param("true", "Boolean", True, id="boolean-as-text"),
        pytest.param(0, "Boolean", False, id="boolean-as-number"),
        pytest.param("2021-11-25T13:45:00", "Date", datetime.fromisoformat("2021-11-25T13:45"), id="date-time"),
        pytest.param("2021-11-25", "Date", datetime.fromisoformat("2021-11-25"), id="date"),
        pytest.param(
            "2021-11-25T13:45:00.1234567", "Date", datetime.fromisoformat("2021-11-25T13:45:00.123456"), id="7-digits"
        ),
        pytest.param(
            "2021-11-25T13:45:00+10:00", "Date", datetime.fromisoformat("2021-11-25T13:45"), id="offset-is-dropped"
        ),
        pytest.param("soon", "Date", "soon", id="no-date-stays-text"),
        pytest.param("many", "Integer", "many", id="no-number-stays-text"),
        pytest.param("NaN", "Decimal", "NaN", id="not-a-number-stays-text"),
        pytest.param("", "Date", None, id="empty-date"),
        pytest.param("", "Integer", None, id="empty-number"),
        pytest.param("", "String", "", id="empty-text"),
        pytest.param(12345, "String", "12345", id="number-where-text-belongs"),
        pytest.param(None, "String", None, id="null"),
    ],
)
def test_a_value_is_read_as_the_type_of_its_property(wire, kind, value):
    assert typed(wire, kind) == value
    assert type(typed(wire, kind)) is type(value)


@pytest.mark.parametrize(
    ("value", "kind", "wire"),
    [
        pytest.param("A", "String", "A", id="text"),
        pytest.param(3, "Integer", {"$type": "System.Int32", "$value": 3}, id="integer"),
        pytest.param(2**31, "Integer", {"$type": "System.Int64", "$value": 2147483648}, id="large-integer"),
        pytest.param(True, "Boolean", {"$type": "System.Boolean", "$value": True}, id="boolean"),
        pytest.param(Decimal("1.50"), "Decimal", {"$type": "System.Decimal", "$value": 1.5}, id="decimal"),
        pytest.param(2, "Monetary", {"$type": "System.Decimal", "$value": 2}, id="whole-money"),
        pytest.param(
            Decimal("12345678901234567.89"),
            "Decimal",
            {"$type": "System.Decimal", "$value": "12345678901234567.89"},
            id="decimal-that-a-float-would-round",
        ),
        pytest.param(date(2021, 11, 25), "Date", "2021-11-25T00:00:00", id="date"),
        pytest.param(datetime.fromisoformat("2021-11-25T13:45"), "Date", "2021-11-25T13:45:00", id="date-time"),
        pytest.param(12, "String", "12", id="number-for-a-text"),
        pytest.param(None, "String", "", id="a-text-is-cleared-with-empty-text"),
        pytest.param(None, "Date", None, id="anything-else-with-null"),
    ],
)
def test_a_value_is_sent_as_the_type_of_its_property(value, kind, wire):
    assert wrap(value, kind) == wire


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        pytest.param("", None, id="empty-and-null"),
        pytest.param(None, "", id="null-and-empty"),
        pytest.param(date(2021, 11, 25), datetime.fromisoformat("2021-11-25"), id="date-and-midnight"),
        pytest.param(date(2021, 11, 25), "2021-11-25T00:00:00", id="date-and-text"),
        pytest.param(1, Decimal("1.000"), id="1-and-1.000"),
        pytest.param("12345", 12345, id="number-and-its-text"),
        pytest.param(True, "true", id="boolean-and-its-text"),
    ],
)
def test_values_that_mean_the_same_are_the_same(wanted, found):
    assert same(wanted, found)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        pytest.param("ada", "Ada", id="case"),
        pytest.param("Ada ", "Ada", id="blank"),
        pytest.param(0, None, id="zero-and-null"),
        pytest.param(False, None, id="false-and-null"),
        pytest.param(date(2021, 11, 25), datetime.fromisoformat("2021-11-25T01:00"), id="another-time-of-day"),
        pytest.param("1", "1.0", id="texts-are-not-numbers"),
    ],
)
def test_values_that_differ_are_not_the_same(wanted, found):
    assert not same(wanted, found)


def test_e_mail_addresses_are_compared_without_regard_to_case_and_blanks():
    assert same(" Ada@Example.org", "ada@example.org", loose=True)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param(Decimal("1E+3"), "1000", id="decimal-without-exponent"),
        pytest.param(True, "true", id="boolean"),
        pytest.param(date(2024, 1, 31), "2024-01-31T00:00:00", id="date"),
    ],
)
def test_a_filter_writes_values_as_the_site_reads_them(value, text):
    assert filter_text(value) == text


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        pytest.param("3f2504e0-4f89-11d3-9a0c-0305e82c3301.Grade", "Grade", id="guid"),
        pytest.param("Grade", "Grade", id="no-guid"),
        pytest.param("3f2504e0-4f89-11d3-9a0c-0305e82c3301", "3f2504e0-4f89-11d3-9a0c-0305e82c3301", id="guid-alone"),
    ],
)
def test_the_guid_that_older_sites_put_before_a_name_is_dropped(name, plain):
    assert plain_name(name) == plain


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        pytest.param(None, "", True, id="no text is empty text"),
        pytest.param("a", "A", False, id="case"),
        pytest.param("a ", "a", False, id="space"),
        pytest.param(Decimal("1.50"), Decimal("1.5"), True, id="zeros"),
        pytest.param(Decimal(2), 2, True, id="whole decimal"),
        pytest.param(date(2026, 1, 31), datetime(2026, 1, 31), True, id="midnight"),  # noqa: DTZ001
        pytest.param(date(2026, 1, 31), datetime(2026, 1, 31, 1), False, id="hour"),  # noqa: DTZ001
        pytest.param(False, None, False, id="false is not nothing"),
        pytest.param(0, None, False, id="zero is not nothing"),
        pytest.param(None, None, True, id="nothing twice"),
    ],
)
def test_values_are_the_same_when_writing_would_change_nothing(one: Value, other: Value, expected: bool) -> None:
    assert same(one, other) is expected
    assert same(other, one) is expected
