"""Formats are known by endings, and a job cannot say of one what only means something for another."""

import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from idms_cli.config.problems import BadValue
from idms_cli.errors import InputError
from idms_cli.files import format_of, open_table
from idms_cli.files.options import FileOptions
from tests.files.reading import refusal, written


@pytest.mark.parametrize(
    ("name", "known_as"),
    [
        ("m.csv", "csv"), ("M.TXT", "csv"), ("m.tab", "tsv"), ("m.fwf", "fixed"), ("m.xls", "excel"),
        ("m.ods", "excel"), ("m.xlsm", "excel"), ("m.json", "json"), ("m.ndjson", "jsonl"), ("m.xml", "xml"),
        ("m.csv.gz", "csv"), ("m.2026.XLSX.ZIP", "excel"),
    ],
)  # fmt: skip
def test_the_ending_tells_the_format(name: str, known_as: str) -> None:
    assert format_of(Path(name)) == known_as


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("m.gz", "m.gz: the ending .gz tells how the file is packed, but not what is in it."),
        ("m.tar.gz", "m.tar.gz: the ending .tar tells no format."),
        ("m.docx", "m.docx: the ending .docx tells no format."),
        ("m", "m: the ending (none) tells no format."),
    ],
)
def test_an_ending_that_tells_nothing_says_what_to_do(name: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        format_of(Path(name))
    assert str(caught.value) == message
    assert "format:" in caught.value.hint


@pytest.mark.parametrize(
    ("path", "options", "message"),
    [
        pytest.param("m.csv", {"sheet": "A", "delimiter": ";"}, "`sheet:` means nothing in csv", id="sheet of a CSV"),
        pytest.param("m.xlsx", {"encoding": "cp1252"}, "`encoding:` means nothing in excel", id="encoding of Excel"),
        pytest.param("m.csv.gz", {"record": "r"}, "`record:` means nothing in csv", id="packed"),
        pytest.param("m.json", {"record": "r"}, "`record:` means nothing in json", id="record of JSON"),
        pytest.param("m.xml", {}, "xml needs `record:`", id="XML without record"),
        pytest.param(
            "m.fwf", {"sheet": 1}, "`sheet:` means nothing in fixed; fixed needs `columns:`", id="two at once"
        ),
        pytest.param("m.fwf", {"columns": ["a"]}, "`columns:` of a fixed-width file have places", id="no places"),
        pytest.param(
            "m.json", {"columns": [{"name": "a", "width": 1}]}, "`columns:` of a fixed-width file", id="places in JSON"
        ),
        pytest.param("m.dat", {"format": "xml"}, "xml needs `record:`", id="the format named"),
    ],
)
def test_options_that_do_not_fit_the_format_are_told(path: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(BadValue) as caught:
        FileOptions.model_validate(options).refuse_misfits(Path(path))
    assert str(caught.value).startswith(message)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("path", "options"),
    [
        pytest.param("m.csv", {}, id="nothing said"),
        pytest.param("m.csv", {"delimiter": ";", "sheet": None}, id="said to be nothing"),
        pytest.param("m.xml", {"record": "m/r", "columns": ["a"]}, id="XML"),
        pytest.param("m.unknown", {"sheet": 1}, id="a format that nobody knows is told elsewhere"),
    ],
)
def test_options_that_fit_are_fine(path: str, options: dict[str, Any]) -> None:
    FileOptions.model_validate(options).refuse_misfits(Path(path))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param({"format": "exel"}, "there is no format 'exel'", id="format"),
        pytest.param({"records": "a..b"}, "'a..b' is no path: a name in it is blank", id="records"),
        pytest.param({"record": "a//b"}, "'a//b' is no path: a name in it is blank", id="record"),
        pytest.param({"columns": ["a", " a"]}, "a name of a column is blank, or there twice", id="columns"),
        pytest.param({"header_row": 0}, "greater than or equal to 1", id="header row"),
    ],
)
def test_an_option_that_makes_no_sense_is_told(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        FileOptions.model_validate(options)
    assert message in str(caught.value)


@pytest.mark.parametrize("name", ["m.xml", "m.fwf"])
def test_a_format_that_has_to_be_explained_asks_for_it(tmp_path: Path, name: str) -> None:
    assert refusal(written(tmp_path, name, "x")).startswith("a file of the format")


def test_a_missing_library_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    path = written(tmp_path, "m.xlsx", b"")
    with pytest.raises(InputError) as caught, open_table(path, FileOptions()):
        pass
    assert caught.value.hint == "Install what reads them: pip install 'idms-cli[excel]'"
    with pytest.raises(BadValue) as told:
        FileOptions().refuse_misfits(path)
    assert told.value.hint == caught.value.hint


@pytest.mark.parametrize("name", ["m.csv", "m.tsv", "m.json", "m.jsonl"])
def test_a_workbook_with_the_ending_of_text_is_told(tmp_path: Path, name: str) -> None:
    text = refusal(written(tmp_path, name, b"PK\x03\x04\x14\x00"))
    assert text.startswith("this is a zip file or a workbook, not ")
