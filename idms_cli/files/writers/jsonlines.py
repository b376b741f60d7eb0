"""JSON Lines are written: an object a line."""

from typing import BinaryIO

from idms_cli.files.writers import Occasion, Rows
from idms_cli.files.writers.jsonobjects import ObjectOptions, objects


class Options(ObjectOptions):
    """The keys of `format: {jsonl: {...}}`."""


def write(rows: Rows, stream: BinaryIO, options: Options, occasion: Occasion) -> None:  # noqa: ARG001
    """Raises `InputError` for text that is no Unicode."""
    for lines in objects(rows, options):
        stream.write(lines)
