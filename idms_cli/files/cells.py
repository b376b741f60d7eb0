"""The value of a cell in a workbook as text, in the one form that the conversions read without loss."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

EXACT = 2**53
"""Whole numbers from here on are not all there are: https://en.wikipedia.org/wiki/Double-precision_floating-point_format"""

CellValue = int | float | str | bool | time | date | datetime | timedelta


def cell_text(value: CellValue) -> str:
    """Text as it is; whole numbers without point or exponent; others to 15 digits; true, false; dates as ISO 8601.

    15 digits are what Excel shows of a number and keeps when it is typed in
    (https://learn.microsoft.com/office/troubleshoot/excel/floating-point-arithmetic-inaccurate-result); what follows is
    noise of calculating in binary: 19.990000000000002. A duration is `30:15:00`, in hours, minutes and seconds.
    """
    return _TEXT_OF[type(value)](value)


def is_exact(value: CellValue) -> bool:
    """False for a number so large that its last digits are not those that somebody wrote."""
    return type(value) is not float or -EXACT < value < EXACT


def has_own_form(value: CellValue) -> bool:
    """Whether its text could be misread by rules for numbers and dates in text: a fraction, or a date."""
    return isinstance(value, date) or (type(value) is float and not value.is_integer())


def _boolean(value: bool) -> str:
    return "true" if value else "false"


def _number(value: float) -> str:
    if value.is_integer():
        return str(int(value))
    plain = format(Decimal(format(value, ".15g")), "f")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def _duration(value: timedelta) -> str:
    sign = "-" if value < timedelta() else ""
    minutes, seconds = divmod(round(abs(value).total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{sign}{hours:02}:{minutes:02}:{seconds:02}"


# By type, since a sheet has millions of cells.
_TEXT_OF: dict[type, Callable[[Any], str]] = {
    str: str,
    bool: _boolean,
    int: str,
    float: _number,
    date: date.isoformat,
    datetime: datetime.isoformat,
    time: time.isoformat,
    timedelta: _duration,
}
