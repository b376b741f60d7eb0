"""How numbers are written, told by example: `1,234.56`, `1.234,56`, `1 234,56`, `1234,56`."""

import re
from collections.abc import Callable
from decimal import Decimal

SAMPLES = ("1234.56", "1,234.56", "1.234,56", "1 234,56", "1234,56", "1'234.56")

# SPACE, NO-BREAK SPACE and NARROW NO-BREAK SPACE stand for each other: what is on screen cannot tell them apart.
_SPACES = " \u00a0\u202f"
_SAMPLE = re.compile(rf"1(?P<thousands>[.,'\u2019{_SPACES}]?)234(?P<decimal>[.,])56")

NumberReader = Callable[[str], Decimal | None]
"""The number that a text says, None when it is none."""


class NotASample(ValueError):
    """The text is not the number 1234.56 in some way of writing."""


def reader_of(sample: str = SAMPLES[0]) -> NumberReader:
    """Reads numbers that are written as `sample` writes 1234.56. Thousands may be grouped or not, but never wrongly.

    Raises `NotASample`. No exponents, no NaN, no infinity, only the digits 0 to 9. Space around a number does not
    count.
    """
    parts = _SAMPLE.fullmatch(sample)
    if parts is None or parts["thousands"] == parts["decimal"]:
        raise NotASample(sample)
    pattern = _pattern(parts["thousands"], parts["decimal"])
    drop = str.maketrans(dict.fromkeys(_equivalents(parts["thousands"])) | {parts["decimal"]: "."})

    def read(text: str) -> Decimal | None:
        number = text.strip()
        if pattern.fullmatch(number) is None:
            return None
        return Decimal(number.translate(drop))

    return read


def _pattern(thousands: str, decimal: str) -> re.Pattern[str]:
    point = re.escape(decimal)
    whole = "[0-9]+"
    if thousands:
        whole = f"(?:[0-9]{{1,3}}(?:[{re.escape(_equivalents(thousands))}][0-9]{{3}})+|{whole})"
    return re.compile(f"[+-]?(?:{whole}(?:{point}[0-9]*)?|{point}[0-9]+)")


def _equivalents(thousands: str) -> str:
    if thousands and thousands in _SPACES:
        return _SPACES
    return "'\u2019" if thousands in ("'", "\u2019") else thousands
