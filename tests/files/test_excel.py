"""Sheets of workbooks: typed cells become text without loss, and what has no value of its own is told."""

import zipfile
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter

from idms_cli.files import BrokenRow, Row
from tests.files.reading import read, refusal, written

BOOKS = Path(__file__).with_name("workbooks")


def book(folder: Path, *sheets: Sequence[Sequence[Any]], name: str = "m.xlsx") -> Path:
    """A workbook by openpyxl, with sheets named Sheet1, Sheet2..."""
    made = openpyxl.Workbook()
    made.remove(made.active)
    for number, rows in enumerate(sheets, start=1):
        sheet = made.create_sheet(f"Sheet{number}")
        for row in rows:
            sheet.append(row)
    made.save(folder / name)
    return folder / name


def replace_in(path: Path, part: str, before: bytes, after: bytes) -> None:
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    assert before in parts[part]
    parts[part] = parts[part].replace(before, after)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


def ods(folder: Path, *rows: str) -> Path:
    """An OpenDocument sheet of rows of cells in its own words (OpenDocument 1.2 part 1, 9.1)."""
    names = " ".join(
        f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{long}:1.0"'
        for short, long in [("office", "office"), ("table", "table"), ("text", "text")]
    )
    body = "".join(f"<table:table-row>{row}</table:table-row>" for row in rows)
    table = f'<office:spreadsheet><table:table table:name="A">{body}</table:table></office:spreadsheet>'
    with zipfile.ZipFile(folder / "m.ods", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
        content = f"<office:document-content {names}><office:body>{table}</office:body></office:document-content>"
        archive.writestr("content.xml", content)
    return folder / "m.ods"


def cell(kind: str, value: object = "", text: str = "") -> str:
    return f'<table:table-cell office:value-type="{kind}" {value}><text:p>{text}</text:p></table:table-cell>'


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param("  Zoë\nÅs ", "  Zoë\nÅs ", id="text as it is"),
        pytest.param("0042", "0042", id="digits as text"),
        pytest.param("=1+1", "=1+1", id="text that looks like a formula"),
        pytest.param(42, "42", id="whole number"),
        pytest.param(123456789012345, "123456789012345", id="long number"),
        pytest.param(-0.0, "0", id="minus nothing"),
        pytest.param(19.99, "19.99", id="fraction"),
        pytest.param(0.1 + 0.2, "0.3", id="noise of calculating"),
        pytest.param(106.99999999999999, "107", id="noise up to a whole number"),
        pytest.param(0.0000001, "0.0000001", id="small number"),
        pytest.param(True, "true", id="true"),
        pytest.param(False, "false", id="false"),
        pytest.param(date(2026, 1, 31), "2026-01-31", id="date"),
        pytest.param(datetime.fromisoformat("2026-01-31T08:30:15"), "2026-01-31T08:30:15", id="moment"),
        pytest.param(time(8, 30), "08:30:00", id="time"),
        pytest.param(timedelta(hours=30, seconds=5), "30:00:05", id="duration"),
    ],
)
def test_a_cell_becomes_the_text_that_the_conversions_read(tmp_path: Path, value: object, text: str) -> None:
    path = tmp_path / "m.xlsx"
    formats = {date: "yyyy-mm-dd", datetime: "yyyy-mm-dd hh:mm:ss", time: "hh:mm", timedelta: "[h]:mm:ss"}
    with xlsxwriter.Workbook(path, {"strings_to_formulas": False}) as made:
        sheet = made.add_worksheet()
        sheet.write_row(0, 0, ["id", "v"])
        sheet.write(1, 0, "x")
        sheet.write(1, 1, value, made.add_format({"num_format": formats.get(type(value), "General")}))
    assert read(path).cells == [("x", text)]


