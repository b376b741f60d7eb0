"""An Excel workbook is written: one sheet, row by row, text as text whatever it looks like."""

import re
from collections.abc import Sequence
from datetime import datetime, time
from decimal import Decimal
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, BinaryIO
from xml.sax.saxutils import escape

from pydantic import AfterValidator, Field

from idms_cli.config.checked import Section
from idms_cli.config.fields import ListOf
from idms_cli.config.foreign import shortened
from idms_cli.config.problems import BadValue
from idms_cli.config.spelling import did_you_mean
from idms_cli.errors import InputError
from idms_cli.files.formulas import MAY_BEGIN, guarded
from idms_cli.files.writers import Cell, Occasion, Rows
from idms_cli.files.writers.values import plain_number, whole_number

if TYPE_CHECKING:
    from xlsxwriter import Workbook

# https://support.microsoft.com/en-us/office/excel-specifications-and-limits-1672b34d-7043-467e-8e27-269d656771c3
MOST_ROWS = 1_048_576
MOST_COLUMNS = 16_384
MOST_CHARACTERS = 32_767
MOST_DIGITS = 15
"""A number with more of them loses the last ones, so it is written as text."""

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")
_DATE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[T ]([0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?))?")
_FIRST_DATE = datetime(1900, 3, 1)  # noqa: DTZ001 - a wall clock; before that day Excel's calendar is wrong


def _sheet_name(value: str) -> str:
    fits = value.strip() and len(value) <= 31 and not set(value) & set("[]:*?/\\")
    if not fits or value.strip("'") != value or value.casefold() == "history":  # Excel keeps that one for itself
        raise BadValue(
            f"'{shortened(value)}' cannot name a sheet",
            hint="1 to 31 characters, none of []:*?/\\, no ' at its ends, and not History",
        )
    return value


class Options(Section):
    """The keys of `format: {excel: {...}}`."""

    sheet: Annotated[str, AfterValidator(_sheet_name)] = Field(default="Sheet1", description="The name of the sheet.")
    header: bool = Field(default=True, description="Whether the first row names the columns; it stays in view.")
    dates: ListOf[str] = Field(
        default=(), description="Columns whose ISO dates become dates of Excel; other text in them stays text."
    )
    numbers: ListOf[str] = Field(
        default=(), description="Columns whose text becomes numbers, where it is one and nothing of it is lost."
    )


def write(rows: Rows, stream: BinaryIO, options: Options, occasion: Occasion) -> None:
    """Raises `InputError` for more rows, columns or characters than a workbook can hold."""
    _refuse_size(rows, header=options.header)
    _refuse_unknown(rows.columns, (*options.dates, *options.numbers))
    with TemporaryDirectory(dir=occasion.scratch, prefix="workbook-") as folder:
        book = _opened(stream, folder)
        cells = _Cells(book, rows.columns, options, formulas=occasion.formulas == "allow")
        try:
            cells.write(rows, header=options.header)
        except BaseException:
            cells.abandon()
            raise
        book.close()


def _opened(stream: BinaryIO, folder: str) -> "Workbook":
    from xlsxwriter import Workbook  # noqa: PLC0415 - an extra

    book = Workbook(stream, {"constant_memory": True, "tmpdir": folder, "use_zip64": True})
    book.set_properties({"created": datetime(2000, 1, 1)})  # noqa: DTZ001 - the same rows make the same bytes
    return book


