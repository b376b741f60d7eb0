"""A text of any form is written, by a template of the job's own that goes through the rows."""

from pathlib import Path
from typing import BinaryIO, Self

from pydantic import Field, field_validator, model_validator

from idms_cli.config.fields import RelativePath
from idms_cli.config.foreign import harmless
from idms_cli.config.problems import BadValue
from idms_cli.errors import InputError
from idms_cli.files.writers import Occasion, Rows
from idms_cli.files.writers.characters import CharacterOptions, Encoder
from idms_cli.files.writers.documents import Records, document_text, values_of
from idms_cli.templates.texts import LONGEST, Text, Unrendered

_AT_A_TIME = 1 << 16


class Options(CharacterOptions):
    """The keys of `format: {text: {...}}`."""

    template: str | None = Field(
        default=None, description="The text, with a loop: {% for row in rows %}{{ row.ID }}{% endfor %}"
    )
    file: RelativePath | None = Field(default=None, description="The file, in UTF-8, that has the template instead.")

    @field_validator("template")
    @classmethod
    def _readable(cls, template: str | None) -> str | None:
        if template is not None:
            document_text(template)
        return template

    @model_validator(mode="after")
    def _one_template(self) -> Self:
        if (self.template is None) == (self.file is None):
            raise BadValue("a text has either `template:` or `file:`", hint="keep one of them")
        return self


def examine(options: Options, directory: Path) -> None:
    """Raises `InputError` for a template in a file that cannot be used."""
    _text(options, directory)


def write(rows: Rows, stream: BinaryIO, options: Options, occasion: Occasion) -> None:
    """Raises `InputError` for a template that does not fit the rows, and a character that the encoding lacks."""
    encoder = Encoder(stream, options)
    waiting: list[str] = []
    size = 0
    try:
        for piece in _text(options, occasion.directory).generate(values_of(rows, occasion, Records(rows))):
            waiting.append(piece)
            size += len(piece)
            if size >= _AT_A_TIME:
                encoder.write("".join(waiting))
                waiting, size = [], 0
    except Unrendered as error:
        raise InputError(
            f"The template of the text does not fit the rows: {error}.",
            hint="Correct the template in `format: {text: ...}`.",
        ) from None
    encoder.write("".join(waiting))


def _text(options: Options, directory: Path) -> Text:
    if options.file is None:
        return document_text(options.template or "")
    path = directory / options.file
    try:
        with path.open("rb") as file:
            source = file.read(4 * LONGEST + 1).decode("utf-8")
        return document_text(source)
    except BadValue as error:
        raise InputError(f"{harmless(str(path))}: {error}", hint=error.hint) from None
    except UnicodeDecodeError:
        raise InputError(f"{harmless(str(path))}: this template is not UTF-8 text.", hint="Save it as UTF-8.") from None
    except OSError as error:
        raise InputError(
            f"{harmless(str(path))}: this template cannot be read: {error.strerror}.",
            hint="Name a file that the account of idms may read.",
        ) from None
