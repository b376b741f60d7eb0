"""JSON Lines: every value of an object is a cell under its name, or the line is broken and kept."""

import json
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idms_cli.files import BrokenRow, Row, open_table
from idms_cli.files.options import FileOptions
from tests.files.reading import read, refusal, written


def one(folder: Path, line: str, **options: object) -> dict[str, str]:
    found = read(written(folder, "m.jsonl", line + "\n"), **options)
    return dict(zip(found.columns, found.cells[0], strict=True))


@pytest.mark.parametrize(
    ("written_as", "cell"),
    [
        pytest.param('"Zoë \\u00e9\\n"', "Zoë é\n", id="text"),
        pytest.param("42", "42", id="whole number"),
        pytest.param("12345678901234567890123", "12345678901234567890123", id="long number"),
        pytest.param("19.90", "19.90", id="fraction as it is written"),
        pytest.param("12.0", "12", id="fraction of nothing"),
        pytest.param("1e3", "1000", id="exponent"),
        pytest.param("-2.5E-4", "-0.00025", id="small exponent"),
        pytest.param("1e999999999", "1e999999999", id="monstrous exponent"),
        pytest.param("true", "true", id="true"),
        pytest.param("false", "false", id="false"),
        pytest.param('["a", 2, true]', "a,2,true", id="list"),
        pytest.param('[{"id": 1.5, "ok": true}, [null]]', '[{"id": 1.5, "ok": true}, [null]]', id="list of objects"),
    ],
)
def test_a_value_becomes_text(tmp_path: Path, written_as: str, cell: str) -> None:
    assert one(tmp_path, f'{{"v": {written_as}}}') == {"v": cell}


def test_objects_inside_have_long_names(tmp_path: Path) -> None:
    line = '{"id": 1, "home": {"city": "Oslo", "at": {"lat": 59.9}}}'
    assert one(tmp_path, line) == {"id": "1", "home.city": "Oslo", "home.at.lat": "59.9"}


def test_what_is_nested_deeper_than_names_go_is_kept_as_json(tmp_path: Path) -> None:
    line = '{"a":' * 9 + "1" + "}" * 9
    assert one(tmp_path, line) == {"a.a.a.a.a.a.a.a": '{"a": 1}'}


def test_the_columns_are_those_of_the_first_records_and_what_is_missing_is_blank(tmp_path: Path) -> None:
    found = read(written(tmp_path, "m.jsonl", '{"a": 1}\n\n{"b": null, "a": ""}\n{"c": 3}\n{}\n'))
    assert found.columns == ("a", "b", "c")
    assert found.rows == [Row(1, ("1", "", "")), Row(4, ("", "", "3"))]
    assert found.notes == ("3 records without any value passed over.",)


def test_a_value_that_turns_up_later_under_a_new_name_is_not_lost(tmp_path: Path) -> None:
    lines = ['{"id": 1}'] * 100 + ['{"id": 2, "new": null}', '{"id": 3, "new": "x"}']
    found = read(written(tmp_path, "m.jsonl", "\n".join(lines)))
    message = (
        "There is a value named 'new', which none of the first 100 records has; `columns:` in the job settles which "
        "there are."
    )
    assert found.broken == [(102, "unknown-column", message)]
    last = found.rows[-1]
    assert isinstance(last, BrokenRow)
    assert (last.cells, last.raw) == (("3",), '{"id": 3, "new": "x"}')


def test_named_columns_leave_other_values_alone(tmp_path: Path) -> None:
    path = written(tmp_path, "m.jsonl", '{"id": 1, "junk": [[1]], "name": "Ann"}\n{"id": 2}\n')
    assert read(path, columns=["name", "id"]).cells == [("Ann", "1"), ("", "2")]


def test_a_named_column_that_no_record_has_is_told(tmp_path: Path) -> None:
    path = written(tmp_path, "m.jsonl", '{"name": 1}\n')
    assert read(path, columns=["nmae"]).notes == (
        "None of the first 100 records has a value named 'nmae'; did you mean 'name'?",
    )


