"""Excel: other programs find the same values, long numbers and leading zeros included, and no formula."""

import io
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.utils.escape import unescape

from idms_cli.files.formulas import guarded
from tests.delivery.cargo import ListRows
from tests.files.reading import read
from tests.files.writers.memory import ManyRows, peak_mb
from tests.files.writers.writing import SAMPLES, TEXTS, kept, made, problem, refusal, rows


def sheet(content: bytes) -> Any:
    book = openpyxl.load_workbook(io.BytesIO(content))
    assert len(book.sheetnames) == 1
    return book.active


def values(content: bytes) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in sheet(content).iter_rows(values_only=True)]


def test_each_kind_of_value_is_what_it_was() -> None:
    table = rows(
        ["ID", "Zip", "Card", "Fee", "Paid", "Note"],
        (7, "02134", "1234567890123456", Decimal("1.10"), True, None),
        (123456789012345, "+1", 1234567890123456, Decimal("0.1234567890123456"), False, ""),
    )
    assert values(made("excel", table)) == [
        ("ID", "Zip", "Card", "Fee", "Paid", "Note"),
        (7, "02134", "1234567890123456", 1.1, True, None),
        (123456789012345, "+1", "1234567890123456", "0.1234567890123456", False, None),
    ]


def test_dates_and_numbers_are_made_of_text_only_where_the_job_says_so() -> None:
    table = rows(
        ["Day", "When", "Fee", "Zip"],
        ("2026-01-31T00:00:00", "2026-01-31 08:30", "1.50", "2026-01-31"),
        ("soon", "1899-12-31", "007", "1.5"),
    )
    assert values(made("excel", table, "{dates: [Day, When], numbers: [Fee], header: false, sheet: Feed}")) == [
        (datetime.fromisoformat("2026-01-31"), datetime.fromisoformat("2026-01-31T08:30"), 1.5, "2026-01-31"),
        ("soon", "1899-12-31", "007", "1.5"),
    ]
    shown = sheet(made("excel", table, "{dates: [Day, When]}"))
    assert [shown["A2"].number_format, shown["B2"].number_format] == ["yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss"]


def test_nothing_is_a_formula_unless_that_is_allowed() -> None:
    table = rows(["a", "b"], ("=1+1", "+x"))
    harmless = sheet(made("excel", table))
    assert [(cell.value, cell.data_type, cell.quotePrefix) for cell in harmless[2]] == [
        ("=1+1", "s", True),
        ("+x", "s", True),
    ]
    allowed = sheet(made("excel", table, formulas="allow"))
    assert [(cell.value, cell.data_type) for cell in allowed[2]] == [("=1+1", "f"), ("+x", "s")]


NUMBERS = st.integers(-(10**15) + 1, 10**15 - 1) | st.decimals(-(10**10), 10**10, places=4)


@settings(max_examples=25)
@given(st.lists(st.tuples(st.none() | TEXTS, st.booleans() | NUMBERS), max_size=4))
def test_openpyxl_and_pandas_find_the_same(cells: list[tuple[Any, Any]]) -> None:
    content = made("excel", ListRows(("ID", "Value"), cells))
    found = values(content)[1:]
    # An escape such as _x000D_ is what Excel itself makes of a control character; openpyxl hands it on as it is.
    assert [None if one is None else unescape(one) for one, _ in found] == [one or None for one, _ in cells]
    assert [value for _, value in found] == [
        pytest.approx(float(value)) if isinstance(value, Decimal) else value for _, value in cells
    ]
    frame = pd.read_excel(io.BytesIO(content), engine="openpyxl", dtype=object, keep_default_na=False, na_filter=False)
    assert [unescape(one) for one in frame["ID"]] == [one or "" for one, _ in cells]


def test_our_reader_reads_what_was_written(tmp_path: Path) -> None:
    cells = [("1", text) for text in SAMPLES]
    found = read(kept(tmp_path, "own.xlsx", made("excel", ListRows(("ID", "Name"), cells)))).cells
    assert [cell for row in found for cell in row] == [
        cell if cell.strip() else ""
        for row in cells
        for cell in row  # it takes blank space for nothing
    ]


def test_what_no_sheet_can_hold_is_refused_before_anything_is_written() -> None:
    stream = io.BytesIO()
    assert refusal("excel", ManyRows(1_048_576)).startswith(  # type: ignore[arg-type]
        "There are 1,048,576 rows; a sheet of Excel holds 1,048,575 below its header. | Say `batch: 1048575`"
    )
    assert not stream.getvalue()
    assert "16,384" in refusal("excel", rows([f"c{number}" for number in range(16_385)]))
    assert refusal("excel", rows(["ID", "Text"], ("1", "x" * 32_768))).startswith(
        f"Row 1, column Text: '{'x' * 27}...' has 32,768 characters; a cell of Excel holds 32,767."
    )
    assert refusal("excel", rows(["Paid"]), "{dates: [paid]}") == (
        "The rows have no column 'paid', which `format: {excel: ...}` names. | Did you mean 'Paid'?"
    )


def test_the_same_rows_make_the_same_bytes() -> None:
    table = rows(["ID"], ("1",))
    assert made("excel", table) == made("excel", table)


@pytest.mark.parametrize("name", ["a/b", "''", "x" * 32, "History", "'x"])
def test_a_name_that_no_sheet_may_have_is_told(name: str) -> None:
    assert "cannot name a sheet" in problem("excel", f'{{sheet: "{name}"}}')


def test_nothing_is_left_where_it_kept_what_it_wrote(tmp_path: Path) -> None:
    from idms_cli.files.writers import Occasion, load_writer
    from tests.files.writers.writing import options

    load_writer("excel").write(ManyRows(10), io.BytesIO(), options("excel"), Occasion(scratch=tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_any_length_takes_little_memory() -> None:
    assert peak_mb("excel", 2_000) - peak_mb("excel", 200) < 2


def test_text_before_which_the_guard_would_stand_is_marked_as_text() -> None:
    assert guarded("=1") == "'=1"  # which a CSV file has; a workbook has =1 and the mark
