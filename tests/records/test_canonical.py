"""Values are kept and compared as texts, which are equal only where the site holds the values to be the same."""

from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idms_cli.imis.properties import Value
from idms_cli.imis.values import same, typed
from idms_cli.records.canonical import canonical, fold, pack, texts_of, unpack

VALUES: dict[str, st.SearchStrategy[Value]] = {
    "String": st.text() | st.sampled_from(["true", "0", "1.50", "2026-01-02", "2026-01-02T00:00:00", "-0", ""]),
    "Integer": st.integers(),
    "Decimal": st.decimals(allow_nan=False, allow_infinity=False) | st.sampled_from([Decimal("-0"), Decimal("1E+2")]),
    "Boolean": st.booleans(),
    "Date": st.datetimes() | st.dates(),
}
ANY = st.none() | st.one_of(*VALUES.values())


@given(ANY, ANY)
def test_equal_texts_are_of_values_that_are_the_same(one: Value, other: Value) -> None:
    if canonical(one) == canonical(other):
        assert same(one, other)


@pytest.mark.parametrize("kind", VALUES)
def test_a_text_can_be_read_back(kind: str) -> None:
    @given(VALUES[kind])
    def check(value: Value) -> None:
        assert same(value, typed(canonical(value), kind))

    check()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("Ann ", "Ann "),
        (None, ""),
        (True, "true"),
        (7, "7"),
        (Decimal("1.50"), "1.5"),
        (Decimal("1E+2"), "100"),
        (Decimal("-0.0"), "0"),
        (Decimal("0." + "1" * 38), "0." + "1" * 38),
        (date(2026, 1, 2), "2026-01-02T00:00:00"),
        (datetime.fromisoformat("2026-01-02T10:00:00"), "2026-01-02T10:00:00"),
    ],
)
def test_the_text_of_a_value(value: Value, text: str) -> None:
    assert canonical(value) == text


@given(st.lists(st.text(st.characters(exclude_categories=())) | st.none()))
def test_texts_are_packed_and_unpacked_whatever_is_in_them(texts: list[str | None]) -> None:
    assert unpack(pack(texts)) == texts
    assert pack(texts).encode()  # goes into a database


def test_what_is_not_said_is_told_apart_from_what_is_cleared() -> None:
    assert texts_of({"Name": None, "ID": "1"}, ("ID", "Name", "Note")) == ("1", "", None)


@pytest.mark.parametrize(("one", "other"), [(["abc"], [" ABC "]), (["straße", "x" * 99], ["STRASSE", "X" * 99])])
def test_keys_that_the_site_takes_for_the_same_are_folded_to_one(one: list[str], other: list[str]) -> None:
    assert fold(one) == fold(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (["1", "2"], ["2", "1"]),
        (["1"], ["1", ""]),
        (["a', 'b"], ["a", "b"]),
        (["x" * 99], ["x" * 98]),
        (["\ud800"], ["\ud801"]),
    ],
    ids=["order", "more", "quotes", "long", "half characters"],
)
def test_other_keys_are_folded_to_others(one: list[str], other: list[str]) -> None:
    assert fold(one) != fold(other)