def test_an_old_workbook_is_read_too() -> None:
    found = read(BOOKS / "old.xls")
    assert found.columns == ("ID", "Name", "Dues", "Active", "Joined", "Seen")
    assert found.rows == [
        Row(2, ("101", "Zoë", "19.99", "true", "2026-01-31", "2026-01-31T08:30:15")),
        Row(4, ("12345678901234", "0042", "-0.5", "false", "", "")),
    ]
    assert found.notes == (
        "Read the sheet 'Members', the first of 2. `sheet:` settles it.",
        "1 blank row passed over.",
    )


def test_an_opendocument_sheet_is_read_too(tmp_path: Path) -> None:
    path = ods(
        tmp_path,
        cell("string", text="ID") + cell("string", text="v"),
        cell("float", 'office:value="101"', "101") + cell("date", 'office:date-value="2026-01-31"', "31 Jan"),
        cell("boolean", 'office:boolean-value="true"') + cell("percentage", 'office:value="0.25"', "25%"),
    )
    assert read(path) == (("ID", "v"), [Row(2, ("101", "2026-01-31")), Row(3, ("true", "0.25"))], ())


def test_line_numbers_are_those_of_the_sheet(tmp_path: Path) -> None:
    path = book(tmp_path, [[], [], [None, "id", None, "name"], [None, 1, None, "Ann"], [], [None, 2, None, "Bob"], []])
    found = read(path, header_row=3)
    assert found == (("id", "name"), [Row(4, ("1", "Ann")), Row(6, ("2", "Bob"))], ("1 blank row passed over.",))


@pytest.mark.parametrize(
    ("sheet", "cells"),
    [
        pytest.param(None, [("1",)], id="the first"),
        pytest.param(2, [("2",)], id="by number"),
        pytest.param("Sheet2", [("2",)], id="by name"),
        pytest.param(" sheet2", [("2",)], id="by name, nearly"),
    ],
)
def test_a_sheet_is_chosen(tmp_path: Path, sheet: str | int | None, cells: list[tuple[str]]) -> None:
    found = read(book(tmp_path, [["id"], [1]], [["id"], [2]]), sheet=sheet)
    assert found.cells == cells
    assert (found.notes == ()) == (sheet is not None)


def test_hidden_sheets_are_counted_out_but_have_their_names(tmp_path: Path) -> None:
    path = tmp_path / "m.xlsx"
    with xlsxwriter.Workbook(path) as made:
        for number in (1, 2):
            sheet = made.add_worksheet(f"S{number}")
            sheet.write_column(0, 0, ["id", number])
        made.get_worksheet_by_name("S2").activate()
        made.get_worksheet_by_name("S1").hide()
    assert read(path) == (("id",), [Row(2, ("2",))], ())
    assert read(path, sheet="S1").cells == [("1",)]


@pytest.mark.parametrize(
    ("rows", "options", "message"),
    [
        pytest.param([["id"]], {"sheet": "Shete1"}, "there is no sheet 'Shete1'. | did you mean 'Sheet1'?", id="near"),
        pytest.param(
            [["id"]], {"sheet": 2026}, "there is only 1 sheet to be seen in this workbook. | A name g", id="2"
        ),
        pytest.param([], {}, "row 1 of 'Sheet1': there is no header here, since the sheet is empty.", id="empty"),
        pytest.param(
            [[], [], ["id"]],
            {},
            "row 1 of 'Sheet1': there is no header here. | The first row with text is 3.",
            id="low",
        ),
        pytest.param([["id"], [1]], {"header_row": 9}, "row 9 of 'Sheet1': there is no header here.", id="too low"),
        pytest.param(
            [["id", "a", "id "]], {}, "row 1 of 'Sheet1': column C has the same name as column A: 'id'.", id="twice"
        ),
        pytest.param(
            [["id", None, "a"], [1, "x", 2]],
            {},
            "row 1 of 'Sheet1': there is no name above the cells of col",
            id="blank",
        ),
        pytest.param(
            [["id", "a"]],
            {"columns": ["idd"]},
            "row 1 of 'Sheet1': there is no column 'idd'. | did you mean",
            id="columns",
        ),
    ],
)
def test_a_sheet_or_header_that_is_wrong_is_refused(
    tmp_path: Path, rows: list[list[object]], options: dict[str, Any], message: str
) -> None:
    assert refusal(book(tmp_path, rows), **options).startswith(message)


