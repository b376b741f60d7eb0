"""CSV is written: cells between commas, or whatever the job says, with a header."""

from typing import Annotated, BinaryIO

from pydantic import AfterValidator, BeforeValidator, Field

from idms_cli.files.dialect import delimiter_of, one_mark
from idms_cli.files.writers import Occasion, Rows
from idms_cli.files.writers.delimited import DelimitedOptions, write_delimited


class Options(DelimitedOptions):
    """The keys of `format: {csv: {...}}`."""

    delimiter: Annotated[str, BeforeValidator(delimiter_of), AfterValidator(one_mark)] = Field(
        default=",", description="What stands between cells: one character, or the word tab."
    )

    @property
    def mark(self) -> str:
        return self.delimiter


def write(rows: Rows, stream: BinaryIO, options: Options, occasion: Occasion) -> None:
    """Raises `InputError` for a character that the encoding does not have."""
    write_delimited(rows, stream, options, occasion)
