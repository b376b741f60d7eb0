"""CSV and TSV: what is read back, by us and by others, is what was written."""

import csv
import io
import re
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from idms_cli.files.formulas import guarded
from tests.delivery.cargo import ListRows
from tests.files.reading import read
from tests.files.writers.writing import TEXTS, kept, made, options, problem, refusal, rows, tables, text_of

KINDS = rows(
    ["ID", "Name", "Paid", "Fee", "Note"],
    (7, "Zoë", True, Decimal("1.10"), None),
    (-8, "a,b", False, Decimal("1E+3"), ""),
)


def written(text: str = "{}", *, name: str = "csv", formulas: str = "harmless") -> str:
    return made(name, KINDS, text, formulas=formulas).decode()


def test_each_kind_of_value_has_its_way_of_writing() -> None:
    assert written() == 'ID,Name,Paid,Fee,Note\r\n7,Zoë,true,1.10,\r\n-8,"a,b",false,1000,\r\n'


def test_each_way_of_writing_can_be_said() -> None:
    told = written('{delimiter: ";", quoting: all, decimal: ",", booleans: [Y, N], nulls: NULL, line_end: lf}')
    assert told == (
        '"ID";"Name";"Paid";"Fee";"Note"\n"7";"Zoë";"Y";"1,10";"NULL"\n"-8";"a,b";"N";"1000";""\n'
    )  # what is blank is not what is not there
    assert written('{delimiter: tab, quote: "\'", header: false}') == (
        "7\tZoë\ttrue\t1.10\t\r\n-8\ta,b\tfalse\t1000\t\r\n"
    )
    assert written(name="tsv") == "ID\tName\tPaid\tFee\tNote\r\n7\tZoë\ttrue\t1.10\t\r\n-8\ta,b\tfalse\t1000\t\r\n"


def test_bytes_are_in_the_encoding_with_or_without_a_mark() -> None:
    one = rows(["é"], ("ø",))
    assert made("csv", one) == "é\r\nø\r\n".encode()
    assert made("csv", one, "{bom: true}") == "\ufeffé\r\nø\r\n".encode()
    assert made("csv", one, "{encoding: utf-8-sig, bom: true}") == "\ufeffé\r\nø\r\n".encode()
    assert made("csv", one, "{encoding: utf-16-le, bom: true}") == "\ufeffé\r\nø\r\n".encode("utf-16-le")
    assert made("csv", one, "{encoding: utf-16}") == "é\r\nø\r\n".encode("utf-16")
    assert made("csv", one, "{encoding: cp1252}") == "é\r\nø\r\n".encode("cp1252")


def test_a_character_that_the_encoding_does_not_have_is_told_with_its_row_or_replaced() -> None:
    polish = ListRows(("ID", "Name"), [(number, "Zoë") for number in range(700)] + [(7, "Łukasz")])
    assert refusal("csv", polish, "{encoding: cp1252}") == (
        "Row 701, column Name: 'Łukasz' has Ł (U+0141), which cp1252 does not have. | Say `encoding: utf-8`; or "
        "`unknown_characters: replace`, if a ? in its place will do."
    )
    told = made("csv", polish, "{encoding: cp1252, unknown_characters: replace}").decode("cp1252")
    assert told.endswith("7,?ukasz\r\n")
    assert "half of a surrogate pair (U+D800)" in refusal("csv", rows(["ID"], ("\ud800",)))
    assert refusal("csv", rows(["Ł"]), "{encoding: ascii}").startswith("A name of a column: 'Ł' has Ł (U+0141)")


def test_formulas_are_made_harmless_or_left() -> None:
    cells = ("=1+1", "+49-30", "+49 30", "-5.5", "@x", "\t=1", "'=1", "a=b", "\uff1d1")
    one = ListRows(tuple("abcdefgh="), [cells])
    line = "'=1+1,'+49-30,+49 30,-5.5,'@x,'\t=1,''=1,a=b,'\uff1d1"
    assert made("csv", one).decode() == f"a,b,c,d,e,f,g,h,'=\r\n{line}\r\n"
    assert (
        made("csv", one, formulas="allow").decode().splitlines()[1] == "=1+1,+49-30,+49 30,-5.5,@x,\t=1,'=1,a=b,\uff1d1"
    )


@given(tables(), st.sampled_from(["csv", "tsv"]), st.sampled_from(["{}", "{quoting: all, line_end: lf}"]))
def test_the_csv_module_reads_what_was_written(table: ListRows, name: str, text: str) -> None:
    content = made(name, table, text, formulas="allow").decode()
    found = list(csv.reader(io.StringIO(content, newline=""), delimiter="," if name == "csv" else "\t", strict=True))
    assert found == [list(table.columns), *[[text_of(cell) for cell in row] for row in table.cells]]


@given(tables(), st.sampled_from(["csv", "tsv"]), st.sampled_from(["{}", "{line_end: lf, encoding: utf-16}"]))
def test_our_reader_reads_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, table: ListRows, name: str, text: str
) -> None:
    path = kept(tmp_path_factory.getbasetemp(), f"own.{name}", made(name, table, text))
    expected = [tuple(guarded(text_of(c)) if isinstance(c, str) else text_of(c) for c in row) for row in table.cells]
    found = read(path, delimiter="," if name == "csv" else "\t")
    assert found.columns == table.columns
    assert found.cells == [row for row in expected if any(map(str.strip, row))]  # it passes over blank lines


@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=5))
def test_pandas_reads_what_was_written(cells: list[tuple[str, str]]) -> None:
    content = made("csv", ListRows(("ID", "Name"), cells), "{quoting: all}", formulas="allow")
    frame = pd.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False)
    found = [tuple(row) for row in frame.itertuples(index=False)]
    # pandas takes \r\n inside a cell for \n
    assert [tuple(re.sub("\r\n?", "\n", cell) for cell in row) for row in found] == [
        tuple(re.sub("\r\n?", "\n", cell) for cell in row) for row in cells
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{delimiter: ";;"}', "';;' is not one mark of punctuation | write one character, such as \";\" or \"|\""),
        ("{delimiter: '\"'}", "delimiter and quote are the same character: '\"' | change one of them"),
        ("{encoding: utf9}", "'utf9' is no encoding that is known | did you mean 'utf-8'?"),
        ("{encoding: cp1252, bom: true}",
         "the encoding cp1252 has no byte order mark | leave `bom:` out, or use utf-8"),
        ("{booleans: [Y]}", "at least 2 must be written here | "),
        ("{decimal: x}", "'x' is not one of: ., , | "),
    ],
)  # fmt: skip
def test_options_that_cannot_be_are_told(text: str, told: str) -> None:
    assert problem("csv", text) == told


def test_a_tsv_has_no_other_delimiter() -> None:
    assert problem("tsv", '{delimiter: ";"}').startswith("the key 'delimiter' is not known here")
    assert options("tsv").mark == "\t"


def test_no_rows_make_a_header_and_no_columns_make_nothing() -> None:
    assert made("csv", rows(["ID", "Name"])) == b"ID,Name\r\n"
    assert made("csv", rows([])) == b""


def test_a_number_without_end_is_refused() -> None:
    assert refusal("csv", rows(["ID"], (10**5000,))).startswith("A whole number in a row has more than 4,300 digits.")
    assert made("csv", rows(["ID"], (Decimal("1E+999999999"),))) == b"ID\r\n1E+999999999\r\n"


def test_a_file_of_any_length_takes_little_memory(tmp_path: Path) -> None:
    from tests.files.writers.memory import peak_mb

    few, many = peak_mb("csv", 1_000), peak_mb("csv", 10_000)
    assert many - few < 2
