"""A JSON document: its list of records is found, streamed, and the document is read to its end."""

import json
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idms_cli.files import Row, open_table
from idms_cli.files.options import FileOptions
from tests.files.reading import read, refusal, written

MEMBERS = '{"meta": {"pages": [1, 2]}, "data": {"members": [{"id": 1}, {"id": 2.0}]}, "next": null}\n'


def test_a_list_is_read_and_its_records_are_numbered(tmp_path: Path) -> None:
    found = read(written(tmp_path, "m.json", '[\n {"id": 1},\n {"id": 2}\n]'))
    assert found == (("id",), [Row(1, ("1",)), Row(2, ("2",))], ())


def test_the_list_may_be_anywhere_in_the_document(tmp_path: Path) -> None:
    assert read(written(tmp_path, "m.json", MEMBERS), records="data.members").cells == [("1",), ("2",)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_byte_order_marks_are_understood(tmp_path: Path, encoding: str) -> None:
    assert read(written(tmp_path, "m.json", '[{"a": "Zoë"}]'.encode(encoding))).cells == [("Zoë",)]


def test_what_is_no_object_is_a_broken_row(tmp_path: Path) -> None:
    found = read(written(tmp_path, "m.json", '[{"a": 1}, 7, {"a": 1, "a": 2}]'))
    assert found.broken == [
        (2, "syntax", "This is not an object with names and values: {...}."),
        (3, "syntax", "The name 'a' is there twice in one object."),
    ]


@pytest.mark.parametrize(
    ("content", "records", "message"),
    [
        pytest.param("", None, "1: there is nothing in this file.", id="empty"),
        pytest.param("[]", None, "there are no records, so nobody can tell its columns.", id="no records"),
        pytest.param(MEMBERS, None, "1: here is one object, and a list of records is wanted.", id="no path"),
        pytest.param(MEMBERS, "data.mebers", "1: there is no 'mebers' in this object. | did you mean", id="near"),
        pytest.param(MEMBERS, "next", "1: here stands 'n', and '[' is wanted. | Say where", id="no list"),
        pytest.param('{"a": [], "a": []}', "a", "1: 'a' is there twice.", id="path twice"),
        pytest.param('[{"a": 1}', None, "1: the document ends in the middle.", id="cut between records"),
        pytest.param('[{"a": 1},\n{"a": "x', None, "2: the document ends in the middle of a value", id="cut in text"),
        pytest.param('[{"a": 1},\n{"a": 1', None, "2: the document ends in the middle of a value", id="cut in record"),
        pytest.param('[{"a": 1},\n{"a": 1 b}]', None, "2: this is not JSON: Expecting ',' delimiter.", id="wrong"),
        pytest.param('[{"a": 1}] []', None, "1: something follows the end of the document.", id="rest"),
        pytest.param('{"a": 1}\n{"a": 2}', None, "2: there is an object after the other. | This is JSON L", id="lines"),
        pytest.param("[" * 100_000, None, "1: the value that begins here is nested too deep.", id="deep lists"),
        pytest.param('[{"a":' * 50_000, None, "1: the value that begins here is nested too deep.", id="deep objects"),
        pytest.param('[{"a": "' + "x" * 1_100_000, None, "1: the value that begins here is longer than", id="long"),
        pytest.param(b'[{"a": 1}, {"a": "\xe9"}]', None, "1: the text after this line cannot be decoded", id="bytes"),
        pytest.param("<!DOCTYPE html><p>Log in</p>", None, "this is an HTML page, not JSON.", id="a login page"),
    ],
)
def test_a_document_that_cannot_be_read_is_refused(
    tmp_path: Path, content: str | bytes, records: str | None, message: str
) -> None:
    assert refusal(written(tmp_path, "m.json", content), records=records).startswith(message)


def test_the_lists_that_there_are_are_named(tmp_path: Path) -> None:
    text = refusal(written(tmp_path, "m.json", '{"errors": [], "n": 1, "data": {"people": [{}]}, "old": [{}]}'))
    assert text.endswith("for example `records: data.members`. Lists in it: data.people, old.")


def test_records_that_lie_across_the_pieces_in_which_a_file_is_read_are_whole(tmp_path: Path) -> None:
    records = [{"id": number, "text": "é" * (number * 97 % 5000)} for number in range(1, 400)]
    path = written(tmp_path, "m.json", json.dumps(records, indent=1, ensure_ascii=False))
    assert path.stat().st_size > 1_000_000
    assert read(path).cells == [(str(one["id"]), one["text"]) for one in records]


def test_memory_stays_flat_on_one_long_line(tmp_path: Path) -> None:
    record = '{"id": 12345, "name": "somebody with a name"}'
    path = written(
        tmp_path, "m.json", '{"before": [' + "1, " * 80_000 + "1], " + f'"d": [{", ".join([record] * 20_000)}]}}'
    )
    tracemalloc.start()
    with open_table(path, FileOptions(records="d")) as table:
        count = sum(1 for _ in table.rows())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 20_000
    assert peak < 4_000_000


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)


@given(rows=st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=6), indent=st.sampled_from([None, 1]))
def test_what_the_standard_library_writes_comes_back_equal(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]], indent: int | None
) -> None:
    text = json.dumps([{"a": a, "b": b} for a, b in rows], indent=indent)
    path = written(tmp_path_factory.mktemp("json"), "m.json", text)
    assert read(path).cells == [row for row in rows if any(map(str.strip, row))]
