"""How a delimited file is written: the options that say so, and the delimiter that its header tells."""

import io
import re
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from idms_cli.config.checked import Section
from idms_cli.config.foreign import shortened
from idms_cli.config.problems import BadValue
from idms_cli.config.spelling import did_you_mean

DELIMITERS = (",", ";", "\t", "|")
"""What is looked for in a header when the job does not say."""

_SAID = re.compile(r"""(["']?)sep=(?P<mark>[^\w\s"']|\t)\1""", re.IGNORECASE)
_WORDS = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}
_ENCODINGS = (
    "utf-8", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "cp1250", "cp1251", "cp850", "cp437", "latin-1",
    "iso-8859-15", "iso-8859-2", "mac_roman", "shift_jis", "gb18030", "big5", "euc_kr",
)  # fmt: skip


def delimiter_of(value: Any) -> Any:
    """The mark that a word for it means: `tab`, `comma`, `semicolon`, `pipe`; anything else as it is."""
    return _WORDS.get(value, value) if isinstance(value, str) else value


def one_mark(value: str) -> str:
    """Raises `BadValue` for what cannot stand between cells or around them."""
    if len(value) != 1 or value.isalnum() or value in "\r\n\0":
        raise BadValue(
            f"'{shortened(value)}' is not one mark of punctuation", hint='write one character, such as ";" or "|"'
        )
    return value


def known_encoding(value: str) -> str:
    """Raises `BadValue` for what is no character set that Python knows."""
    try:
        io.TextIOWrapper(io.BytesIO(), encoding=value)  # refuses codecs that do not make text, too
    except (LookupError, ValueError) as error:
        near = did_you_mean(value, _ENCODINGS)
        raise BadValue(
            f"'{shortened(value)}' is no encoding that is known",
            hint=near or f"usual ones: {', '.join(_ENCODINGS[:6])}",
        ) from error
    return value


class CsvOptions(Section):
    """The part of a job's `source:` that says how a delimited file is written."""

    delimiter: Annotated[str, BeforeValidator(delimiter_of), AfterValidator(one_mark)] | None = Field(
        default=None,
        description="What stands between cells: one character, or the word tab. Found in the header if unset.",
    )
    quote: Annotated[str, AfterValidator(one_mark)] = Field(
        default='"', description="What stands around cells that hold a delimiter or line end; doubled inside a cell."
    )
    encoding: Annotated[str, AfterValidator(known_encoding)] | None = Field(
        default=None, description="The file's character set. If unset: its byte order mark, else UTF-8, else cp1252."
    )

    @model_validator(mode="after")
    def _told_apart(self) -> Self:
        if self.delimiter == self.quote:
            raise BadValue("delimiter and quote are the same character", hint="leave one of them out")
        return self


def said_delimiter(first_line: str) -> str | None:
    """The delimiter in a line `sep=;` above the header, such as is written for Excel; None for any other line."""
    found = _SAID.fullmatch(first_line.rstrip("\r\n"))
    return found["mark"] if found else None


def found_delimiter(header: str, quote: str) -> str | None:
    """The delimiter that the first line of a header tells: the only one of `DELIMITERS` in it, outside quotes.

    A comma when there is none of them (one column), None when there are several.
    """
    mark = re.escape(quote)
    unquoted = re.sub(f"{mark}[^{mark}]*({mark}|$)", "", header)
    found = [delimiter for delimiter in DELIMITERS if delimiter in unquoted]
    if len(found) > 1:
        return None
    return found[0] if found else ","
