"""What a job can say about how a file is written, for every format; and that it fits the format."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from idms_cli.config.fields import ListOf
from idms_cli.config.foreign import shortened
from idms_cli.config.problems import BadValue
from idms_cli.config.spelling import did_you_mean
from idms_cli.errors import InputError
from idms_cli.files import FORMATS, format_of, to_install
from idms_cli.files.dialect import CsvOptions
from idms_cli.files.layout import FixedColumn, slots


def _known_format(value: str) -> str:
    if value not in FORMATS:
        listed = f"known ones: {', '.join(FORMATS)}"
        raise BadValue(f"there is no format '{shortened(value)}'", hint=did_you_mean(value, FORMATS) or listed)
    return value


def _dotted(value: str) -> str:
    return _without_blanks(value, value.split("."))


def _slashed(value: str) -> str:
    return _without_blanks(value, value.removeprefix("/").split("/"))


def _without_blanks(value: str, names: list[str]) -> str:
    if not all(map(str.strip, names)):
        raise BadValue(f"'{shortened(value)}' is no path: a name in it is blank")
    return value


def _columns(value: Any) -> Any:
    if value is not None:
        if not value:
            raise BadValue("no column is named", hint="leave `columns:` out to read all of them")
        names = [column.strip() for column in value if isinstance(column, str)]
        if not all(names) or len(set(names)) < len(names):
            raise BadValue("a name of a column is blank, or there twice", hint="give each a name of its own")
        if 0 < len(names) < len(value):
            raise BadValue("some columns have a place and others not")
        if not names:
            slots(value)
    return value


class FileOptions(CsvOptions):
    """The part of a job's `source:` that says how the file is written. What does not fit its format is refused."""

    format: Annotated[str, AfterValidator(_known_format)] | None = Field(
        default=None, description=f"If the file's ending does not tell: {', '.join(FORMATS)}."
    )
    columns: Annotated[ListOf[str | FixedColumn], AfterValidator(_columns)] | None = Field(
        default=None,
        description="Fixed width: each column with its place. Excel, JSON, XML: the columns to read; all, if unset.",
    )
    skip_lines: int = Field(default=0, ge=0, description="Fixed width: lines at the top that are no records.")
    short_lines: Literal["reject", "fill"] = Field(
        default="reject", description="Fixed width: what becomes of a line that ends too early; `fill` adds blanks."
    )
    sheet: Annotated[str, Field(min_length=1)] | Annotated[int, Field(ge=1)] | None = Field(
        default=None,
        description="Excel: the sheet's name, or its number among those that are seen. The first if unset.",
    )
    header_row: int = Field(default=1, ge=1, description="Excel: the row that names the columns.")
    records: Annotated[str, AfterValidator(_dotted)] | None = Field(
        default=None, description="JSON: where the list of records is, such as data.members. The whole file if unset."
    )
    record: Annotated[str, AfterValidator(_slashed)] | None = Field(
        default=None, description="XML: the path of the elements that are records, such as members/member."
    )
    join: str = Field(
        default=",", min_length=1, max_length=8, description="JSON and XML: what stands between the values of a list."
    )

    def refuse_misfits(self, path: Path) -> None:
        """Raise `BadValue` where these options do not fit the format of a file of that name; all is told at once.

        A file whose format nobody knows is left to `format_of`.
        """
        try:
            name = self.format or format_of(path)
        except InputError:
            return
        if missing_library := to_install(name):
            raise BadValue(f"files of the format {name} cannot be read here", hint=missing_library)
        entry = FORMATS[name]
        given = {key for key in self.model_fields_set & _OF_FORMATS if getattr(self, key) is not None}
        foreign = sorted(given - set(entry.options))
        missing = [key for key in entry.needed if key not in given]
        faults = [f"`{key}:` means nothing in {name}" for key in foreign]
        faults += [f"{name} needs `{key}:`" for key in missing]
        if faults:
            hint = entry.needed[missing[0]] if missing else f"keys for {name}: {', '.join(entry.options)}"
            raise BadValue("; ".join(faults), hint=hint)
        if self.columns and isinstance(self.columns[0], str) == (name == "fixed"):
            hint = entry.needed.get("columns", "write only names here: columns: [ID, Name]")
            raise BadValue("`columns:` of a fixed-width file have places, and others only names", hint=hint)


_OF_FORMATS = {key for entry in FORMATS.values() for key in entry.options}
