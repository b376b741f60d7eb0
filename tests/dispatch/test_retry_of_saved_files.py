"""Rejects are mended in whatever program a person has, saved in whatever format that likes, and retried."""

import csv
import json
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from idms_cli.sandbox import Sandbox
from tests.conftest import Place

Rows = Sequence[Sequence[str]]


def _delimited(path: Path, rows: Rows, *, delimiter: str, encoding: str = "utf-8-sig") -> None:
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows(rows)


def _workbook(path: Path, rows: Rows) -> None:
    made = openpyxl.Workbook()
    for row in rows:
        made.active.append(list(row))
    made.save(path)


def _objects(rows: Rows) -> list[dict[str, str]]:
    return [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]


SAVED: dict[str, Callable[[Path, Rows], None]] = {
    "mended.csv": lambda path, rows: _delimited(path, rows, delimiter=","),
    "semicolons.csv": lambda path, rows: _delimited(path, rows, delimiter=";"),
    "cp1252.CSV": lambda path, rows: _delimited(path, rows, delimiter=";", encoding="cp1252"),
    "unicode text.txt": lambda path, rows: _delimited(path, rows, delimiter="\t", encoding="utf-16"),
    "mended.tsv": lambda path, rows: _delimited(path, rows, delimiter="\t"),
    "mended.v2.xlsx": _workbook,
    "mended.json": lambda path, rows: path.write_text(json.dumps(_objects(rows))) and None,
    "mended.jsonl": lambda path, rows: path.write_text("\n".join(map(json.dumps, _objects(rows)))) and None,
}


def _job(place: Place, source: str, *, more: str = "") -> None:
    text = place.job("scores", source=source).read_text()
    place.write("jobs.d/scores.yaml", text.replace("Grade: grade}", f"Grade: grade{more}}}"))


def _rejects(place: Place, run: int = 1) -> Rows:
    with (place.state / f"runs/{run}/rejects.csv").open(encoding="utf-8-sig", newline="") as file:
        start = file.readline()
        file.seek(0)
        return list(csv.reader(file, delimiter=max(",;|", key=start.count)))


def _mended(rows: Rows, **changes: str) -> Rows:
    """Every row with these cells, and an empty `_raw`."""
    header = list(rows[0])
    changes = {"_raw": "", **changes}
    return [header, *[[changes.get(name, cell) for name, cell in zip(header, row, strict=True)] for row in rows[1:]]]


def _retried(place: Place, path: Path) -> str:
    told = place.idms("retry", "1", "--rejected", "--file", str(path))
    assert told.returncode == 0, told.stdout + told.stderr
    return told.stdout


@pytest.mark.parametrize(
    ("source", "name"),
    [
        *[("scores.csv, delimiter: ';'", name) for name in SAVED],
        ("scores.xlsx", "mended.csv"),
        ("scores.xlsx", "mended.v2.xlsx"),
        ("scores.jsonl", "semicolons.csv"),
        ("scores.jsonl", "mended.jsonl"),
    ],
)
def test_a_mended_file_is_read_in_the_format_in_which_it_was_saved(
    place: Place, site: Sandbox, source: str, name: str
) -> None:
    _job(place, source)
    rows = [["member", "course", "grade"], ["101", "Cooking, for two", "A"], ["102", "Bücher", "excellent"]]
    path = place.directory / source.partition(",")[0]
    if path.suffix == ".xlsx":
        _workbook(path, rows)
    elif path.suffix == ".jsonl":
        path.write_text("\n".join(map(json.dumps, _objects(rows))))
    else:
        _delimited(path, rows, delimiter=";")
    assert place.idms("run", "scores").returncode == 1
    mended = place.directory / name
    SAVED[name](mended, _mended(_rejects(place), grade="B"))
    assert "completed; 1 read = 1 inserted" in _retried(place, mended)
    assert {(row["ID"], row["Course"], row["Grade"]) for row in site.rows("ABC_Scores")} >= {
        ("101", "Cooking, for two", "A"),
        ("102", "Bücher", "B"),
    }


def test_what_was_rejected_twice_can_be_mended_again(place: Place, site: Sandbox) -> None:
    _job(place, "scores.csv, delimiter: '|'")
    place.write("scores.csv", "member|course|grade\n101|Cooking|excellent\n")
    place.idms("run", "scores")
    _workbook(place.directory / "first.xlsx", _mended(_rejects(place), grade="fine"))
    assert place.idms("retry", "1", "--rejected", "--file", "first.xlsx").returncode == 1
    _delimited(place.directory / "second.csv", _mended(_rejects(place, 2), grade="B"), delimiter=";")
    assert place.idms("retry", "2", "--rejected", "--file", "second.csv").returncode == 0
    assert [row["Grade"] for row in site.rows("ABC_Scores") if row["Course"] == "Cooking"] == ["B"]


@pytest.mark.parametrize(
    ("delimiter", "name"),
    [(",", "semicolons.csv"), (",", "mended.tsv"), (",", "mended.v2.xlsx"), (";", "mended.csv"), (";", "mended.json")],
)
def test_a_row_that_was_mended_in_its_text_is_cut_as_the_source_was(
    place: Place, site: Sandbox, delimiter: str, name: str
) -> None:
    _job(place, "scores.csv")
    _delimited(place.directory / "scores.csv", [["member", "course", "grade"], ["101", "Glass"]], delimiter=delimiter)
    assert place.idms("run", "scores").returncode == 1
    rejects, cells = _rejects(place), ["101", "Glass", "A"]
    SAVED[name](place.directory / name, rejects)
    told = place.idms("retry", "1", "--rejected", "--file", name)
    assert "The row has 2 cells, but the header has 3 columns." in told.stdout
    assert [row[4:] for row in _rejects(place, 2)] == [row[4:] for row in rejects]
    SAVED[name](place.directory / name, _mended(_rejects(place, 2), _raw=delimiter.join(cells)))
    told = place.idms("retry", "2", "--rejected", "--file", name)
    assert told.returncode == 0, told.stdout
    assert [row["Grade"] for row in site.rows("ABC_Scores") if row["Course"] == "Glass"] == ["A"]


