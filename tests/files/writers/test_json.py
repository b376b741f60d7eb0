"""JSON and JSON Lines: every value comes back as it was, each digit of a number included."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.delivery.cargo import ListRows
from tests.files.reading import read
from tests.files.writers.memory import peak_mb
from tests.files.writers.writing import kept, made, problem, refusal, rows, tables

TABLE = rows(["ID", "Paid", "Fee", "Note"], ("Zoë", True, Decimal("1.10"), None), ('"=1\n"', False, 2**70, ""))


def test_a_document_is_a_list_with_an_object_a_line() -> None:
    assert made("json", TABLE).decode() == (
        '[\n{"ID":"Zoë","Paid":true,"Fee":1.10,"Note":null},\n'
        '{"ID":"\\"=1\\n\\"","Paid":false,"Fee":1180591620717411303424,"Note":""}\n]\n'
    )
    assert made("json", rows(["ID"])) == b"[]\n"
    assert made("jsonl", rows(["ID"])) == b""


def test_it_can_be_indented_as_others_do_it() -> None:
    told = made("json", TABLE, "{indent: 2}").decode()
    assert told == json.dumps(json.loads(told), indent=2, ensure_ascii=False).replace("1.1,", "1.10,") + "\n"


def test_nothing_can_be_left_out_and_everything_be_ascii() -> None:
    told = made("jsonl", rows(["ID", "Note"], ("Zoë \U0001f600", None)), "{nulls: omit, ascii: true}")
    assert told == b'{"ID":"Zo\\u00eb \\ud83d\\ude00"}\n'


def _loaded(text: str) -> Any:
    return json.loads(text, parse_float=Decimal)


@given(tables(), st.sampled_from(["{}", "{indent: 3}", "{ascii: true}"]))
def test_the_json_module_reads_what_was_written(table: ListRows, text: str) -> None:
    found = _loaded(made("json", table, text).decode())
    assert found == [dict(zip(table.columns, row, strict=True)) for row in table.cells]


@given(tables(), st.sampled_from(["{}", "{ascii: true}"]))
def test_each_line_of_json_lines_is_an_object(table: ListRows, text: str) -> None:
    lines = made("jsonl", table, text).decode().split("\n")
    assert lines.pop() == ""
    assert [_loaded(line) for line in lines] == [dict(zip(table.columns, row, strict=True)) for row in table.cells]


@pytest.mark.parametrize("name", ["json", "jsonl"])
def test_our_reader_reads_what_was_written(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    found = read(kept(tmp_path_factory.getbasetemp(), f"own.{name}", made(name, TABLE)))
    assert found.columns == TABLE.columns
    assert found.cells == [("Zoë", "true", "1.10", ""), ('"=1\n"', "false", str(2**70), "")]


def test_text_that_is_no_unicode_is_refused_with_its_row() -> None:
    assert refusal("jsonl", rows(["ID", "Name"], ("1", "x"), ("2", "\udc00"))).startswith(
        "Row 2, column Name: a text has one half of a surrogate pair, which is no character."
    )
    assert "more than 4,300 digits" in refusal("jsonl", rows(["ID"], (10**5000,)))


ENVELOPE = """{envelope: '{"count": {{ count }}, "job": {{ job|json }}, "members": {{ rows }}}'}"""


def test_the_list_stands_in_an_envelope() -> None:
    told = made("json", TABLE, ENVELOPE)
    assert json.loads(told)["count"] == 2
    assert told.startswith(b'{"count": 2, "job": "feed", "members": [\n{"ID":"Zo\xc3\xab"')
    assert told.endswith(b'"Note":""}\n]}')
    assert json.loads(made("json", TABLE, ENVELOPE.replace("}'}", "}', ascii: true, indent: 2}"))) == json.loads(told)
    assert json.loads(made("json", rows(["ID"]), ENVELOPE)) == {"count": 0, "job": "feed", "members": []}


@pytest.mark.parametrize(
    ("envelope", "told"),
    [
        ('{"a": {{ count }}}', "{{ rows }} has to be in it once"),
        ('[{{ rows }}, {{ rows }}]', "{{ rows }} has to be in it once"),
        ('{"a": "{{ rows }}"}', "{{ rows }} stands inside quotes"),
        ('{"a": {{ rows }}', "it cannot be read, in line 1, column 9"),
        ('{"a": {{ job }}, "b": {{ rows }}}', "it cannot be read, in line 1, column 7"),
        ('{"a": {{ rows|json }}}', "a hole cannot be JSON"),
    ],
)  # fmt: skip
def test_an_envelope_that_makes_no_json_is_told(envelope: str, told: str) -> None:
    assert problem("json", f"{{envelope: '{envelope}'}}").startswith(f"this makes no JSON document: {told} | ")


def test_an_envelope_that_wants_what_nobody_knows_is_told() -> None:
    assert problem("json", "{envelope: '[{{ cuont }}, {{ rows }}]'}") == (
        "there is no 'cuont' here | did you mean 'count'?"
    )


def test_options_that_cannot_be_are_told() -> None:
    assert problem("json", "{indent: 9}") == "the number must be at most 8 | "


def test_a_file_of_any_length_takes_little_memory() -> None:
    assert peak_mb("json", 8_000) - peak_mb("json", 1_000) < 2
    assert peak_mb("jsonl", 8_000) - peak_mb("jsonl", 1_000) < 2
