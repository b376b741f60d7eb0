"""Cells become typed values in the documented forms only, and everything else is a fault, never an exception."""

from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idms_cli.imis.properties import TYPES, Property, Value
from idms_cli.records.conversions import converter, show
from idms_cli.records.dates import NotAFormat, date_reader
from idms_cli.records.faults import Fault
from idms_cli.records.numbers import SAMPLES, NotASample, number_reader


def of(kind: str, **described: object) -> Property:
    return Property("P", kind, **described)  # type: ignore[arg-type]  # a table of cases


def code(result: Value | Fault) -> str:
    assert isinstance(result, Fault), result
    assert (result.stage, result.field) == ("map", "P")
    return result.code


MONEY = of("Monetary")
PRICE = of("Decimal", precision=6, scale=2)


@pytest.mark.parametrize(
    ("target", "text", "value"),
    [
        pytest.param(of("String"), " as it is ", " as it is ", id="text keeps its space"),
        pytest.param(of("String", max_length=4), "Zoë\U0001f600", "Zoë\U0001f600", id="length counts characters"),
        pytest.param(of("String", choices=("REG", "STU")), " REG ", "REG", id="code"),
        pytest.param(of("Integer"), " -12 ", -12, id="whole number"),
        pytest.param(of("Integer"), "12.00", 12, id="whole number with zeros behind the point"),
        pytest.param(of("Integer"), "9223372036854775807", 9223372036854775807, id="largest whole number"),
        pytest.param(of("Integer", choices=("1", "2")), "+2", 2, id="numeric code"),
        pytest.param(of("Decimal"), "+.50", Decimal("0.50"), id="decimal"),
        pytest.param(PRICE, "9999.990", Decimal("9999.990"), id="zeros beyond the scale"),
        pytest.param(MONEY, "1234.5678", Decimal("1234.5678"), id="money has four places"),
        pytest.param(of("Date"), " 2026-01-31 ", datetime(2026, 1, 31), id="ISO date"),  # noqa: DTZ001
        pytest.param(of("Date"), "2026-01-31T08:30", datetime(2026, 1, 31, 8, 30), id="ISO with T"),  # noqa: DTZ001
        pytest.param(of("Date"), "2026-01-31 08:30:15", datetime(2026, 1, 31, 8, 30, 15), id="space"),  # noqa: DTZ001
    ],
)
def test_a_cell_in_the_documented_form_becomes_a_value(target: Property, text: str, value: Value) -> None:
    result = converter(target)(text)
    assert result == value
    assert type(result) is type(value)


@pytest.mark.parametrize("word", ["1", "T", "true", "TRUE", "y", "Yes", " yes "])
def test_true_has_the_documented_words(word: str) -> None:
    assert converter(of("Boolean"))(word) is True


@pytest.mark.parametrize("word", ["0", "F", "false", "False", "n", "NO"])
def test_false_has_the_documented_words(word: str) -> None:
    assert converter(of("Boolean"))(word) is False


def test_more_words_for_true_and_false_go_before_the_usual_ones() -> None:
    convert = converter(of("Boolean"), words={"ja": True, "nein": False, "0": True})
    assert [convert(word) for word in ("JA", " Nein ", "0", "yes", "f")] == [True, False, True, True, False]
    fault = convert("oui")
    assert isinstance(fault, Fault)
    assert fault.message == ("'oui' is neither true (ja, 0, 1, T, True, Y, Yes) nor false (nein, 0, F, False, N, No).")


@pytest.mark.parametrize(
    ("target", "text", "expected"),
    [
        pytest.param(of("String", max_length=3), "four", "too-long", id="text"),
        pytest.param(of("String", choices=("REG",)), "reg", "not-a-choice", id="code in the wrong case"),
        pytest.param(of("Integer", choices=("1",)), "3", "not-a-choice", id="numeric code"),
        pytest.param(of("Integer"), "1.5", "not-an-integer", id="fraction"),
        pytest.param(of("Integer"), "1,000", "not-an-integer", id="thousands without a format"),
        pytest.param(of("Integer"), "1e5", "not-an-integer", id="exponent"),
        pytest.param(of("Integer"), "\u0661\u0662", "not-an-integer", id="digits of another script"),
        pytest.param(of("Integer"), "9223372036854775808", "out-of-range", id="beyond 64 bits"),
        pytest.param(of("Integer"), "9" * 5000, "out-of-range", id="beyond what int() takes"),
        pytest.param(of("Decimal"), "NaN", "not-a-number", id="NaN"),
        pytest.param(of("Decimal"), "Infinity", "not-a-number", id="infinity"),
        pytest.param(of("Decimal"), "1_000", "not-a-number", id="underscore"),
        pytest.param(of("Decimal"), ".", "not-a-number", id="only a point"),
        pytest.param(PRICE, "1.005", "too-precise", id="beyond the scale"),
        pytest.param(PRICE, "10000", "out-of-range", id="beyond the precision"),
        pytest.param(MONEY, "0.00001", "too-precise", id="money beyond four places"),
        pytest.param(of("Decimal"), "1" * 39, "out-of-range", id="more digits than the site has"),
        pytest.param(of("Boolean"), "on", "not-a-boolean", id="another word"),
        pytest.param(of("Date"), "2026-02-30", "not-a-date", id="impossible day"),
        pytest.param(of("Date"), "20260131", "not-a-date", id="digits only"),
        pytest.param(of("Date"), "2026-01-31T08:30:00Z", "not-a-date", id="zone"),
        pytest.param(of("Date"), "0026-01-31", "out-of-range", id="year with two digits"),
        pytest.param(of("Binary"), "x", "no-text", id="binary"),
    ],
)
def test_a_cell_in_another_form_is_a_fault(target: Property, text: str, expected: str) -> None:
    assert code(converter(target)(text)) == expected


