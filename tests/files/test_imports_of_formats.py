"""A job imports files of every format, with the real command, and its rejects can be imported as they are."""

import csv
import gzip
import io
import json
import zipfile
from pathlib import Path

import openpyxl
import pytest

from idms_cli.sandbox import Sandbox
from tests.conftest import Place

ROWS = [["member", "course", "grade"], ["101", "Formats", "A"], ["102", "Formats", "B"]]


def as_workbook() -> bytes:
    made, content = openpyxl.Workbook(), io.BytesIO()
    for row in (ROWS[0], [101, "Formats", "A"], [102, "Formats", "B"], [103, "Formats", "=1+1"]):
        made.active.append(row)
    made.save(content)
    return content.getvalue()


def as_objects() -> list[object]:
    return [dict(zip(ROWS[0], row, strict=True)) for row in ROWS[1:]] + [{"member": "103", "grade": [["x"], "y"]}, [1]]


def as_zip(content: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("scores", content)
    return packed.getvalue()


def as_xml() -> str:
    rows = [
        f"<s><member>{member}</member><course>{course}</course><grade>{grade}</grade></s>"
        for member, course, grade in ROWS[1:]
    ]
    return f"<all>{''.join(rows)}<s><member>103</member><grade>x</grade><late>y</late><late>,</late></s></all>"


PLACES = "columns: [{name: member, width: 3}, {name: course, width: 7}, {name: grade, from: 11, to: 11}]"


@pytest.mark.parametrize(
    ("source", "content"),
    [
        pytest.param(
            "s.csv.gz", gzip.compress(b"member,course,grade\n101,Formats,A\n102,Formats,B\n103,x\n"), id="csv.gz"
        ),
        pytest.param("s.xlsx", as_workbook(), id="xlsx"),
        pytest.param("s.jsonl", "\n".join(map(json.dumps, as_objects())), id="jsonl"),
        pytest.param("s.json.zip, records: a.b", as_zip(json.dumps({"a": {"b": as_objects()}})), id="json.zip"),
        pytest.param("s.xml, record: s, columns: [member, course, grade, late]", as_xml(), id="xml"),
        pytest.param(f"s.fwf, {PLACES}", "101FormatsA\n102FormatsB\n103\n", id="fixed"),
    ],
)
def test_good_rows_are_imported_and_the_others_are_in_a_file_that_can_be_mended(
    place: Place, site: Sandbox, source: str, content: str | bytes
) -> None:
    name = source.partition(",")[0]
    (place.directory / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    place.job("scores", source=source)
    assert place.idms("check").returncode == 0
    told = place.idms("run", "scores")
    assert told.returncode == 1, told.stderr
    (run,) = place.runs()
    assert (run.status, run.counts["inserted"]) == ("partial", 2)
    mended = mend(place.state / "runs" / "1" / "rejects.csv", place.directory / "mended.csv")
    place.job("mended", source="mended.csv")
    assert place.idms("run", "mended").returncode == 0
    grades = {row["ID"]: row["Grade"] for row in site.rows("ABC_Scores") if row["Course"] == "Formats"}
    assert grades == {"101": "A", "102": "B"} | dict.fromkeys(mended, "C")


def mend(rejects: Path, target: Path) -> list[str]:
    """Write rejects with sound cells: members from 110, all with a C. Returns the members."""
    with rejects.open(encoding="utf-8-sig", newline="") as stream:
        header, *rows = csv.reader(stream)
    members = [str(110 + index) for index in range(len(rows))]
    sound = {"course": "Formats", "grade": "C", "_raw": ""}
    with target.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(header)
        for member, row in zip(members, rows, strict=True):
            cells = dict(zip(header, row, strict=True)) | sound | {"member": member}
            writer.writerow(cells[name] for name in header)
    return members
