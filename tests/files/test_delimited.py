"""Reading CSV and TSV: nothing of a file is lost, and what cannot be read is said with its line."""

import codecs
import os
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from idms_cli.errors import InputError
from idms_cli.files import BrokenRow, Row, format_of, open_table
from idms_cli.files.options import FileOptions
from idms_cli.files.source import open_source

Read = tuple[tuple[str, ...], list[Row | BrokenRow], tuple[str, ...]]


def read(path: Path, **options: Any) -> Read:
    with open_table(path, FileOptions(**options)) as table:
        rows = list(table.rows())
        return table.columns, rows, table.notes


def written(folder: Path, content: str | bytes, name: str = "m.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def refusal(path: Path, **options: str) -> InputError:
    with pytest.raises(InputError) as caught:
        read(path, **options)
    assert caught.value.hint
    return caught.value


def test_rows_have_the_line_on_which_they_start(tmp_path: Path) -> None:
    path = written(tmp_path, 'id,note\n1,"two\nlines"\n\n2,"say ""hi"""\n')
    columns, rows, notes = read(path)
    assert columns == ("id", "note")
    assert rows == [Row(2, ("1", "two\nlines")), Row(5, ("2", 'say "hi"'))]
    assert notes == ("1 blank line passed over.",)


@pytest.mark.parametrize(
    ("header", "delimiter"),
    [
        pytest.param("a,b", ",", id="comma"),
        pytest.param("a;b", ";", id="semicolon"),
        pytest.param("a\tb", "\t", id="tab"),
        pytest.param("a|b", "|", id="pipe"),
        pytest.param('"a, first";b', ";", id="comma inside quotes"),
        pytest.param("a", ",", id="one column"),
    ],
)
def test_the_delimiter_is_found_in_the_header(tmp_path: Path, header: str, delimiter: str) -> None:
    with open_table(written(tmp_path, header + "\n"), FileOptions()) as table:
        assert table.dialect.delimiter == delimiter


def test_a_header_that_could_be_cut_in_two_ways_asks_for_the_delimiter(tmp_path: Path) -> None:
    path = written(tmp_path, "name;city, state;zip\nA;B, C;1\n")
    error = refusal(path)
    assert str(error) == f"{path}:1: the header could be cut in several ways: 'name;city, state;zip'."
    assert "delimiter" in error.hint
    assert read(path, delimiter=";")[1] == [Row(2, ("A", "B, C", "1"))]


def test_tsv_needs_no_delimiter_and_keeps_commas(tmp_path: Path) -> None:
    assert read(written(tmp_path, "a\tb, c\n1\t2\n", "m.tsv"))[0] == ("a", "b, c")


def test_another_quote_can_be_named(tmp_path: Path) -> None:
    assert read(written(tmp_path, "a,b\n'1,2','it''s'\n"), quote="'")[1] == [Row(2, ("1,2", "it's"))]


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        pytest.param(codecs.BOM_UTF8 + "né,b\nø,2\n".encode(), None, id="utf-8 with mark"),
        pytest.param("né,b\nø,2\n".encode(), None, id="utf-8"),
        pytest.param("né,b\nø,2\n".encode("utf-16"), None, id="utf-16 with mark"),
        pytest.param(codecs.BOM_UTF16_BE + "né,b\nø,2\n".encode("utf-16-be"), None, id="utf-16 big-endian with mark"),
        pytest.param("né,b\nø,2\n".encode("utf-16-le"), "utf-16-le", id="utf-16 as declared"),
        pytest.param("né,b\nø,2\n".encode("cp850"), "cp850", id="cp850 as declared"),
        pytest.param(codecs.BOM_UTF8 + "né,b\nø,2\n".encode(), "cp1252", id="the mark beats what is declared"),
    ],
)
def test_text_is_read_in_its_encoding(tmp_path: Path, content: bytes, encoding: str | None) -> None:
    options = {} if encoding is None else {"encoding": encoding}
    assert read(written(tmp_path, content), **options) == (("né", "b"), [Row(2, ("ø", "2"))], ())


