"""Text becomes bytes in the encoding that the job wants; a character that it does not have is told with its row."""

import codecs
from collections.abc import Sequence
from typing import Annotated, BinaryIO, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from idms_cli.config.checked import Section
from idms_cli.config.foreign import shortened
from idms_cli.config.problems import BadValue
from idms_cli.errors import InputError
from idms_cli.files.dialect import known_encoding
from idms_cli.files.writers import Cells
from idms_cli.files.writers.values import first_fault

_MARK = "\ufeff"


class CharacterOptions(Section):
    """How text is written as bytes."""

    encoding: Annotated[str, AfterValidator(known_encoding)] = Field(
        default="utf-8", description="The file's character set."
    )
    bom: bool = Field(default=False, description="A byte order mark first: Excel knows UTF-8 by it.")
    unknown_characters: Literal["refuse", "replace"] = Field(
        default="refuse", description="What becomes of characters that the encoding does not have; `replace`: a ?."
    )

    @model_validator(mode="after")
    def _mark_fits(self) -> Self:
        if self.bom and not _has_mark(self.encoding):
            raise BadValue(
                f"the encoding {shortened(self.encoding)} has no byte order mark", hint="leave `bom:` out, or use utf-8"
            )
        return self


class TextOptions(CharacterOptions):
    """How lines of text are written as bytes."""

    line_end: Literal["crlf", "lf"] = Field(default="crlf", description="What ends a line.")

    @property
    def end(self) -> str:
        return "\r\n" if self.line_end == "crlf" else "\n"


class Encoder:
    """Writes text to a stream of bytes."""

    def __init__(self, stream: BinaryIO, options: CharacterOptions, columns: Sequence[str] = ()) -> None:
        self._stream = stream
        self._name = options.encoding
        self._columns = columns
        errors = "replace" if options.unknown_characters == "replace" else "strict"
        self._encode = codecs.getincrementalencoder(options.encoding)(errors).encode
        self._before = 0
        if options.bom and codecs.lookup(options.encoding).name not in _MARKED:
            stream.write(self._encode(_MARK))

    def write(self, text: str, batch: Sequence[Cells] = ()) -> None:
        """`batch` has the rows that the text was made of. Raises `InputError`."""
        try:
            data = self._encode(text)
        except UnicodeEncodeError as error:
            raise self._unknown(error, batch) from None
        self._stream.write(data)
        self._before += len(batch)

    def _unknown(self, error: UnicodeEncodeError, batch: Sequence[Cells]) -> InputError:
        character = error.object[error.start]
        where, text = first_fault(self._columns, batch, self._before, lambda cell: character in cell)
        shown = f"'{shortened(text)}' has" if text else "The text has"
        place = f"{where}: {shown}" if text else shown
        if "\ud800" <= character <= "\udfff":
            return InputError(
                f"{place} one half of a surrogate pair (U+{ord(character):04X}), which is no character.",
                hint="Correct it where it comes from, or say `unknown_characters: replace`.",
            )
        return InputError(
            f"{place} {shortened(character)} (U+{ord(character):04X}), which {self._name} does not have.",
            hint="Say `encoding: utf-8`; or `unknown_characters: replace`, if a ? in its place will do.",
        )


_MARKED = ("utf-16", "utf-32", "utf-8-sig")
"""Codecs that write a byte order mark unasked."""


def _has_mark(encoding: str) -> bool:
    return codecs.lookup(encoding).name.startswith(("utf-8", "utf-16", "utf-32"))