class _Cells:
    """Puts the cells of rows into a sheet."""

    def __init__(self, book: "Workbook", columns: Sequence[str], options: Options, *, formulas: bool) -> None:
        self._sheet = book.add_worksheet(options.sheet)
        self._columns = columns
        self._formulas = formulas
        self._above = 0
        self._dates = [name in options.dates for name in columns]
        self._numbers = [name in options.numbers for name in columns]
        self._bold = book.add_format({"bold": True})
        self._quoted = book.add_format({"quote_prefix": True})  # what Excel makes of an apostrophe before a text
        self._day = book.add_format({"num_format": "yyyy-mm-dd"})
        self._moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})

    def write(self, rows: Rows, *, header: bool) -> None:
        if header:
            self._header()
        self._above = 0 if header else -1
        for number, row in enumerate(rows, start=1):
            self._row(number, row)

    def abandon(self) -> None:
        """Close what the sheet keeps its rows in; the workbook is never made."""
        self._sheet.row_data_fh.close()

    def _header(self) -> None:
        self._sheet.freeze_panes(1, 0)
        for index, name in enumerate(self._columns):
            self._sheet.write_string(0, index, _as_text(name), self._bold)

    def _row(self, number: int, cells: Sequence[Cell]) -> None:
        at = number + self._above
        for index, cell in enumerate(cells):
            if type(cell) is str:
                if cell:
                    self._text(at, index, cell)
            elif cell is None:
                continue
            elif isinstance(cell, bool):
                self._sheet.write_boolean(at, index, cell)
            elif isinstance(cell, int | Decimal):
                self._number(at, index, cell)

    def _number(self, at: int, index: int, number: int | Decimal) -> None:
        text = plain_number(number) if isinstance(number, Decimal) else whole_number(number)
        if _is_exact(text):
            self._sheet.write_number(at, index, number)
        else:
            self._sheet.write_string(at, index, text)

    def _text(self, at: int, index: int, text: str) -> None:
        if len(text) > MOST_CHARACTERS:
            raise InputError(
                f"Row {at - self._above:,}, column {shortened(self._columns[index])}: '{shortened(text, 30)}' has "
                f"{len(text):,} characters; a cell of Excel holds {MOST_CHARACTERS:,}.",
                hint="Shorten it with a template in `add:`, or write CSV.",
            )
        if self._dates[index] and (moment := _moment_of(text)):
            whole_day = moment.time() == time()
            self._sheet.write_datetime(at, index, moment, self._day if whole_day else self._moment)
        elif self._numbers[index] and _NUMBER.fullmatch(text) and _is_exact(text):
            self._sheet.write_number(at, index, Decimal(text))
        elif text[0] not in MAY_BEGIN or guarded(text) == text:
            self._sheet.write_string(at, index, _as_text(text))
        elif not self._formulas:
            self._sheet.write_string(at, index, text, self._quoted)
        elif text[0] == "=":
            self._sheet.write_formula(at, index, text)
        else:
            self._sheet.write_string(at, index, text)


def _as_text(text: str) -> str:
    """XlsxWriter puts `<r>...</r>` into the sheet as it is, for markup of its own: it is given just that."""
    if text.startswith("<r>") and text.endswith("</r>"):
        return f'<r><t xml:space="preserve">{escape(text)}</t></r>'
    return text


def _is_exact(number: str) -> bool:
    """Whether Excel keeps each digit."""
    return len(number.lstrip("-0.").replace(".", "")) <= MOST_DIGITS and "E" not in number


def _moment_of(text: str) -> datetime | None:
    if not _DATE.fullmatch(text):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment >= _FIRST_DATE and moment.microsecond % 1000 == 0 else None


def _refuse_size(rows: Rows, *, header: bool) -> None:
    most = MOST_ROWS - 1 if header else MOST_ROWS
    if rows.count > most:
        raise InputError(
            f"There are {rows.count:,} rows; a sheet of Excel holds {most:,}{' below its header' if header else ''}.",
            hint=f"Say `batch: {most}` for several files, or write CSV.",
        )
    if len(rows.columns) > MOST_COLUMNS:
        raise InputError(
            f"There are {len(rows.columns):,} columns; a sheet of Excel holds {MOST_COLUMNS:,}.",
            hint="Choose columns with `select:`.",
        )


def _refuse_unknown(columns: Sequence[str], named: Sequence[str]) -> None:
    for name in named:
        if name not in columns:
            near = did_you_mean(name, columns)
            raise InputError(
                f"The rows have no column '{shortened(name)}', which `format: {{excel: ...}}` names.",
                hint=near[:1].upper() + near[1:] or f"They have {shortened(', '.join(columns), 200)}.",
            )