def test_a_file_that_is_not_utf_8_is_read_as_cp1252_and_says_so(tmp_path: Path) -> None:
    path = written(tmp_path, "id,name\n1,José\n2,Ann\n3,Müller €\n".encode("cp1252"))
    _, rows, notes = read(path)
    assert rows == [Row(2, ("1", "José")), Row(3, ("2", "Ann")), Row(4, ("3", "Müller €"))]
    assert notes == ("Not UTF-8, so read as cp1252: 2 lines have characters beyond ASCII. `encoding:` settles it.",)


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
def test_a_byte_that_is_no_character_is_told_with_its_line(tmp_path: Path, line_end: str) -> None:
    path = written(tmp_path, f"id{line_end}1{line_end}".encode() + b"\x81" + line_end.encode())
    error = refusal(path)
    assert str(error).startswith(f"{path}:3: this line cannot be read as cp1252: the byte 0x81 is no character there")


def test_a_declared_encoding_is_strict(tmp_path: Path) -> None:
    path = written(tmp_path, b"id\n1\nJos\xe9\n")
    assert str(refusal(path, encoding="utf-8")).startswith(
        f"{path}:3: this line cannot be read as utf-8: the byte 0xe9"
    )


@pytest.mark.parametrize("said", ["sep=;\n", '"sep=;"\r\n', "SEP=;\r\n", "\ufeffsep=;\n"], ids=repr)
def test_a_line_above_the_header_may_say_the_delimiter_as_it_is_written_for_excel(tmp_path: Path, said: str) -> None:
    path = written(tmp_path, f"{said}id;a,b\n1;x\n2\n".encode())
    for options in ({}, {"delimiter": ";"}):
        columns, rows, _ = read(path, **options)
        assert columns == ("id", "a,b")
        assert (rows[0], rows[1].line) == (Row(3, ("1", "x")), 4)


def test_a_file_with_only_the_line_that_says_the_delimiter_has_no_header(tmp_path: Path) -> None:
    path = written(tmp_path, b"sep=;\n")
    assert str(refusal(path)) == f"{path}:2: there is no header here."


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("name", ["Ann", "Zoë Müller", "Dvořák \u201cTony\u201d €"])
def test_utf_16_without_a_mark_is_recognized(tmp_path: Path, name: str, encoding: str) -> None:
    error = refusal(written(tmp_path, f"id,name\n1,{name}\n".encode(encoding)))
    assert "UTF-16 without a byte order mark" in str(error)
    assert encoding in error.hint


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r", "\r\r\n"], ids=["LF", "CRLF", "CR", "CRCRLF"])
def test_every_line_end_ends_a_row(tmp_path: Path, line_end: str) -> None:
    rows = read(written(tmp_path, line_end.join(["a,b", "1,2", "3,4"])))[1]
    assert [row.cells for row in rows] == [("1", "2"), ("3", "4")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param("", "there is no header here", id="empty file"),
        pytest.param("\na,b\n", "there is no header here", id="blank first line"),
        pytest.param(",,\n1,2,3\n", "there is no header here", id="only delimiters"),
        pytest.param("a,,b, \n", "column 2 has no name; column 4 has no name", id="blank names"),
        pytest.param("a,b,a ,b\n", "column 3 has the same name as column 1: 'a'; column 4 has", id="names twice"),
        pytest.param('"a,b\n1,2\n', "the header cannot be read", id="open quote"),
    ],
)
def test_a_wrong_header_is_refused_with_every_fault(tmp_path: Path, content: str, message: str) -> None:
    path = written(tmp_path, content)
    assert str(refusal(path)).startswith(f"{path}:1: {message}")


def test_names_that_differ_in_case_are_two_columns(tmp_path: Path) -> None:
    assert read(written(tmp_path, "a,A\n"))[0] == ("a", "A")


