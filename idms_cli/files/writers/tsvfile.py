"""TSV is written: cells between tabs, quoted as in CSV where they have one inside."""

from typing import BinaryIO

from idms_cli.files.writers import Occasion, Rows
from idms_cli.files.writers.delimited import DelimitedOptions, write_delimited


class Options(DelimitedOptions):
    """The keys of `format: {tsv: {...}}`."""


def write(rows: Rows, stream: BinaryIO, options: Options, occasion: Occasion) -> None:
    """Raises `InputError` for a character that the encoding does not have."""
    write_delimited(rows, stream, options, occasion)
