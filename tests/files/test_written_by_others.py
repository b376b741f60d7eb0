"""What the csv module, openpyxl and XlsxWriter write comes back equal, in whatever dialect and of whatever type."""

import csv
import gzip
import io
import zipfile
from collections.abc import Callable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple

import openpyxl
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from idms_cli.files import BrokenRow, Row, open_table
from idms_cli.files.options import FileOptions

DIGITS = st.text("0123456789", min_size=1, max_size=25)
"""Leading zeros and more digits than a number can have: as text they are text."""
WORDS = st.sampled_from(["true", "FALSE", "2026-01-31", "31/01/2026", "1.234,56", "1e400", "=1+1", "NULL", "#N/A", "-"])


class Way(NamedTuple):
    """How a delimited file is written, and what a job says of it."""

    encoding: str
    delimiter: str
    quote: str
    quoting: Literal[0, 1, 2]
    line_end: str
    packed: str
    declared: bool


WAYS = st.builds(
    Way,
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-le", "cp1252", "cp850", "gb18030"]),
    delimiter=st.sampled_from([",", ";", "\t", "|", "^"]),
    quote=st.sampled_from(['"', "'"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    line_end=st.sampled_from(["\r\n", "\n", "\r"]),
    packed=st.sampled_from(["", ".gz", ".zip"]),
    declared=st.booleans(),
)


def _options(way: Way) -> dict[str, str]:
    """What has to be said of it, and more when `declared`."""
    said = {} if way.quote == '"' else {"quote": way.quote}
    if way.declared or way.delimiter == "^":
        said["delimiter"] = way.delimiter
    if way.encoding in ("utf-16-le", "cp850", "gb18030") or way.declared:
        said["encoding"] = way.encoding
    return said


def _bytes(rows: Sequence[Sequence[str]], way: Way) -> bytes:
    text = io.StringIO(newline="")
    # Before Python 3.13 the module leaves a \r bare where lines end with \n, and the other way round.
    quoting = way.quoting if way.line_end == "\r\n" else csv.QUOTE_ALL
    csv.writer(
        text, delimiter=way.delimiter, quotechar=way.quote, quoting=quoting, lineterminator=way.line_end
    ).writerows(rows)
    content = text.getvalue().encode(way.encoding)
    if way.packed == ".gz":
        return gzip.compress(content)
    if way.packed == ".zip":
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("m.csv", content)
        return made.getvalue()
    return content


@st.composite
def _files(draw: st.DrawFn) -> tuple[Way, list[tuple[str, str, str]]]:
    way = draw(WAYS)
    text = st.text(st.characters(codec=way.encoding.removesuffix("-sig"), exclude_characters="\0"), max_size=12)
    cell = st.one_of(text, DIGITS, WORDS)
    return way, draw(st.lists(st.tuples(cell, cell, cell), max_size=6))


@given(made=_files())
def test_delimited_text_comes_back_equal(
    tmp_path_factory: pytest.TempPathFactory, made: tuple[Way, list[tuple[str, str, str]]]
) -> None:
    way, rows = made
    path = tmp_path_factory.mktemp("csv") / f"m.csv{way.packed}"
    path.write_bytes(_bytes([("é", "b", "c"), *rows], way))  # é alone is no UTF-8 in any of the other encodings
    with open_table(path, FileOptions(**_options(way))) as table:
        back = list(table.rows())
        columns, blank = table.columns, table.blank_lines
    assert columns == ("é", "b", "c")
    assert not [row for row in back if isinstance(row, BrokenRow)]
    assert [row.cells for row in back] == [row for row in rows if any(cell.strip() for cell in row)]
    assert len(back) + blank == len(rows)


class Cell(NamedTuple):
    """What is written into a sheet, and the text that it is."""

    value: Any
    text: str


def _cells(values: st.SearchStrategy[Any], text: Callable[[Any], str]) -> st.SearchStrategy[Cell]:
    return values.map(lambda value: Cell(value, text(value)))


def _plain(number: float) -> str:
    text = f"{number:.4f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


CELLS = st.one_of(
    st.just(Cell(None, "")),
    _cells(st.text(st.characters(codec="utf-8", exclude_categories=["C", "Zl", "Zp"]), max_size=10), str),
    _cells(DIGITS | WORDS.filter(lambda word: word != "#N/A"), str),
    _cells(st.integers(-(2**53) + 1, 2**53 - 1), str),
    _cells(st.booleans(), lambda value: str(value).lower()),
    _cells(st.dates(date(1900, 3, 1), date(9999, 12, 31)), date.isoformat),
    _cells(st.datetimes(datetime(1900, 3, 1), datetime(9999, 12, 31)).map(lambda moment: moment.replace(microsecond=0)),  # noqa: DTZ001
           lambda moment: moment.isoformat().removesuffix("T00:00:00")),  # a workbook has one number for a day
    _cells(st.decimals(-(10**6), 10**6, places=4).map(float), _plain),
)  # fmt: skip
ROWS = st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=20)


def _by_openpyxl(path: Path, rows: list[tuple[Cell, ...]], hidden: set[int]) -> None:
    made = openpyxl.Workbook()
    sheet = made.active
    sheet.append(["a", "b", "c"])
    for number, row in enumerate(rows, start=2):
        for column, cell in enumerate(row, start=1):
            written = sheet.cell(number, column, cell.value)
            if isinstance(cell.value, str):
                written.data_type = "s"  # text that begins with = is text
        sheet.row_dimensions[number].hidden = number in hidden
    made.save(path)


def _by_xlsxwriter(path: Path, rows: list[tuple[Cell, ...]], hidden: set[int]) -> None:
    texts = {"strings_to_formulas": False, "strings_to_numbers": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(path, texts) as made:
        sheet = made.add_worksheet()
        day = made.add_format({"num_format": "yyyy-mm-dd"})
        moment = made.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        sheet.write_row(0, 0, ["a", "b", "c"])
        for number, row in enumerate(rows, start=1):
            for column, (value, _) in enumerate(row):
                if isinstance(value, int) and not isinstance(value, bool):
                    sheet.write_formula(number, column, f"={value}", None, value)  # with the value last computed
                else:
                    form = moment if isinstance(value, datetime) else day if isinstance(value, date) else None
                    sheet.write(number, column, value, form)
            if number + 1 in hidden:
                sheet.set_row(number, None, None, {"hidden": True})
        sheet.set_column(1, 1, None, None, {"hidden": True})


WRITERS: dict[str, Callable[[Path, list[tuple[Cell, ...]], set[int]], None]] = {
    "openpyxl": _by_openpyxl,
    "XlsxWriter": _by_xlsxwriter,
}


@settings(max_examples=15)  # each in a process of its own
@given(rows=ROWS, hidden=st.sets(st.integers(2, 8)), writer=st.sampled_from(list(WRITERS)))
def test_a_sheet_comes_back_equal_with_its_hidden_rows_and_columns(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[Cell, ...]], hidden: set[int], writer: str
) -> None:
    path = tmp_path_factory.mktemp("excel") / "m.xlsx"
    WRITERS[writer](path, rows, hidden)
    with open_table(path, FileOptions()) as table:
        back = list(table.rows())
    texts = [(number, tuple(cell.text for cell in row)) for number, row in enumerate(rows, start=2)]
    assert back == [Row(number, cells) for number, cells in texts if any(cell.strip() for cell in cells)]


def test_a_merged_cell_has_its_value_in_its_first_place_only(tmp_path: Path) -> None:
    made = openpyxl.Workbook()
    for row in (["id", "name", "note"], [1, "Ann", "x"], [2, None, "y"], [3, "both", None]):
        made.active.append(row)
    made.active.merge_cells("B2:B3")
    made.active.merge_cells("B4:C4")
    made.save(tmp_path / "m.xlsx")
    with open_table(tmp_path / "m.xlsx", FileOptions()) as table:
        assert [row.cells for row in table.rows()] == [("1", "Ann", "x"), ("2", "", "y"), ("3", "both", "")]
