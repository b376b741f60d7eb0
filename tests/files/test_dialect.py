"""The options of a delimited file are checked before a file is there."""

import pytest
from pydantic import ValidationError

from idms_cli.files.dialect import CsvOptions


@pytest.mark.parametrize(
    ("written", "meant"),
    [("tab", "\t"), ("\\t", "\t"), ("semicolon", ";"), ("|", "|")],
    ids=["tab", "\\t", "word", "|"],
)
def test_a_delimiter_may_be_a_word(written: str, meant: str) -> None:
    assert CsvOptions(delimiter=written).delimiter == meant


@pytest.mark.parametrize(
    "delimiter", ["", ";;", "x", "\n", "\0", '"'], ids=["none", "two", "letter", "LF", "NUL", "quote"]
)
def test_a_delimiter_that_cannot_work_is_refused(delimiter: str) -> None:
    with pytest.raises(ValidationError):
        CsvOptions(delimiter=delimiter)


@pytest.mark.parametrize(
    "encoding", ["utf8-sig ", "hex", "cp9999", "\0", ""], ids=["space", "no text", "none", "NUL", "empty"]
)
def test_an_unknown_encoding_is_refused(encoding: str) -> None:
    with pytest.raises(ValidationError):
        CsvOptions(encoding=encoding)
