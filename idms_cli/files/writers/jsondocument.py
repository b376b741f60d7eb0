"""A JSON document is written: the list of all rows as objects, alone or inside an envelope that the job says."""

from collections.abc import Iterator
from typing import BinaryIO

import msgspec
from pydantic import Field

from idms_cli.files.writers import Occasion, Rows
from idms_cli.files.writers.jsonobjects import ObjectOptions, objects


class Options(ObjectOptions):
    """The keys of `format: {json: {...}}`."""

    indent: int | None = Field(
        default=None, ge=1, le=8, description="Spaces for each level; an object a line if unset."
    )


def write(rows: Rows, stream: BinaryIO, options: Options, occasion: Occasion) -> None:  # noqa: ARG001
    """Raises `InputError` for text that is no Unicode."""
    for part in _list(rows, options):
        stream.write(part)
    stream.write(b"\n")


def _list(rows: Rows, options: Options) -> Iterator[bytes]:
    before = b"[\n"
    for lines in objects(rows, options):
        yield before + _joined(lines.removesuffix(b"\n"), options.indent)
        before = b",\n"
    yield b"[]" if before == b"[\n" else b"\n]"


def _joined(lines: bytes, indent: int | None) -> bytes:
    """Objects with commas between them. A line feed in a text is escaped, so that each one here ends an object."""
    if indent is None:
        return lines.replace(b"\n", b",\n")
    pad = b" " * indent
    return b",\n".join(
        pad + msgspec.json.format(line, indent=indent).replace(b"\n", b"\n" + pad) for line in lines.split(b"\n")
    )