def faulty(folder: Path) -> Path:
    made = openpyxl.Workbook()
    sheet = made.active
    for row in [["id", "a", "b"], [1, "=1+1", "x"], [2, "y", 12345678901234567], [3, "z", "w", "beside"], [4, "v", 1]]:
        sheet.append(row)
    sheet["B5"].value, sheet["B5"].data_type = "#N/A", "e"
    made.save(folder / "faulty.xlsx")
    return folder / "faulty.xlsx"


def test_a_cell_that_only_looks_blank_breaks_its_row(tmp_path: Path) -> None:
    found = read(faulty(tmp_path))
    too_long = "holds a number of more than 15 digits, of which only 15 are kept; it has to be written as text."
    assert found.broken == [
        (2, "cell", "B2 holds a formula that was never computed."),
        (3, "cell", f"C3 {too_long}"),
        (4, "cell", "D4 has text, but its column has no name."),
        (5, "cell", "B5 holds the error #N/A."),
    ]
    assert [row.raw for row in found.rows if isinstance(row, BrokenRow)] == [
        "B2 holds a formula that was never computed.",
        f"C3 {too_long}",
        "beside",
        "B5 holds the error #N/A.",
    ]


def test_a_row_of_nothing_but_formulas_that_were_never_computed_is_no_blank_row(tmp_path: Path) -> None:
    path = book(tmp_path, [["id", "a"], ["=1+1"], [None, None], [None, "=1+1"]])
    assert read(path).broken == [
        (2, "cell", "A2 holds a formula that was never computed."),
        (4, "cell", "B4 holds a formula that was never computed."),
    ]


def test_columns_that_are_not_named_may_have_faults(tmp_path: Path) -> None:
    found = read(faulty(tmp_path), columns=["id"])
    assert found == (("id",), [Row(2, ("1",)), Row(3, ("2",)), Row(4, ("3",)), Row(5, ("4",))], ())


def test_named_columns_come_in_the_order_of_the_job(tmp_path: Path) -> None:
    assert read(book(tmp_path, [["a", "b", "c"], [1, 2, 3]]), columns=["c", "a"]).cells == [("3", "1")]


def test_computed_formulas_have_their_values(tmp_path: Path) -> None:
    path = tmp_path / "m.xlsx"
    with xlsxwriter.Workbook(path) as made:
        sheet = made.add_worksheet()
        sheet.write_row(0, 0, ["a", "b", "c"])
        sheet.write_formula(1, 0, "=1+1", None, 2)
        sheet.write_formula(1, 1, '=""', None, "EMPTY")
        sheet.write_formula(1, 2, '="x"', None, "x")
    replace_in(path, "xl/worksheets/sheet1.xml", b"<v>EMPTY</v>", b"<v></v>")  # as Excel writes it
    assert read(path).cells == [("2", "", "x")]


def test_macros_are_told_and_never_run(tmp_path: Path) -> None:
    path = book(tmp_path, [["id"], [1]])
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("xl/vbaProject.bin", b"Shell 1")
    found = read(path.rename(tmp_path / "m.xlsm"))
    assert (found.cells, found.notes) == ([("1",)], ("The workbook has macros; they were not run.",))


def test_a_workbook_with_the_ending_of_another_kind_is_read_and_told(tmp_path: Path) -> None:
    found = read(written(tmp_path, "m.xlsx", (BOOKS / "old.xls").read_bytes()), sheet="Members")
    assert found.notes[0] == "The file is named .xlsx, but it is .xls; it was read as that."
