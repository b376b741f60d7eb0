"""Fixed width: every cell stands in its place, or nothing is written."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.delivery.cargo import ListRows
from tests.files.reading import read
from tests.files.writers.memory import peak_mb
from tests.files.writers.writing import kept, made, problem, refusal, rows

COLUMNS = "columns: [{name: ID, width: 4, align: right, pad: '0'}, {name: Name, from: 6, to: 10, overflow: cut}]"
ONE = "{columns: [{name: ID, width: 5}]}"


def test_cells_stand_in_their_places_and_gaps_are_blank() -> None:
    table = rows(["Name", "Note", "ID"], ("Zoë", "left out", -7), ("Bartholomew", None, "x1"), (None, None, True))
    told = made("fixed", table, f"{{{COLUMNS}, header: true, line_end: lf}}").decode()
    assert told == "00ID Name \n-007 Zoë  \n00x1 Barth\ntrue      \n"


def test_values_are_written_as_the_job_says() -> None:
    table = rows(["ID"], (Decimal("1.5"),), (True,), (None,))
    text = "{columns: [{name: ID, width: 4, align: right}], decimal: ',', booleans: [Y, N], nulls: '-'}"
    assert made("fixed", table, text) == b" 1,5\r\n   Y\r\n   -\r\n"


def test_what_does_not_fit_is_refused_with_its_row() -> None:
    assert refusal("fixed", rows(["ID"], ("1",), ("123456",)), ONE) == (
        "Row 2, column ID: '123456' has 6 characters; its place has 5. | Make the column wider, or say "
        "`overflow: cut` for it."
    )
    assert refusal("fixed", rows(["ID"], ("a\nb",)), ONE).startswith(
        "Row 1, column ID: 'a\\nb' has a line break, which would end the line. | Say `line_breaks: space`"
    )
    assert made("fixed", rows(["ID"], ("a\r\nb",)), ONE[:-1] + ", line_breaks: space}") == b"a b  \r\n"


def test_a_column_that_is_not_there_is_refused_with_the_nearest() -> None:
    assert refusal("fixed", rows(["Id"]), ONE) == (
        "The rows have no column 'ID', which `format: {fixed: ...}` wants. | Did you mean 'Id'?"
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{}", "the key 'columns' is missing | needed here: columns"),
        ("{columns: [{name: ID, from: 1}]}", "a column without an end cannot be written | say its `width:`, or `to:`"),
        ("{columns: [{name: ID, width: 3}, {name: ID, width: 3}]}",
         "two columns are named 'ID' | give each a name of its own"),
        ("{columns: [{name: ID, width: 3, pad: xx}]}", "only one character may be written here | "),
        ("{columns: []}", "no column is named | write {name: ID, width: 8} for each"),
        ("{columns: [{name: ID, width: 100001}]}", "a line is longer than 100,000 characters | "),
    ],
)  # fmt: skip
def test_options_that_cannot_be_are_told(text: str, told: str) -> None:
    assert problem("fixed", text) == told


_WORDS = st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=5)


@given(st.lists(st.tuples(_WORDS, _WORDS), max_size=5))
def test_our_reader_reads_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, cells: list[tuple[str, str]]
) -> None:
    text = "columns: [{name: ID, width: 5}, {name: Name, from: 8, to: 13}]"
    path = kept(
        tmp_path_factory.getbasetemp(), "own.fwf", made("fixed", ListRows(("ID", "Name"), cells), f"{{{text}}}")
    )
    places = [{"name": "ID", "width": 5}, {"name": "Name", "from": 8, "to": 13}]
    assert read(path, columns=places, encoding="utf-8").cells == cells


def test_a_file_of_any_length_takes_little_memory() -> None:
    text = "{columns: [{name: ID, width: 7}, {name: Name, width: 20}]}"
    assert peak_mb("fixed", 8_000, text) - peak_mb("fixed", 1_000, text) < 2
