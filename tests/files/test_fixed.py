"""Fixed width: every character of a line is in a column or told, and positions count characters, not bytes."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from idms_cli.files import BrokenRow, Row
from idms_cli.files.options import FileOptions
from tests.files.reading import read, refusal, written

MEMBERS = [{"name": "ID", "width": 4}, {"name": "Name", "width": 6}, {"name": "Dues", "width": 7}]


def test_columns_follow_each_other_and_padding_falls_away(tmp_path: Path) -> None:
    path = written(tmp_path, "m.fwf", "101 Ann    19.99\n\n7   J. Doe-1.50 \n")
    found = read(path, columns=[*MEMBERS[:2], {"name": "Dues", "width": 6}])
    assert found.columns == ("ID", "Name", "Dues")
    assert found.rows == [Row(1, ("101", "Ann", "19.99")), Row(3, ("7", "J. Doe", "-1.50"))]
    assert found.notes == ("1 blank line passed over.",)


def test_columns_may_stand_anywhere_and_the_last_may_be_open(tmp_path: Path) -> None:
    columns = [{"name": "Zip", "from": 9, "to": 13}, {"name": "ID", "from": 1, "to": 4}, {"name": "Note", "from": 14}]
    path = written(tmp_path, "m.fwf", "101 ....02134 as long as it likes \n102 ....02135\n")
    assert read(path, columns=columns).cells == [("02134", "101", "as long as it likes"), ("02135", "102", "")]


def test_positions_count_characters(tmp_path: Path) -> None:
    columns = [{"name": "Name", "width": 4}, {"name": "ID", "width": 3}]
    assert read(written(tmp_path, "u.fwf", "Zoë 101\n"), columns=columns).cells == [("Zoë", "101")]
    found = read(written(tmp_path, "w.fwf", "Zoë 101\n".encode("cp1252")), columns=columns)
    assert found.cells == [("Zoë", "101")]
    assert found.notes[0].startswith("Not UTF-8, so read as cp1252: 1 line")


def test_lines_at_the_top_can_be_passed_over(tmp_path: Path) -> None:
    path = written(tmp_path, "m.fwf", "HEADER 2026\n101\n")
    assert read(path, columns=[{"name": "ID", "width": 3}], skip_lines=1).rows == [Row(2, ("101",))]


def test_a_line_that_does_not_fit_is_broken_and_kept_whole(tmp_path: Path) -> None:
    path = written(tmp_path, "m.fwf", "101 Ann\n102 Bob   9.99   x\n103 Eve   1.00   \n104 N\0     2.00   \n")
    found = read(path, columns=MEMBERS)
    assert found.broken == [
        (
            1,
            "width",
            "The line has 7 characters, but its columns go on to 17; `short_lines: fill` takes what is missing for "
            "blanks.",
        ),
        (2, "width", "The columns end at character 17, but the line goes on with text."),
        (4, "nul", "The line has a NUL character, which no text may contain."),
    ]
    first, second = (row for row in found.rows if isinstance(row, BrokenRow) and row.code == "width")
    assert (first.cells, first.raw) == (("101", "Ann", ""), "101 Ann")
    assert (second.cells, second.raw) == (("102", "Bob", "9.99"), "102 Bob   9.99   x")
    assert found.rows[2] == Row(3, ("103", "Eve", "1.00"))


def test_short_lines_are_filled_up_when_the_job_says_so(tmp_path: Path) -> None:
    path = written(tmp_path, "m.fwf", "101 Ann\n")
    assert read(path, columns=MEMBERS, short_lines="fill").cells == [("101", "Ann", "")]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        pytest.param([{"name": "a"}], "a column has a width, or the place", id="no place"),
        pytest.param([{"name": "a", "width": 1, "from": 1}], "a column has a width, or the place", id="two places"),
        pytest.param([{"name": "a", "width": 2, "to": 3}], "a column has a width, or the place", id="only an end"),
        pytest.param([{"name": "a", "from": 3, "to": 2}], "the column ends (2) before it begins (3)", id="backwards"),
        pytest.param([{"name": "a", "width": 0}], "greater than or equal to 1", id="no width"),
        pytest.param(
            [{"name": "a", "from": 1, "to": 3}, {"name": "b", "from": 3, "to": 4}], "'a' and 'b' overlap", id="overlap"
        ),
        pytest.param([{"name": "a", "width": 1}, {"name": "a", "width": 1}], "two columns are named 'a'", id="twice"),
        pytest.param([{"name": "a", "from": 1}, {"name": "b", "width": 2}], "'a' goes on to the end", id="open early"),
        pytest.param([{"name": "a", "from": 1}, {"name": "b", "from": 9}], "'a' and 'b' overlap", id="open, then one"),
        pytest.param([{"name": "a", "width": 1}, "b"], "some columns have a place and others not", id="mixed"),
        pytest.param([], "no column is named", id="none"),
    ],
)
def test_places_that_make_no_sense_are_told_before_there_is_a_file(columns: list[Any], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        FileOptions.model_validate({"columns": columns})
    assert message in str(caught.value)


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, "m.fwf", b"PK\x03\x04rest")
    assert refusal(path, columns=MEMBERS).startswith("this is a zip file or a workbook, not fixed-width text.")


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=8)


@given(rows=st.lists(st.tuples(TEXT, TEXT), max_size=5))
def test_what_is_padded_comes_back_equal(tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]) -> None:
    text = "".join(f"{first.ljust(8)}{second.rjust(8)}\n" for first, second in rows)
    path = written(tmp_path_factory.mktemp("fixed"), "m.fwf", text)
    assert read(path, columns=[{"name": "a", "width": 8}, {"name": "b", "width": 8}]).cells == rows
