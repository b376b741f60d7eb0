"""XML: elements become rows, their children and attributes columns; nothing but the file itself is ever read."""

import tracemalloc
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idms_cli.files import Row, open_table
from idms_cli.files.options import FileOptions
from tests.files.reading import read, refusal, written

LAUGHS = '<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;"><!ENTITY c "&b;&b;">]><l><r><x>&c;</x></r></l>'
ELSEWHERE = '<!DOCTYPE l [<!ENTITY x SYSTEM "file:///etc/passwd">]><l><r><x>&x;</x></r></l>'


def one(folder: Path, record: str, **options: Any) -> dict[str, str]:
    found = read(written(folder, "m.xml", f"<members>{record}</members>"), record="member", **options)
    return dict(zip(found.columns, found.cells[0], strict=True))


@pytest.mark.parametrize(
    ("record", "values"),
    [
        pytest.param("<member><id>1</id><n>A &amp; B</n></member>", {"id": "1", "n": "A & B"}, id="children"),
        pytest.param('<member id="1"><n lang="no">Å</n></member>', {"@id": "1", "n.@lang": "no", "n": "Å"}, id="attrs"),
        pytest.param("<member><a><b>1</b><c>2</c></a></member>", {"a.b": "1", "a.c": "2"}, id="nested"),
        pytest.param("<member><n>\n  Ann \n</n><x/></member>", {"n": "Ann", "x": ""}, id="space and nothing"),
        pytest.param("<member><t>a</t><t>b</t></member>", {"t": "a,b"}, id="repeated"),
        pytest.param(
            "<member><o><i>1</i></o><o><i>2</i></o></member>", {"o": "<o><i>1</i></o><o><i>2</i></o>"}, id="lists"
        ),
        pytest.param("<member><p>a <b>&lt;</b> c</p></member>", {"p": "a <b>&lt;</b> c"}, id="mixed"),
        pytest.param("<member>Ann</member>", {"member": "Ann"}, id="text of its own"),
        pytest.param("<member><![CDATA[<x>]]></member>", {"member": "<x>"}, id="CDATA"),
        pytest.param(
            '<member xmlns:p="urn:p"><p:id>1</p:id></member>', {"p:id": "1"}, id="prefixes stay, declarations go"
        ),
    ],
)
def test_what_is_in_an_element_has_a_name(tmp_path: Path, record: str, values: dict[str, str]) -> None:
    assert one(tmp_path, record) == values


@pytest.mark.parametrize(
    ("path", "numbers"),
    [
        pytest.param("member", ["1", "2", "3"], id="by name, anywhere"),
        pytest.param("new/member", ["2"], id="by its parents"),
        pytest.param("/all/member", ["3"], id="from the root"),
    ],
)
def test_records_are_found_by_their_path(tmp_path: Path, path: str, numbers: list[str]) -> None:
    first, second, third = (f"<member><id>{number}</id></member>" for number in (1, 2, 3))
    text = f"<all><old>{first}</old><new>{second}</new>{third}</all>"
    found = read(written(tmp_path, "m.xml", text), record=path)
    assert found.cells == [(number,) for number in numbers]


def test_a_record_inside_a_record_is_a_part_of_it(tmp_path: Path) -> None:
    assert one(tmp_path, "<member><id>1</id><member><id>2</id></member></member>") == {"id": "1", "member.id": "2"}


