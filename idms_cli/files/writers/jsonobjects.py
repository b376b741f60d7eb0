"""Rows as JSON objects, a line each: numbers with all their digits, nothing as null, text as UTF-8."""

import json
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, Literal

import msgspec
from pydantic import Field

from idms_cli.config.checked import Section
from idms_cli.errors import InputError
from idms_cli.files.writers import Cells, Rows
from idms_cli.files.writers.values import batches, first_fault, whole_number

_ENCODER = msgspec.json.Encoder(decimal_format="number")


class ObjectOptions(Section):
    """How an object is written."""

    nulls: Literal["keep", "omit"] = Field(
        default="keep", description="Whether a column that has nothing in a row is null there, or left out."
    )
    ascii: bool = Field(default=False, description="Whether every character beyond ASCII is written as \\uXXXX.")


def objects(rows: Rows, options: ObjectOptions) -> Iterator[bytes]:
    """The objects of all rows, some hundred at a time, each ended by a line feed. Raises `InputError`."""
    before = 0
    columns = rows.columns
    for batch in batches(rows):
        try:
            lines: bytes = _ENCODER.encode_lines(_made(columns, batch, omit=options.nulls == "omit"))
        except UnicodeEncodeError:
            raise _no_text(columns, batch, before) from None
        except ValueError:
            for cell in chain.from_iterable(batch):
                whole_number(cell)
            raise
        yield escaped(lines.decode()).encode() if options.ascii else lines
        before += len(batch)


def _made(columns: Sequence[str], batch: Sequence[Cells], *, omit: bool) -> list[dict[str, Any]]:
    if not omit:
        return [dict(zip(columns, row, strict=True)) for row in batch]
    return [{name: cell for name, cell in zip(columns, row, strict=True) if cell is not None} for row in batch]


def escaped(text: str) -> str:
    """JSON without any character beyond ASCII, which it has in texts only."""
    if text.isascii():
        return text
    return "".join(character if character.isascii() else json.dumps(character)[1:-1] for character in text)


def _no_text(columns: Sequence[str], batch: Sequence[Cells], before: int) -> InputError:
    where, _ = first_fault(columns, batch, before, _has_surrogate)
    return InputError(
        f"{where}: a text has one half of a surrogate pair, which is no character.",
        hint="Correct it where it comes from.",
    )


def _has_surrogate(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False
