"""XML is written: an element for each row, and in it one for each column, named as the column is."""

import re
from collections.abc import Callable, Sequence
from typing import Annotated, BinaryIO, Literal

from pydantic import AfterValidator, Field

from idms_cli.config.foreign import shortened
from idms_cli.config.problems import BadValue
from idms_cli.errors import InputError
from idms_cli.files.writers import Cell, Cells, Occasion, Rows
from idms_cli.files.writers.values import ValueOptions, Words, batches, first_fault

# Names without a colon: https://www.w3.org/TR/xml-names/#NT-NCName
_START = (
    "A-Za-z_\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c\u200d\u2070-\u218f\u2c00-\u2fef"
    "\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
_MORE = f"{_START}0-9.\u00b7\u0300-\u036f\u203f\u2040-"
_NAME = re.compile(f"[{_START}][{_MORE}]*")
# What is no character of XML 1.0, not even as a reference: https://www.w3.org/TR/xml/#charsets
_NO_CHARACTER = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_SPECIAL = re.compile("[&<>\r]")
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})  # a bare CR is read as a line feed
_IN_ATTRIBUTE = str.maketrans({"&": "&amp;", "<": "&lt;", '"': "&quot;"})


def _element_name(value: str) -> str:
    if not _NAME.fullmatch(value):
        raise BadValue(f"'{shortened(value)}' cannot name an element", hint=_HINT)
    return value


_HINT = "letters, digits, '_', '-' and '.', the first a letter or '_'"
_ElementName = Annotated[str, AfterValidator(_element_name)]


class Options(ValueOptions):
    """The keys of `format: {xml: {...}}`."""

    root: _ElementName = Field(default="records", description="The name of the element around all.")
    record: _ElementName = Field(default="record", description="The name of the element of a row.")
    namespace: str | None = Field(
        default=None, min_length=1, max_length=1000, description="The namespace of all elements, a URI."
    )
    empty: Literal["keep", "omit"] = Field(
        default="keep", description="Whether a column that has nothing in a row is an empty element, or left out."
    )
    control_characters: Literal["refuse", "drop"] = Field(
        default="refuse",
        description="What becomes of characters that no XML may contain: the step fails, or they go.",
    )


def write(rows: Rows, stream: BinaryIO, options: Options, occasion: Occasion) -> None:  # noqa: ARG001
    """Raises `InputError` for a column that cannot name an element, and text that no XML may contain."""
    _refuse_names(rows.columns)
    element_of = _elements(rows.columns, options)
    space = f' xmlns="{options.namespace.translate(_IN_ATTRIBUTE)}"' if options.namespace else ""
    stream.write(f'<?xml version="1.0" encoding="UTF-8"?>\n<{options.root}{space}>\n'.encode())
    before = 0
    for batch in batches(rows):
        text = "".join(map(element_of, batch))
        if _NO_CHARACTER.search(text):
            if options.control_characters == "refuse":
                raise _no_character(rows.columns, batch, before)
            text = _NO_CHARACTER.sub("", text)
        stream.write(text.encode())
        before += len(batch)
    stream.write(f"</{options.root}>\n".encode())


def _elements(columns: Sequence[str], options: Options) -> Callable[[Cells], str]:
    words = Words(options)
    omit = options.empty == "omit"
    begin, end = f"<{options.record}>", f"</{options.record}>\n"
    tags = [(f"<{name}>", f"</{name}>", f"<{name}/>") for name in columns]

    def content(cell: Cell) -> str:
        text = words.text(cell)
        return text.translate(_ESCAPES) if _SPECIAL.search(text) else text

    def element(row: Cells) -> str:
        parts = [begin]
        for (opened, closed, empty), cell in zip(tags, row, strict=True):
            if cell is None and omit:
                continue
            text = content(cell)
            parts.append(f"{opened}{text}{closed}" if text else empty)
        parts.append(end)
        return "".join(parts)

    return element


def _refuse_names(columns: Sequence[str]) -> None:
    wrong = [name for name in columns if not _NAME.fullmatch(name)]
    if wrong:
        better = {name: _better(name) for name in wrong[:5]}
        renamed = ", ".join(f"{shortened(name)}: {new}" for name, new in better.items())
        raise InputError(
            f"'{shortened(wrong[0])}' cannot name an element of XML, as columns do.",
            hint=f"Rename it in the job: rename: {{{renamed}}}",
        )


def _better(name: str) -> str:
    words = re.sub(f"[^{_MORE}]+", "_", name).strip("_") or "column"
    return words if _NAME.fullmatch(words) else f"_{words}"


def _no_character(columns: Sequence[str], batch: Sequence[Cells], before: int) -> InputError:
    where, text = first_fault(columns, batch, before, lambda cell: _NO_CHARACTER.search(cell) is not None)
    found = _NO_CHARACTER.search(text)
    character = f" (U+{ord(found[0]):04X})" if found else ""
    return InputError(
        f"{where}: '{shortened(text)}' has a character{character} that no XML may contain.",
        hint="Say `control_characters: drop`, or correct it where it comes from.",
    )
