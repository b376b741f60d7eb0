"""Numbers and dates of a workbook or JSON are taken as they are; the job's way of writing is for text."""

from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idms_cli.files import Plain
from idms_cli.records.dates import date_reader
from idms_cli.records.faults import Fault
from idms_cli.records.forms import Mended, Unclear, stripped
from idms_cli.records.numbers import SAMPLES, number_reader
from tests.records.maps import bound

GERMAN = {"column": "price", "number": "1.234,56"}


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        pytest.param("1.234", Decimal(1234), id="text in the job's way of writing"),
        pytest.param(Plain("1.234"), Decimal("1.234"), id="a number of the file"),
        pytest.param(Mended("1.234,00"), Decimal(1234), id="mended, and clearly the job's way"),
        pytest.param(Mended(" 1.5"), Decimal("1.5"), id="mended, and clearly a plain number"),
        pytest.param(Mended("12"), Decimal(12), id="mended, and the same either way"),
    ],
)
def test_a_number_is_read_by_what_its_cell_was(cell: str, value: Decimal) -> None:
    assert bound({"AMOUNT": GERMAN}).values(("", "", cell, "", "")).values == {"AMOUNT": value}


def test_what_was_read_of_one_cell_is_never_taken_for_another_that_looks_the_same() -> None:
    mapping = bound({"AMOUNT": GERMAN})
    rows = [mapping.values(("", "", cell, "", "")) for cell in ("1.234", Plain("1.234"), Mended("1.234"), "1.234")]
    assert [row.values.get("AMOUNT") for row in rows] == [Decimal(1234), Decimal("1.234"), None, Decimal(1234)]
    rows = [mapping.values(("", "", cell, "", "")) for cell in (Mended("2.345"), Plain("2.345"), "2.345")]
    assert [row.values.get("AMOUNT") for row in rows] == [None, Decimal("2.345"), Decimal(2345)]


@pytest.mark.parametrize("rule", [GERMAN, {"template": "{{ price|number('1.234,56') }}"}], ids=["rule", "template"])
def test_a_mended_number_that_says_two_things_is_a_fault(rule: dict[str, str]) -> None:
    (fault,) = bound({"AMOUNT": rule}).values(("", "", Mended("1.234"), "", "")).faults
    assert "'1.234' could be 1234 as well as 1.234" in fault.message


def test_a_template_takes_a_number_of_the_file_as_it_is() -> None:
    mapping = bound({"AMOUNT": {"template": "{{ price|number('1.234,56') * 2 }}"}, "NOTE": "price"})
    values = mapping.values(("", "", Plain("1.234"), "", "")).values
    assert values == {"AMOUNT": Decimal("2.468"), "NOTE": "1.234"}
    assert type(values["NOTE"]) is str


def test_a_date_of_the_file_is_one_whatever_the_format() -> None:
    mapping = bound({"TRANSACTION_DATE": {"column": "note", "date": "%d/%m/%Y"}})
    for cell in (Plain("2026-02-01"), "01/02/2026", Mended("2026-02-01"), Mended("01/02/2026")):
        assert mapping.values(("", "", "", cell, "")).values == {"TRANSACTION_DATE": datetime(2026, 2, 1)}  # noqa: DTZ001
    (fault,) = mapping.values(("", "", "", "2026-02-01", "")).faults
    assert isinstance(fault, Fault)
    assert fault.code == "not-a-date"


@pytest.mark.parametrize("form", [None, "%d/%m/%Y"])
@pytest.mark.parametrize("more", ["", ".5", ".1234567", "Z", "+02:00", ".1234567-05:00"])
def test_a_moment_of_the_site_may_have_digits_and_an_offset_that_text_may_not(more: str, form: str | None) -> None:
    read, moment = date_reader(form), f"2026-02-01T08:30:00{more}"
    fraction = {".5": 500_000, ".1234567": 123_456, ".1234567-05:00": 123_456}.get(more, 0)
    for kind in (Plain, Mended):
        assert read(kind(moment)) == datetime(2026, 2, 1, 8, 30, 0, fraction)  # noqa: DTZ001
    if form or len(more) > 2 or more == "Z":
        assert read(moment) is None


def test_space_falls_away_and_the_cell_stays_what_it_was() -> None:
    assert [type(stripped(kind(" 1 "))) for kind in (str, Plain, Mended)] == [str, Plain, Mended]
    assert stripped(Mended(" 1 ")) == "1"


def tried(read: Callable[[str], object], text: str) -> object:
    try:
        return read(text)
    except Unclear:
        return "unclear"


@given(number=st.decimals(-(10**12), 10**12, places=3), sample=st.sampled_from(SAMPLES))
def test_a_number_written_in_any_way_is_that_number_or_asked_about(number: Decimal, sample: str) -> None:
    read, plain = number_reader(sample), format(number, "f")
    marks = {",": sample[1] if len(sample) == 8 else "", ".": sample[-3]}
    written = "".join(marks.get(character, character) for character in format(number, ",f"))
    assert read(Plain(plain)) == read(written) == number
    assert tried(read, Mended(plain)) in (number, "unclear")
    assert tried(read, Mended(written)) in (number, "unclear")


@given(
    day=st.dates(date(1753, 1, 1), date(9999, 12, 31)).map(lambda day: datetime.combine(day, time.min)),
    form=st.sampled_from(["%d/%m/%Y", "%m/%d/%Y", "%Y%m%d", "%d.%m.%Y", "%B %d, %Y", "%Y-%d-%m"]),
)
def test_a_day_written_in_any_way_is_that_day_or_asked_about(day: datetime, form: str) -> None:
    read, written, iso = date_reader(form), day.strftime(form), day.date().isoformat()
    assert read(written) == read(Plain(iso)) == day
    assert tried(read, Mended(iso)) in (day, "unclear" if form == "%Y-%d-%m" else day)