def test_a_fault_shows_the_value_short_and_harmless_and_a_near_code() -> None:
    fault = converter(of("String", choices=("EDUC", "MEET")))("educ\x1b[2J")
    assert isinstance(fault, Fault)
    assert fault.message == "'educ\\x1b[2J' is not among the codes of P. Did you mean 'EDUC'?"


@pytest.mark.parametrize(
    ("sample", "text", "number"),
    [
        ("1.234,56", "1.234.567,8", "1234567.8"),
        ("1.234,56", "-1234,56", "-1234.56"),
        ("1,234.56", "1,234", "1234"),
        ("1 234,56", "1\u202f234\u00a0567,5", "1234567.5"),
        ("1234,56", "0,5", "0.5"),
        ("1'234.56", "1\u2019234.5", "1234.5"),
    ],
)
def test_numbers_are_read_as_the_sample_is_written(sample: str, text: str, number: str) -> None:
    assert converter(of("Decimal"), number=sample)(text) == Decimal(number)


@pytest.mark.parametrize(
    ("sample", "text"),
    [("1.234,56", "1.23"), ("1.234,56", "12.34,5"), ("1,234.56", "1,23,456"), ("1234,56", "1.234"), ("1234.56", "1,5")],
)
def test_wrong_groups_are_no_number(sample: str, text: str) -> None:
    assert code(converter(of("Decimal"), number=sample)(text)) == "not-a-number"


@pytest.mark.parametrize("sample", ["", "1,234", "12,34", "1.234.56", "1,234,56", "0.00", "%d"])
def test_a_sample_must_be_the_number_1234_56(sample: str) -> None:
    with pytest.raises(NotASample):
        number_reader(sample)


def test_a_date_format_is_in_the_words_of_strptime() -> None:
    read = date_reader("%d/%m/%y")
    assert read("3/2/26") == datetime(2026, 2, 3)  # noqa: DTZ001
    assert read("3/2/69") == datetime(1969, 2, 3)  # noqa: DTZ001
    assert read("31/02/26") is None
    assert read("2026-02-03") is None


@pytest.mark.parametrize(
    "date_format", ["", "%d/%m", "%m/%Y", "%Y-%m-%d %z", "%Q %Y", "%d/%d/%Y", "%Y %", "%%Y-%m-%d", "d/m/Y"]
)
def test_a_date_format_must_tell_a_whole_date_without_zone(date_format: str) -> None:
    with pytest.raises(NotAFormat):
        date_reader(date_format)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "true"),
        (12, "12"),
        (Decimal("1E+3"), "1000"),
        (datetime(2026, 1, 31), "2026-01-31"),  # noqa: DTZ001
        (datetime(2026, 1, 31, 8, 30), "2026-01-31T08:30:00"),  # noqa: DTZ001
        (date(2026, 1, 31), "2026-01-31"),
        ("x", "x"),
    ],
    ids=str,
)
def test_values_are_shown_plainly(value: Value, text: str) -> None:
    assert show(value) == text


ANY_TEXT = st.one_of(st.text(max_size=30), st.text("0123456789.,-+ eE'/:TZ\u00a0", max_size=30))


@given(kind=st.sampled_from(TYPES), text=ANY_TEXT, sample=st.sampled_from(SAMPLES))
def test_no_text_makes_a_conversion_raise(kind: str, text: str, sample: str) -> None:
    target = of(kind, max_length=5, precision=8, scale=2)
    date_format = "%d.%m.%Y" if kind == "Date" else None
    for convert in (converter(target), converter(target, number=sample, date_format=date_format)):
        assert isinstance(convert(text), Fault | str | int | bool | Decimal | datetime)


@given(number=st.decimals(allow_nan=False, allow_infinity=False, places=2, max_value=10**12, min_value=-(10**12)))
def test_shown_decimals_are_read_back_equal(number: Decimal) -> None:
    assert converter(of("Decimal"))(show(number)) == number


@given(moment=st.datetimes(min_value=datetime(1753, 1, 1)))  # noqa: DTZ001
def test_shown_dates_are_read_back_equal(moment: datetime) -> None:
    assert converter(of("Date"))(show(moment)) == moment
