"""Workbooks that are damaged, encrypted, bombs or none at all are told, whatever they do to the one who reads them."""

import struct
import zipfile
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter

from tests.files.reading import refusal, written

BOOKS = Path(__file__).with_name("workbooks")
OLD = (BOOKS / "old.xls").read_bytes()


def new_book(folder: Path) -> Path:
    made = openpyxl.Workbook()
    made.active.append(["id"])
    made.save(folder / "m.xlsx")
    return folder / "m.xlsx"


def zipped(folder: Path, name: str, **parts: bytes) -> Path:
    with zipfile.ZipFile(folder / name, "w", zipfile.ZIP_DEFLATED) as archive:
        for part, content in parts.items():
            archive.writestr(part.replace("__", "/").replace("_", "."), content)
    return folder / name


def test_an_encrypted_workbook_is_told() -> None:
    assert refusal(BOOKS / "encrypted.xlsx").startswith("this workbook is encrypted. | Have it sent without a password")


def test_an_encrypted_old_workbook_is_told(tmp_path: Path) -> None:
    begins = OLD.index(b"\x09\x08\x10\x00")  # BOF, [MS-XLS] 2.4.21; the record after it becomes FilePass, 2.4.117
    after = begins + 4 + struct.unpack_from("<H", OLD, begins + 2)[0]
    path = written(tmp_path, "m.xls", OLD[:after] + b"\x2f\x00" + OLD[after + 2 :])
    assert refusal(path).startswith("this workbook is encrypted.")


def test_an_encrypted_opendocument_sheet_is_told(tmp_path: Path) -> None:
    manifest = b"<manifest:encryption-data/>"
    path = zipped(tmp_path, "m.ods", content_xml=b"\x00", **{"META-INF__manifest_xml": manifest})
    assert refusal(path).startswith("this workbook is encrypted.")


@pytest.mark.parametrize("part", [0.1, 0.5, 0.95])
def test_a_workbook_that_ends_in_the_middle_is_told(tmp_path: Path, part: float) -> None:
    whole = new_book(tmp_path).read_bytes()
    path = written(tmp_path, "cut.xlsx", whole[: int(len(whole) * part)])
    assert refusal(path).startswith("this workbook is damaged, or not the whole of it")


def test_an_old_workbook_that_ends_in_the_middle_is_told(tmp_path: Path) -> None:
    path = written(tmp_path, "cut.xls", OLD[:2500])
    assert refusal(path).startswith("this workbook is damaged, or not the whole of it")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"id,name\n1,Ann\n", "this is text, not a workbook. | Open it in a spreadsheet", id="CSV"),
        pytest.param(b"\xef\xbb\xbf<html><table><tr>", "this is an HTML page, not a workbook.", id="HTML"),
        pytest.param(b"%PDF-1.7", "this is a PDF document, not a workbook.", id="PDF"),
        pytest.param(b"", "this is an empty file, not a workbook.", id="empty"),
        pytest.param(
            b"PK\x05\x06" + b"\x00" * 18, "this is a zip file, but there is no workbook in it.", id="no parts"
        ),
    ],
)
def test_what_is_no_workbook_is_told(tmp_path: Path, content: bytes, message: str) -> None:
    assert refusal(written(tmp_path, "m.xls", content)).startswith(message)


def test_a_binary_workbook_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path, "m.xlsx", **{"xl__workbook_bin": b""})
    assert refusal(path).startswith("binary workbooks (.xlsb) are not read. | Save it as .xlsx.")


def test_a_bomb_is_refused_before_it_is_opened(tmp_path: Path) -> None:
    path = zipped(tmp_path, "m.xlsx", **{"xl__workbook_xml": b"<x/>", "xl__big_xml": b"<c/>" * 10_000_000})
    assert path.stat().st_size < 100_000
    assert refusal(path).startswith("unpacked, this workbook has 38 MiB, 1,0")


def test_a_bomb_that_lies_about_its_size_does_no_harm(tmp_path: Path) -> None:
    path = new_book(tmp_path)
    name = "xl/worksheets/sheet1.xml"
    with zipfile.ZipFile(path) as archive:
        parts = {one: archive.read(one) for one in archive.namelist()}
    rows = b"".join(b'<row r="%d"><c r="A%d"><v>1</v></c></row>' % (row, row) for row in range(1, 500_000))
    parts[name] = parts[name].replace(b"<sheetData>", b"<sheetData>" + rows)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for one, content in parts.items():
            archive.writestr(one, content)
    size = struct.pack("<L", len(parts[name]))
    path.write_bytes(path.read_bytes().replace(size, struct.pack("<L", 1000)))
    assert refusal(path).startswith("this workbook is damaged, or not the whole of it")


def test_a_cell_at_the_end_of_the_world_ends_only_the_process_that_reads(tmp_path: Path) -> None:
    path = tmp_path / "m.xlsx"
    with xlsxwriter.Workbook(path) as made:
        sheet = made.add_worksheet()
        sheet.write(0, 0, "id")
        sheet.write(1_048_575, 16_383, " ")
    assert refusal(path).startswith("the sheet takes more memory than it may. | A cell far below or beside the data")


def test_entities_in_a_part_do_no_harm(tmp_path: Path) -> None:
    path = new_book(tmp_path)
    with zipfile.ZipFile(path) as archive:
        parts = {one: archive.read(one) for one in archive.namelist()}
    laughs = "".join(f'<!ENTITY e{number} "{f"&e{number - 1};" * 10}">' for number in range(1, 12))
    part = parts["xl/workbook.xml"].partition(b"<workbook")
    doctype = f'<!DOCTYPE w [<!ENTITY e0 "ha">{laughs}]>'.encode()
    parts["xl/workbook.xml"] = doctype + b"<workbook" + part[2].replace(b'name="Sheet"', b'name="&e11;"')
    with zipfile.ZipFile(path, "w") as archive:
        for one, content in parts.items():
            archive.writestr(one, content)
    assert refusal(path)