@pytest.mark.parametrize(
    ("line", "code", "cells", "message"),
    [
        pytest.param("1", "ragged", ("1",), "The row has 1 cell, but the header has 2 columns.", id="short"),
        pytest.param("1,2,3", "ragged", ("1", "2", "3"), "The row has 3 cells, but the header", id="long"),
        pytest.param('"a "b" c",2', "quote", ('a b" c"', "2"), "A quoted cell on this line goes on", id="bare quote"),
        pytest.param("1,\0", "nul", ("1", "\0"), "A cell has a NUL character", id="NUL"),
    ],
)
def test_a_row_that_cannot_be_read_is_kept_whole(
    tmp_path: Path, line: str, code: str, cells: tuple[str, ...], message: str
) -> None:
    first, broken, last = read(written(tmp_path, f"a,b\n8,8\n{line}\r\n9,9\n"))[1]
    assert isinstance(broken, BrokenRow)
    assert (broken.line, broken.cells, broken.code, broken.raw) == (3, cells, code, line)
    assert broken.message.startswith(message)
    assert (first, last) == (Row(2, ("8", "8")), Row(4, ("9", "9")))


def test_an_open_quote_takes_the_next_quoted_line_with_it_and_both_are_kept(tmp_path: Path) -> None:
    rows = read(written(tmp_path, 'a,b\n"open,1\n"x","2"\n3,4\n'))[1]
    assert rows[0].line == 2
    assert isinstance(rows[0], BrokenRow)
    assert (rows[0].code, rows[0].raw) == ("quote", '"open,1\n"x","2"')
    assert rows[1:] == [Row(4, ("3", "4"))]


def test_a_quote_that_is_never_closed_stops_the_reading(tmp_path: Path) -> None:
    path = written(tmp_path, 'a,b\n1,2\n3,"4\n5,6\n7,8\n')
    assert str(refusal(path)) == f"{path}:3: a quote opened in the record on this line is never closed."


def test_a_quote_that_runs_on_for_a_megabyte_stops_the_reading(tmp_path: Path) -> None:
    path = written(tmp_path, 'a,b\n1,"2\n' + "5,6\n" * 400_000 + '"\n')
    assert str(refusal(path)).startswith(f"{path}:2: a quote opened in the record on this line is not closed within")


def test_a_line_without_an_end_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, "a,b\n1,2\n" + "x" * 1_100_000 + ",3\n")
    assert str(refusal(path)) == f"{path}:3: this line is longer than 1,048,576 characters."


def test_a_cell_longer_than_the_standard_limit_is_read(tmp_path: Path) -> None:
    assert read(written(tmp_path, f"a,b\n{'x' * 500_000},2\n"))[1] == [Row(2, ("x" * 500_000, "2"))]


def test_rows_can_be_read_again_from_the_start(tmp_path: Path) -> None:
    with open_table(written(tmp_path, "a\n1\n2\n"), FileOptions()) as table:
        first = next(iter(table.rows()))
        assert [row.cells for row in table.rows()] == [("1",), ("2",)]
        assert first == Row(2, ("1",))


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, "a\n1\n")
    with open_table(path, FileOptions()) as table:
        with path.open("a") as stream:
            stream.write("2\n")
        with pytest.raises(InputError, match="the file changed while it was being read"):
            list(table.rows())


def test_the_fingerprint_is_that_of_the_bytes(tmp_path: Path) -> None:
    path = written(tmp_path, "a\n1\n")

    with open_table(path, FileOptions()) as table:
        with open_source(path) as source:
            assert table.fingerprint == source.fingerprint
        assert table.fingerprint.size == 4
        assert table.fingerprint.sha256 == "309b0e45a73d3fc5325e2b6ed0a01ef8b9cde6b05a5633c1f893f970d52bfddc"


@pytest.mark.parametrize("kind", ["missing", "folder", "pipe", "nul in its name"])
def test_what_is_no_file_is_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / ("x\0.csv" if kind.startswith("nul") else "x.csv")
    if kind == "folder":
        path.mkdir()
    if kind == "pipe":
        os.mkfifo(path)
    refusal(path)


def test_an_unknown_ending_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"\.docx tells no format") as caught:
        format_of(tmp_path / "x.docx")
    assert ".csv" in caught.value.hint


def test_memory_stays_flat(tmp_path: Path) -> None:
    path = written(tmp_path, "id,name\n" + "12345,somebody with a name\n" * 200_000)
    tracemalloc.start()
    with open_table(path, FileOptions()) as table:
        count = sum(1 for _ in table.rows())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 200_000
    assert peak < 16_000_000