def test_records_are_numbered_and_missing_values_are_blank(tmp_path: Path) -> None:
    found = read(written(tmp_path, "m.xml", "<l><r><a>1</a></r><r/><r><b>2</b></r></l>"), record="r")
    assert found == (
        ("a", "b"),
        [Row(1, ("1", "")), Row(3, ("", "2"))],
        ("1 record without any value passed over.",),
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1", "windows-1252"])
def test_the_file_tells_its_encoding(tmp_path: Path, encoding: str) -> None:
    text = f'<?xml version="1.0" encoding="{encoding}"?><l><r><a>Zoë</a></r></l>'
    assert read(written(tmp_path, "m.xml", text.encode(encoding)), record="r").cells == [("Zoë",)]


def test_the_job_may_know_the_encoding_better(tmp_path: Path) -> None:
    path = written(tmp_path, "m.xml", "<l><r><a>Zoë</a></r></l>".encode("cp1252"))
    assert read(path, record="r", encoding="cp1252").cells == [("Zoë",)]
    assert refusal(path, record="r").startswith("1: this is not XML: not well-formed (invalid token).")


def test_an_encoding_of_several_bytes_has_to_be_said_in_the_job(tmp_path: Path) -> None:
    text = '<?xml version="1.0" encoding="shift_jis"?><l><r><a>会員</a></r></l>'
    path = written(tmp_path, "m.xml", text.encode("shift_jis"))
    assert read(path, record="r", encoding="shift_jis").cells == [("会員",)]
    assert refusal(path, record="r").startswith(
        "1: the text cannot be decoded: multi-byte encodings are not supported."
    )


def test_a_byte_that_is_no_character_is_told_with_its_line(tmp_path: Path) -> None:
    path = written(tmp_path, "m.xml", b"<l>\r\n<r><a>Jos\xe9</a></r></l>")
    assert refusal(path, record="r", encoding="utf-8").startswith(
        "2: this line cannot be read as utf-8: the byte 0xe9 is no character there"
    )


@pytest.mark.parametrize(
    ("columns", "record"),
    [
        pytest.param(["e.@t"], '<r><e t="1">x</e><e t="2">y</e></r>', id="an attribute of repeated elements"),
        pytest.param(["a.b"], "<r><a><b>1</b></a><a><b>2</b></a></r>", id="an element in repeated elements"),
        pytest.param(["a"], "<r><a><b>1</b></a></r>", id="an element with others in it"),
        pytest.param(["a"], "<r><a>1,5</a><a>2</a></r>", id="a list with the mark in it"),
    ],
)
def test_a_named_column_that_is_no_single_value_is_a_fault(tmp_path: Path, columns: list[str], record: str) -> None:
    found = read(written(tmp_path, "m.xml", f"<l>{record}</l>"), record="r", columns=columns)
    assert [code for _, code, _ in found.broken] == ["nested"]
    assert "<r>" in found.rows[0].raw  # type: ignore[union-attr]  # a broken row, as the line above says


def test_attributes_of_a_named_column_are_left_alone(tmp_path: Path) -> None:
    assert one(tmp_path, '<member><e t="1">x</e></member>', columns=["e"]) == {"e": "x"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param("", "1: this is not XML: the document ends in the middle.", id="empty"),
        pytest.param("<l><r><a>1</a></r>", "1: this is not XML: the document ends in the middle.", id="cut"),
        pytest.param("<l><r><a>1</a></r><r><", "1: this is not XML: the document ends in the middle.", id="cut in tag"),
        pytest.param("<l><r></l>", "1: this is not XML: mismatched tag.", id="wrong"),
        pytest.param("id,name\n1,Ann\n", "1: this is not XML: syntax error.", id="CSV"),
        pytest.param(LAUGHS, "1: there is a DOCTYPE, which is not read.", id="billion laughs"),
        pytest.param(ELSEWHERE, "1: there is a DOCTYPE, which is not read.", id="external entity"),
        pytest.param("<l><r><a>&x;</a></r></l>", "1: this is not XML: undefined entity.", id="entity"),
        pytest.param("<l>" + "<r>" * 40, "1: elements are nested deeper than 32.", id="deep"),
        pytest.param("<l><r>" + "x" * 1_200_000, "1: a record is longer than 1,048,576 bytes.", id="long record"),
        pytest.param('<l><r a="' + "x" * 1_200_000, "1: what begins here is longer than 1,048,576", id="long tag"),
        pytest.param("<l><R/></l>", "there is no element 'r'. | did you mean 'R'?", id="no such element"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, content: str, message: str) -> None:
    assert refusal(written(tmp_path, "m.xml", content), record="r").startswith(message)


def test_a_file_may_be_empty_when_the_place_of_its_records_is_there(tmp_path: Path) -> None:
    assert read(written(tmp_path, "m.xml", "<l></l>"), record="l/r", columns=["a"]).rows == []
    assert refusal(written(tmp_path, "m.xml", "<l><s/></l>"), record="l/r", columns=["a"]).startswith("there is no")


def test_memory_stays_flat(tmp_path: Path) -> None:
    record = "<r><id>12345</id><name>somebody with a name</name></r>\n"
    path = written(tmp_path, "m.xml", f"<l>{record * 30_000}</l>")
    tracemalloc.start()
    with open_table(path, FileOptions(record="r")) as table:
        count = sum(1 for _ in table.rows())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 30_000
    assert peak < 4_000_000


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), max_size=12)


@given(rows=st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=6), encoding=st.sampled_from(["utf-8", "us-ascii"]))
def test_what_the_standard_library_writes_comes_back_equal(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]], encoding: str
) -> None:
    root = ElementTree.Element("l")
    for first, second in rows:
        record = ElementTree.SubElement(root, "r", {"a": first})
        ElementTree.SubElement(record, "b").text = second
    path = written(tmp_path_factory.mktemp("xml"), "m.xml", ElementTree.tostring(root, encoding=encoding))
    assert read(path, record="r").cells == [row for row in rows if any(row)]
