"""A file of rejects has all that was rejected and why, is safe in a spreadsheet, and is read back exactly."""

import csv
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idms_cli.errors import IdmsError, InputError
from idms_cli.files import BrokenRow, Dialect, Row, open_table
from idms_cli.files.dialect import CsvOptions
from idms_cli.files.formulas import guarded, unguarded
from idms_cli.records.faults import Fault, read_fault
from idms_cli.records.mended import fed_back
from idms_cli.records.rejects import RejectsFile

DATE = Fault("map", "JoinDate", "not-a-date", "'soon' is not a date.")
MONEY = Fault("map", "Amount", "not-a-number", "'dear' is not a number.")
HEADER = ["id", "name", "_line", "_stage", "_field", "_code", "_message", "_raw"]


def cells_of(path: Path, delimiter: str = ",") -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.reader(stream, delimiter=delimiter))


def read_back(path: Path, **options: str) -> tuple[tuple[str, ...], list[Row | BrokenRow]]:
    with open_table(path, CsvOptions(**options)) as table:
        original = fed_back(table)
        return original.columns, list(original.rows())


def test_a_row_stands_with_all_its_reasons(tmp_path: Path) -> None:
    path = tmp_path / "rejects.csv"
    with RejectsFile(path, ("id", "name")) as rejects:
        rejects.add(Row(14, ("7", "Zoë")), [DATE, MONEY])
    assert rejects.count == 1
    assert path.read_bytes().startswith(b"\xef\xbb\xbfid,name,_line")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    reasons = ["14", "map", "JoinDate; Amount", "not-a-date; not-a-number"]
    message = "''soon' is not a date. 'dear' is not a number."[1:]
    assert cells_of(path) == [HEADER, ["7", "Zoë", *reasons, message, ""]]


def test_without_rejects_there_is_no_file_and_an_old_one_goes(tmp_path: Path) -> None:
    path = tmp_path / "rejects.csv"
    path.write_text("old")
    with RejectsFile(path, ("id",)):
        pass
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_left_when_the_block_fails(tmp_path: Path) -> None:
    path = tmp_path / "rejects.csv"
    rejects = RejectsFile(path, ("id",))
    rejects.add(Row(2, ("7",)), [DATE])
    rejects.__exit__(KeyError, KeyError(), None)
    assert list(tmp_path.iterdir()) == []


def test_a_link_planted_under_its_name_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    (tmp_path / "rejects.csv").symlink_to(victim)
    (tmp_path / "rejects.csv.part").symlink_to(victim)
    with RejectsFile(tmp_path / "rejects.csv", ("id",)) as rejects:
        rejects.add(Row(2, ("7",)), [DATE])
    assert victim.read_text() == "untouched"
    assert not (tmp_path / "rejects.csv").is_symlink()


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    path = tmp_path / "gone" / "rejects.csv"
    with pytest.raises(IdmsError, match="the file of rejects cannot be written: No such file"):
        RejectsFile(path, ("id",)).add(Row(2, ("7",)), [DATE])


def test_it_is_fed_back_without_the_columns_of_reasons(tmp_path: Path) -> None:
    path = tmp_path / "rejects.csv"
    with RejectsFile(path, ("id", "name")) as rejects:
        rejects.add(Row(14, ("7", "=HYPERLINK(1)")), [DATE])
    assert cells_of(path)[1][1] == "'=HYPERLINK(1)"
    assert read_back(path) == (("id", "name"), [Row(2, ("7", "=HYPERLINK(1)"))])


@pytest.mark.parametrize("raw", ["7", "7,Ann,x", '7,"A "nn" x"', "=7"], ids=["short", "long", "quote", "formula"])
def test_a_broken_row_is_rejected_again_for_the_same_reason(tmp_path: Path, raw: str) -> None:
    source = tmp_path / "m.csv"
    source.write_text(f"id,name\n{raw}\n")
    with open_table(source, CsvOptions()) as table:
        (broken,) = table.rows()
        assert isinstance(broken, BrokenRow)
        with RejectsFile(tmp_path / "rejects.csv", table.columns, dialect=table.dialect) as rejects:
            rejects.add(broken, [read_fault(broken)])
    assert read_back(tmp_path / "rejects.csv") == (("id", "name"), [broken])