@pytest.mark.parametrize("name", ["mended.csv", "semicolons.csv", "mended.v2.xlsx"])
def test_a_row_of_fixed_width_is_rejected_for_its_own_reason_until_its_cells_are_mended(
    place: Place, site: Sandbox, name: str
) -> None:
    places = "{name: member, width: 3}, {name: course, width: 5}, {name: grade, width: 1}"
    _job(place, f"scores.fwf, columns: [{places}]")
    place.write("scores.fwf", "101Gla\n")
    place.idms("run", "scores")
    first = _rejects(place)
    assert first[1] == [
        "101", "Gla", "", "1", "read", "", "width",
        "The line has 6 characters, but its columns go on to 9; `short_lines: fill` takes what is missing for blanks. "
        "To mend it: correct the cells and empty _raw.",
        "101Gla",
    ]  # fmt: skip
    assert place.idms("retry", "1", "--rejected").returncode == 1
    assert _rejects(place, 2)[1] == [*first[1][:3], "2", *first[1][4:]]
    SAVED[name](place.directory / name, _mended(_rejects(place, 2), course="Glass", grade="A"))
    assert place.idms("retry", "2", "--rejected", "--file", name).returncode == 0
    assert [row["Grade"] for row in site.rows("ABC_Scores") if row["Course"] == "Glass"] == ["A"]


@pytest.mark.parametrize("name", ["empty.csv", "kept/empty.csv"])
def test_a_file_that_cannot_be_read_is_named_as_it_was_given(place: Place, name: str) -> None:
    place.job("scores")
    place.write("scores.csv", "member,course,grade\n101,Cooking,excellent\n")
    place.idms("run", "scores")
    place.write(name, "")
    told = place.idms("retry", "1", "--rejected", "--file", name)
    assert f" {name}:1: there is no header here" in told.stdout + told.stderr


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mended.docx", "mended.docx: the ending .docx tells no format."),
        ("mended.xml", "mended.xml: rows to retry cannot be read from a file of the format xml."),
        ("gone.csv", "gone.csv: there is no such file"),
    ],
)
def test_a_file_that_cannot_be_one_is_told_before_there_is_a_run(place: Place, name: str, message: str) -> None:
    place.job("scores")
    place.write("scores.csv", "member,course,grade\n101,Cooking,excellent\n")
    place.idms("run", "scores")
    if not name.startswith("gone"):
        place.write(name, "x")
    told = place.idms("retry", "1", "--rejected", "--file", name)
    assert (told.returncode, told.stderr.splitlines()[0]) == (2, f"idms: {message}")
    assert len(place.runs()) == 1


def _typed(place: Place, *cells: Sequence[Any]) -> None:
    """A job and a workbook with numbers and dates, as text and as what they are."""
    _job(
        place,
        "scores.xlsx",
        more=", Hours: {column: hours, number: '1.234,56'}, TakenOn: {column: taken, date: '%d/%m/%Y'}",
    )
    made = openpyxl.Workbook()
    for row in (["member", "course", "grade", "hours", "taken"], *cells):
        made.active.append(row)
    made.save(place.directory / "scores.xlsx")


def _hours_and_days(site: Sandbox, course: str) -> dict[str, tuple[Decimal, str]]:
    found = [row for row in site.rows("ABC_Scores") if row["Course"] == course]
    return {row["ID"]: (Decimal(str(row["Hours"])), str(row["TakenOn"])[:10]) for row in found}


def test_numbers_and_dates_of_a_workbook_are_what_they_are_whatever_the_job_says_of_text(
    place: Place, site: Sandbox
) -> None:
    _typed(place, [101, "Glass", "A", 12.25, date(2026, 2, 1)], [102, "Glass", "A", "1.234,5", "01/02/2026"])
    told = place.idms("run", "scores")
    assert told.returncode == 0, told.stdout
    assert _hours_and_days(site, "Glass") == {
        "101": (Decimal("12.25"), "2026-02-01"),
        "102": (Decimal("1234.5"), "2026-02-01"),
    }


@pytest.mark.parametrize("name", ["mended.csv", "mended.v2.xlsx"])
def test_they_are_the_same_after_they_were_rejected_for_another_reason(place: Place, site: Sandbox, name: str) -> None:
    _typed(place, [101, "Glass", "?", 12.25, date(2026, 2, 1)], [102, "Glass", "?", "1.234,5", "01/02/2026"])
    place.idms("run", "scores")
    SAVED[name](place.directory / name, _mended(_rejects(place), grade="B"))
    _retried(place, place.directory / name)
    assert _hours_and_days(site, "Glass") == {
        "101": (Decimal("12.25"), "2026-02-01"),
        "102": (Decimal("1234.5"), "2026-02-01"),
    }


def test_a_mended_number_that_could_be_two_is_asked_about(place: Place, site: Sandbox) -> None:
    _typed(place, [101, "Glass", "?", 1.25, None])
    place.idms("run", "scores")
    _delimited(place.directory / "mended.csv", _mended(_rejects(place), grade="A", hours="1.234"), delimiter=",")
    told = place.idms("retry", "1", "--rejected", "--file", "mended.csv")
    assert "Column hours: '1.234' could be 1234 as well as 1.234; write it in another way" in told.stdout
    assert _hours_and_days(site, "Glass") == {}
