"""A JSON document is written: the list of all rows as objects, alone or inside an envelope that the job says."""

from collections.abc import Iterator
from typing import Annotated, BinaryIO

import msgspec
from pydantic import AfterValidator, Field

from idms_cli.files.writers import Occasion, Rows
from idms_cli.files.writers.envelope import around, checked_envelope
from idms_cli.files.writers.jsonobjects import ObjectOptions, escaped, objects


class Options(ObjectOptions):
    """The keys of `format: {json: {...}}`."""

    envelope: Annotated[str, AfterValidator(checked_envelope)] | None = Field(
        default=None,
        description="A JSON text around the list, which stands in it as {{ rows }}; also {{ count }}, {{ run.id }}...",
    )
    indent: int | None = Field(
        default=None, ge=1, le=8, description="Spaces for each level; an object a line if unset."
    )


def write(rows: Rows, stream: BinaryIO, options: Options, occasion: Occasion) -> None:
    """Raises `InputError` for text that is no Unicode, and an envelope that makes no JSON."""
    before, after = around(options.envelope, rows, occasion) if options.envelope else ("", "\n")
    if options.ascii:
        before, after = escaped(before), escaped(after)
    stream.write(before.encode())
    for part in _list(rows, options):
        stream.write(part)
    stream.write(after.encode())


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