@pytest.mark.parametrize(
    ("line", "code", "message"),
    [
        pytest.param("[1]", "syntax", "This is not an object with names and values: {...}.", id="list"),
        pytest.param('{"a": 1', "syntax", "This line is not JSON: Expecting ',' delimiter (character 8).", id="cut"),
        pytest.param('{"a": 1} x', "syntax", "Something follows the object on this line (character 9).", id="rest"),
        pytest.param('{"a": 1, "a": 2}', "syntax", "The name 'a' is there twice in one object.", id="name twice"),
        pytest.param('{"a": NaN}', "syntax", "NaN is no JSON.", id="NaN"),
        pytest.param('{"a": "\\u0000"}', "nul", "A value has a NUL character, which no text may contain.", id="NUL"),
        pytest.param(
            '{"a": "\\ud800"}', "no-character", "A value has one half of a surrogate pair, which is no", id="surrogate"
        ),
        pytest.param('{"a": ["b,c", "d"]}', "nested", "'a' cannot be one cell: it is a list, and 'b,c' in", id="list"),
        pytest.param('{"a": 1, "x": {"y": 2}, "x.y": 3}', "nested", "'x.y' cannot be one cell: it is", id="two ways"),
        pytest.param('{"a": ' + "[" * 100_000, "syntax", "This line is not JSON: Values are nested too", id="deep"),
    ],
)
def test_a_line_that_cannot_be_a_row_is_broken_and_kept(tmp_path: Path, line: str, code: str, message: str) -> None:
    found = read(written(tmp_path, "m.jsonl", f'{{"a": 8, "x": {{"y": 9}}}}\n{line}\n{{"a": 7}}\n'))
    first, broken, last = found.rows
    assert (first, last) == (Row(1, ("8", "9")), Row(3, ("7", "")))
    assert isinstance(broken, BrokenRow)
    assert (broken.line, broken.code) == (2, code)
    assert broken.message.startswith(message)
    assert broken.raw == line


@pytest.mark.parametrize(
    ("columns", "line"),
    [
        pytest.param(["home.city"], '{"home": [{"city": 1}, {"city": 2}]}', id="a list around it"),
        pytest.param(["home"], '{"home": {"city": 1}}', id="an object in its place"),
    ],
)
def test_a_named_column_that_is_no_single_value_is_a_fault(tmp_path: Path, columns: list[str], line: str) -> None:
    found = read(written(tmp_path, "m.jsonl", line), columns=columns)
    assert [code for _, code, _ in found.broken] == ["nested"]


def test_the_mark_between_values_of_a_list_can_be_chosen(tmp_path: Path) -> None:
    assert one(tmp_path, '{"a": ["b,c", "d"]}', join="|") == {"a": "b,c|d"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param("", "there are no records, so nobody can tell its columns.", id="empty"),
        pytest.param('[{"a": 1},\n{"a": 2}]', "1: no record can be read. This line is not JSON", id="one document"),
        pytest.param(b'{"a": "Jos\xe9"}', "1: this line cannot be read as utf-8: the byte 0xe9", id="not UTF-8"),
        pytest.param(b"\x1f\x8b\x08", "this is a file packed by gzip, not JSON Lines.", id="packed"),
    ],
)
def test_a_file_that_is_no_json_lines_is_refused(tmp_path: Path, content: str | bytes, message: str) -> None:
    assert refusal(written(tmp_path, "m.jsonl", content)).startswith(message)


def test_a_file_may_be_empty_when_its_columns_are_named(tmp_path: Path) -> None:
    assert read(written(tmp_path, "m.jsonl", ""), columns=["a"]) == (("a",), [], ())


def test_another_encoding_can_be_declared(tmp_path: Path) -> None:
    path = written(tmp_path, "m.ndjson", '{"a": "José"}'.encode("cp1252"))
    assert read(path, encoding="cp1252").cells == [("José",)]


def test_memory_stays_flat(tmp_path: Path) -> None:
    path = written(tmp_path, "m.jsonl", '{"id": 12345, "name": "somebody with a name"}\n' * 60_000)
    tracemalloc.start()
    with open_table(path, FileOptions()) as table:
        count = sum(1 for _ in table.rows())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 60_000
    assert peak < 12_000_000


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)


@given(rows=st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=6), ascii_only=st.booleans())
def test_what_the_standard_library_writes_comes_back_equal(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]], ascii_only: bool
) -> None:
    lines = [json.dumps({"a": a, "b": b}, ensure_ascii=ascii_only) for a, b in rows]
    path = written(tmp_path_factory.mktemp("jsonl"), "m.jsonl", "\n".join(lines))
    assert read(path).cells == [row for row in rows if any(map(str.strip, row))]
