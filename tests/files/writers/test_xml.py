"""XML: any parser finds the same text in it, and what no XML may contain is refused."""

import re
from decimal import Decimal
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idms_cli.files.writers import Cell
from tests.delivery.cargo import ListRows
from tests.files.reading import read
from tests.files.writers.memory import peak_mb
from tests.files.writers.writing import kept, made, problem, refusal, rows, tables, text_of

FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
TABLE = rows(["ID", "Paid", "Note"], (Decimal("1.10"), True, "<b> & ]]>"), ("Zoë", None, ""))


def test_a_row_is_an_element_with_an_element_for_each_column() -> None:
    assert made("xml", TABLE).decode() == (
        '<?xml version="1.0" encoding="UTF-8"?>\n<records>\n'
        "<record><ID>1.10</ID><Paid>true</Paid><Note>&lt;b&gt; &amp; ]]&gt;</Note></record>\n"
        "<record><ID>Zoë</ID><Paid/><Note/></record>\n</records>\n"
    )


def test_names_and_what_is_empty_are_the_jobs() -> None:
    text = "{root: members, record: member, namespace: 'urn:a&b', empty: omit, booleans: ['1', '0']}"
    told = made("xml", TABLE, text).decode()
    assert '<members xmlns="urn:a&amp;b">' in told
    assert "<member><ID>1.10</ID><Paid>1</Paid>" in told
    assert "<member><ID>Zoë</ID><Note/></member>\n</members>" in told


def _readable(cell: Cell) -> str:
    return FORBIDDEN.sub("", text_of(cell))


@given(tables())
def test_a_parser_finds_the_same_text(table: ListRows) -> None:
    root = ElementTree.fromstring(made("xml", table, "{control_characters: drop}"))
    found = [tuple(one.text or "" for one in record) for record in root]
    assert found == [tuple(map(_readable, row)) for row in table.cells]
    assert {one.tag for record in root for one in record} <= set(table.columns)


@given(tables())
def test_our_reader_reads_what_was_written(tmp_path_factory: pytest.TempPathFactory, table: ListRows) -> None:
    path = kept(tmp_path_factory.getbasetemp(), "own.xml", made("xml", table, "{control_characters: drop}"))
    if not table.cells:
        return
    found = read(path, record="records/record", columns=list(table.columns))
    expected = [tuple(_readable(cell).strip() for cell in row) for row in table.cells]
    assert [tuple(map(str.strip, row)) for row in found.cells] == [row for row in expected if any(row)]


@given(st.text(max_size=3), st.sampled_from(["{}", "{control_characters: drop}"]))
def test_no_text_makes_a_document_that_cannot_be_parsed(text: str, chosen: str) -> None:
    table = rows(["ID"], (text,))
    if chosen == "{}" and (FORBIDDEN.search(text) or (not text.isprintable() and re.search("[\ud800-\udfff]", text))):
        assert "that no XML may contain" in refusal("xml", table)
    else:
        ElementTree.fromstring(made("xml", table, chosen))


def test_a_character_that_no_xml_may_contain_is_told_with_its_row() -> None:
    assert refusal("xml", rows(["ID", "Name"], ("1", "a"), ("2", "a\x0bb"))) == (
        "Row 2, column Name: 'a\\x0bb' has a character (U+000B) that no XML may contain. | Say "
        "`control_characters: drop`, or correct it where it comes from."
    )


def test_a_column_that_cannot_name_an_element_is_told_with_a_name_that_can() -> None:
    assert refusal("xml", rows(["First name", "2nd", "ok", "a:b"])) == (
        "'First name' cannot name an element of XML, as columns do. | Rename it in the job: rename: {First name: "
        "First_name, 2nd: _2nd, a:b: a_b}"
    )


def test_options_that_cannot_be_are_told() -> None:
    assert problem("xml", "{root: a b}") == (
        "'a b' cannot name an element | letters, digits, '_', '-' and '.', the first a letter or '_'"
    )


def test_a_file_of_any_length_takes_little_memory() -> None:
    assert peak_mb("xml", 8_000) - peak_mb("xml", 1_000) < 2
