"""Rejects of every format are CSV that is read back: mended cells as rows, what nobody touched as broken again."""

import csv
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from idms_cli.files import BrokenRow, Row, open_table
from idms_cli.files.options import FileOptions
from idms_cli.records.faults import read_fault
from idms_cli.records.mended import fed_back
from idms_cli.records.rejects import RejectsFile
from tests.files.reading import written

FORMATS = [
    pytest.param("m.jsonl", b'{"id": 1}\n{"id": 2, "id": 3}\n[1, 2]\n{"id": 4}', {}, id="jsonl"),
    pytest.param("m.json", b'[{"id": 1}, {"id": 2, "id": 3}, "x", {"id": 4}]', {}, id="json"),
    pytest.param(
        "m.xml",
        b"<l><r><id>1</id></r><r><id>2</id><id>,</id></r><r/></l>",
        {"record": "r", "columns": ["id"]},
        id="xml",
    ),
    pytest.param("m.fwf", b"1\n2 too long\n3\n", {"columns": [{"name": "id", "width": 1}]}, id="fixed"),
]


def rejected(source: Path, options: dict[str, Any]) -> tuple[Path, list[Row | BrokenRow]]:
    """The file of all broken rows of a source, and the rows themselves."""
    with open_table(source, FileOptions(**options)) as table:
        broken = [row for row in table.rows() if isinstance(row, BrokenRow)]
        with RejectsFile(source.parent / "rejects.csv", table.columns, dialect=table.dialect) as rejects:
            for row in broken:
                rejects.add(row, [read_fault(row)])
    return source.parent / "rejects.csv", list(broken)


def read_back(path: Path, file_format: str) -> list[Row | BrokenRow]:
    with open_table(path, FileOptions(), file_format=file_format) as table:
        return list(fed_back(table).rows())


@pytest.mark.parametrize(("name", "content", "options"), FORMATS)
def test_what_nobody_mended_is_broken_again_for_the_same_reason(
    tmp_path: Path, name: str, content: bytes, options: dict[str, Any]
) -> None:
    path, broken = rejected(written(tmp_path, name, content), options)
    with path.open(encoding="utf-8-sig", newline="") as stream:
        told = [row["_message"] for row in csv.DictReader(stream)]
    assert {message.rpartition(". ")[2] for message in told} == {"To mend it: correct the cells and empty _raw."}
    again = read_back(path, "csv")
    assert len(again) == len(broken) > 0
    for before, after in zip(broken, again, strict=True):
        assert isinstance(before, BrokenRow)
        cells = tuple([*before.cells, ""][:1])
        assert after == before._replace(line=after.line, cells=cells)


@pytest.mark.parametrize(("name", "content", "options"), FORMATS)
def test_a_mended_row_is_a_row(tmp_path: Path, name: str, content: bytes, options: dict[str, Any]) -> None:
    path, broken = rejected(written(tmp_path, name, content), options)
    with path.open(encoding="utf-8-sig", newline="") as stream:
        header, *rows = csv.reader(stream)
    mended = [["7", *row[1:-1], ""] for row in rows]
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows([header, *mended])
    assert [row.cells for row in read_back(path, "csv")] == [("7",)] * len(broken)


def test_rejects_that_were_mended_and_saved_as_a_workbook_are_read(tmp_path: Path) -> None:
    path, _ = rejected(written(tmp_path, "m.jsonl", b'{"id": 1}\n[1]\n[2]\n'), {})
    with path.open(encoding="utf-8-sig", newline="") as stream:
        header, first, second = csv.reader(stream)
    made = openpyxl.Workbook()
    for row in (header, ["7", *first[1:-1], ""], second):
        made.active.append(row)
    made.save(tmp_path / "mended.xlsx")
    mended, untouched = read_back(tmp_path / "mended.xlsx", "excel")
    assert mended == Row(2, ("7",))
    message = "This is not an object with names and values: {...}."
    assert untouched == BrokenRow(3, ("",), "syntax", message, "[2]")


def test_cells_that_were_mended_are_kept_while_the_text_still_says_that_nobody_did(tmp_path: Path) -> None:
    path, _ = rejected(written(tmp_path, "m.jsonl", b'{"id": 1}\n[1]\n'), {})
    text = path.read_text(encoding="utf-8-sig")
    path.write_text(text.replace("\n,", "\n7,"), encoding="utf-8")
    (row,) = read_back(path, "csv")
    assert isinstance(row, BrokenRow)
    assert (row.cells, row.code) == (("7",), "syntax")
