"""Whatever stands in a cell, each modifier of a map does what README says of it, and nothing else."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from idms_cli.imis.properties import Property
from idms_cli.records.mapping import MappedRow, Rule, bind

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
BLANK = st.text(" \t\n\u00a0\u2003", max_size=4)
WORD = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"], exclude_characters="|;,"), min_size=1)


def mapped(kind: str, cell: str, **rule: Any) -> MappedRow:
    """What one rule makes of one cell."""
    target = Property("P", kind)
    return bind({"P": Rule(**{"column": "v", **rule})}, ("v",), {"P": target}).values((cell,))


def value(kind: str, cell: str, **rule: Any) -> object:
    row = mapped(kind, cell, **rule)
    assert (row.kept, row.faults) == ((), ())
    return row.values["P"]


@given(cell=TEXT.filter(str.strip))
def test_text_is_taken_as_it_is_but_for_the_space_around_it(cell: str) -> None:
    assert value("String", cell) == cell.strip()
    assert value("String", cell, strip=False) == cell
    assert value("String", cell, case="upper") == cell.strip().upper()


@given(cell=BLANK, kind=st.sampled_from(["String", "Integer", "Boolean", "Date", "Decimal"]))
def test_a_blank_cell_keeps_clears_or_takes_the_default_of_every_type(cell: str, kind: str) -> None:
    default = {"String": "x", "Integer": 7, "Boolean": True, "Date": "2026-01-31", "Decimal": 1.5}[kind]
    assert mapped(kind, cell) == MappedRow({}, ("P",), ())
    assert mapped(kind, cell, blank="clear") == MappedRow({"P": None}, (), ())
    assert value(kind, cell, default=default) == value(kind, str(default))


@given(cell=TEXT, table=st.dictionaries(WORD, WORD, min_size=1, max_size=4))
def test_a_lookup_has_a_text_or_the_row_is_rejected_or_gets_the_default(cell: str, table: dict[str, str]) -> None:
    key = cell.strip()
    if "file" in table or not key:
        return
    row = mapped("String", cell, lookup=table)
    if key in table:
        assert row.values == {"P": table[key]}
    else:
        assert [fault.code for fault in row.faults] == ["not-in-lookup"]
        assert value("String", cell, lookup=table, default="other") == "other"


@given(items=st.lists(WORD | BLANK, max_size=6), join=st.sampled_from([",", ";", " | "]))
def test_several_values_are_cut_and_joined_without_blank_and_double_ones(items: list[str], join: str) -> None:
    wanted = list(dict.fromkeys(item.strip() for item in items if item.strip()))
    row = mapped("String", "|".join(items), split="|", join=join)
    assert row.faults == ()
    assert row.values == ({"P": join.join(wanted)} if wanted else {})


@given(
    word=st.sampled_from(["1", "t", "TRUE", "Yes", "y", "0", "f", "False", "NO", "n", "Ja", "nein", "+", "-"]),
    space=BLANK,
    upper=st.booleans(),
)
def test_words_for_true_and_false_are_known_in_any_case(word: str, space: str, *, upper: bool) -> None:
    written = space + (word.upper() if upper else word.lower()) + space
    is_true = word.lower() in ("1", "t", "true", "yes", "y", "ja", "+")
    assert value("Boolean", written, boolean={"true": ["Ja", "+"], "false": ["Nein", "-"]}) is is_true


@given(cell=TEXT)
def test_a_condition_decides_whether_the_property_is_touched_at_all(cell: str) -> None:
    assert mapped("String", cell, only_if="v != v") == MappedRow({}, ("P",), ())
    assert mapped("String", cell, only_if="v == v") == mapped("String", cell)


@given(cell=TEXT)
def test_a_constant_does_not_look_at_the_row(cell: str) -> None:
    assert value("String", cell, column=None, value="EDUC") == "EDUC"


@given(cell=TEXT.filter(str.strip))
def test_a_template_puts_the_cell_in_as_it_is(cell: str) -> None:
    assert value("String", cell, column=None, template="<{{ v }}>") == f"<{cell.strip()}>"