def rejected_short_row(folder: Path) -> list[list[str]]:
    broken = BrokenRow(3, ("7",), "ragged", "The row has 1 cell.", "7")
    with RejectsFile(folder / "rejects.csv", ("id", "name")) as rejects:
        rejects.add(broken, [read_fault(broken)])
    return cells_of(folder / "rejects.csv")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({"name": "Ann", "_raw": ""}, Row(2, ("7", "Ann")), id="cells corrected and _raw emptied"),
        pytest.param({"_raw": ""}, Row(2, ("7", "")), id="blank is right"),
        pytest.param({"_raw": "7,Ann"}, Row(2, ("7", "Ann")), id="_raw corrected"),
    ],
)
def test_a_broken_row_can_be_mended(tmp_path: Path, changes: dict[str, str], expected: Row) -> None:
    _, row = rejected_short_row(tmp_path)
    assert row[-2:] == ["The row has 1 cell. To mend it: correct the cells and empty _raw, or correct _raw.", "7"]
    assert mended_row(tmp_path, **changes) == expected


def mended_row(folder: Path, **changes: str) -> Row | BrokenRow:
    header, row = rejected_short_row(folder)
    path = folder / "mended.csv"
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows(
            [header, [changes.get(name, cell) for name, cell in zip(header, row, strict=True)]]
        )
    (found,) = read_back(path)[1]
    return found


def test_cells_that_were_corrected_beside_a_raw_that_was_not_are_kept_and_told(tmp_path: Path) -> None:
    told = "The row has 1 cell, but the header has 2 columns. The cells say something else, but _raw counts while it "
    assert mended_row(tmp_path, name="Ann") == BrokenRow(2, ("7", "Ann"), "ragged", f"{told}is not empty.", "7")


def test_a_raw_with_a_quote_that_is_never_closed_spoils_no_other_row(tmp_path: Path) -> None:
    row = mended_row(tmp_path, _raw='7,"Ann')
    assert isinstance(row, BrokenRow)
    assert (row.code, row.raw, row.cells) == ("quote", '7,"Ann', ("7", ""))


def test_a_row_with_a_nul_is_rejected_again_with_its_own_cells_and_text(tmp_path: Path) -> None:
    broken = BrokenRow(3, ("7", "A\0n"), "nul", "A cell has a NUL character, which no text may contain.", "7,A\0n")
    with RejectsFile(tmp_path / "rejects.csv", ("id", "name")) as rejects:
        rejects.add(broken, [read_fault(broken)])
    assert read_back(tmp_path / "rejects.csv")[1] == [broken._replace(line=2)]


def test_two_rows_in_one_raw_cell_are_not_taken_apart(tmp_path: Path) -> None:
    path = tmp_path / "mended.csv"
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows([HEADER, ["", "", "3", "read", "", "ragged", "", "7,Ann\n8,Bo"]])
    (row,) = read_back(path)[1]
    assert isinstance(row, BrokenRow)
    assert (row.line, row.code, row.raw) == (2, "several-rows", "7,Ann\n8,Bo")


def test_it_is_written_as_the_source_was_so_that_the_same_job_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "rejects.csv"
    with RejectsFile(path, ("id", "name"), dialect=Dialect(";", "'")) as rejects:
        rejects.add(Row(2, ("1,5", "it's; so")), [DATE])
    options = {"delimiter": ";", "quote": "'", "encoding": "cp1252"}
    assert read_back(path, **options)[1] == [Row(2, ("1,5", "it's; so"))]


def test_a_file_with_only_some_of_the_columns_of_reasons_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_text("id,_line,_code\n1,2,3\n")
    with pytest.raises(
        InputError, match=r"has _line, _code as a file of rejects has, but not _stage, _field, _message"
    ):
        read_back(path)


@pytest.mark.parametrize("text", ["=1+1", "+44-20", "-x", "@a", "\t=1", "\rx", "'=1", "-", "\uff1d1"], ids=repr)
def test_what_a_spreadsheet_would_run_is_guarded(text: str) -> None:
    assert guarded(text) == "'" + text
    assert unguarded(guarded(text)) == text


@pytest.mark.parametrize("text", ["", "a=1", "-5", "+3.50", "-1.234,56", "'quoted'", "O'Brien", " =1"], ids=repr)
def test_other_text_is_left_alone(text: str) -> None:
    assert guarded(text) == text
    assert unguarded(text) == text


@given(text=st.text("'=+-@\t\r\n5a.", max_size=8))
def test_guarding_is_undone_exactly(text: str) -> None:
    assert unguarded(guarded(text)) == text


CELL = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8) | st.text("'=-,\"\r\n")


@given(rows=st.lists(st.tuples(CELL, CELL), min_size=1, max_size=6), delimiter=st.sampled_from([",", ";", "\t"]))
def test_rejected_rows_come_back_equal(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]], delimiter: str
) -> None:
    path = tmp_path_factory.mktemp("rejects") / "r.csv"
    columns = ("=a", "b")
    with RejectsFile(path, columns, dialect=Dialect(delimiter)) as rejects:
        for number, row in enumerate(rows, start=2):
            rejects.add(Row(number, row), [DATE])
    found, back = read_back(path)
    assert found == columns
    assert [row.cells for row in back] == rows
