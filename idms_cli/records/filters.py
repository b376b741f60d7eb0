"""What a template may do with a value: `{{ name|title }}`. To add a filter: one function and one line in `FILTERS`.

Every filter takes any value and any argument, and either gives one of bounded size or raises `Unfit`.
"""

import re
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Any

from jinja2 import Undefined

from idms_cli.config.foreign import shortened
from idms_cli.records.dates import DateReader, NotAFormat, date_reader
from idms_cli.records.forms import Unclear
from idms_cli.records.numbers import SAMPLES, NotASample, NumberReader, number_reader
from idms_cli.records.texts import titled

LIMIT = 100_000
"""Most characters that a template, or a step in it, may make of one row."""

_LONGEST_NUMBER = 100
_MOST_PLACES = 10
# No width, no locale's own forms: glibc's strftime pads `%0900000000d` to 900 MB.
_DATE_FORMAT = re.compile(r"(?:[^%]|%[YymdHIMSpfjAaBb%])*")


class Unfit(ValueError):
    """An expression cannot be worked out for this row; the message is the end of a sentence that says why."""


def written(value: Any) -> str:
    """A value as text: numbers with a point and no exponent. Raises `Unfit` for a list and a part that is missing."""
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case None:
            return ""
        case int() | float() | Decimal():
            return limited(format(number_of(value), "f"))
        case Undefined():
            raise Unfit("it takes a character that the text does not have")
    raise Unfit("a list is no text: put |join(' ') after it")


def number_of(value: Any) -> Decimal:
    """A number as a decimal. Raises `Unfit` for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise Unfit(f"{_shown(value)} is no number here: put |number after it")
    number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if not number.is_finite():
        raise Unfit("a number in it is beyond all bounds")
    return number


def limited(text: str) -> str:
    """The text itself. Raises `Unfit` when it is too long."""
    if len(text) > LIMIT:
        raise _too_long()
    return text


def joined(value: Any, mark: Any = "") -> str:
    """The texts in a list, with the mark between them."""
    texts = [written(item) for item in _listed(value)]
    between = written(mark)
    if sum(map(len, texts)) + len(between) * len(texts) > LIMIT:
        raise _too_long()
    return between.join(texts)


def _upper(value: Any) -> str:
    return written(value).upper()


def _lower(value: Any) -> str:
    return written(value).lower()


def _title(value: Any) -> str:
    return titled(written(value))


def _trim(value: Any) -> str:
    return written(value).strip()


def _replace(value: Any, old: Any, new: Any) -> str:
    text, gone, come = written(value), written(old), written(new)
    if not gone:
        raise Unfit("replace needs a text to look for")
    if len(text) + text.count(gone) * (len(come) - len(gone)) > LIMIT:
        raise _too_long()
    return text.replace(gone, come)


def _default(value: Any, other: Any) -> Any:
    """Another value for a blank one."""
    blank = isinstance(value, Undefined) or value is None or (isinstance(value, str) and not value.strip())
    return other if blank else value


def _select(value: Any) -> list[Any]:
    """The items of a list that are not blank."""
    return [item for item in _listed(value) if written(item).strip()]


def _length(value: Any) -> int:
    return len(value) if isinstance(value, list | tuple) else len(written(value))


def _number(value: Any, sample: Any = SAMPLES[0]) -> Decimal:
    """The number that a text says; `sample` is how 1234.56 is written."""
    if not isinstance(value, str):
        return number_of(value)
    try:
        number = None if len(value.strip()) > _LONGEST_NUMBER else _number_reader(written(sample))(value)
    except Unclear as unclear:
        raise Unfit(f"'{shortened(value)}' {unclear}") from None
    if number is None:
        raise Unfit(f"'{shortened(value.strip())}' is not a number")
    return number


def _round(value: Any, places: Any = 0) -> Decimal:
    if not isinstance(places, int) or not 0 <= places <= _MOST_PLACES:
        raise Unfit(f"round takes 0 to {_MOST_PLACES} places")
    return _number(value).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def _money(value: Any, sample: Any = "1,234.56") -> str:
    """A number with two digits after the point, written as `sample` writes 1234.56."""
    marks = _money_marks(written(sample))
    text = format(_round(value, 2), ",f")
    return "".join(marks.get(character, character) for character in text)


def _date(value: Any, to: Any, written_as: Any = None) -> str:
    """A date written another way; `written_as` is how it is written now, ISO if unset. Both as in strptime."""
    form = written(to)
    if not _DATE_FORMAT.fullmatch(form):
        raise Unfit(f"'{shortened(form)}' is no way to write a date: use %Y %m %d %H %M %S %B %b")
    text = written(value)
    try:
        moment = _date_reader(None if written_as is None else written(written_as))(text)
    except Unclear as unclear:
        raise Unfit(f"'{shortened(text)}' {unclear}") from None
    if moment is None:
        raise Unfit(f"'{shortened(text.strip())}' is not a date written as {written_as or '2026-01-31'}")
    return limited(moment.strftime(form))


FILTERS: dict[str, Callable[..., Any]] = {
    "upper": _upper,
    "lower": _lower,
    "title": _title,
    "trim": _trim,
    "replace": _replace,
    "default": _default,
    "join": joined,
    "select": _select,
    "length": _length,
    "number": _number,
    "round": _round,
    "money": _money,
    "date": _date,
}


def _listed(value: Any) -> list[Any] | tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise Unfit(f"a list is wanted, such as [FirstName, LastName], not {_shown(value)}")
    return value


@lru_cache(maxsize=64)
def _number_reader(sample: str) -> NumberReader:
    try:
        return number_reader(sample)
    except NotASample:
        raise Unfit(f"'{shortened(sample)}' is not the number 1234.56 in some way of writing") from None


@lru_cache(maxsize=64)
def _money_marks(sample: str) -> dict[str, str]:
    _number_reader(sample)
    return {",": sample[1] if len(sample) == len("1,234.56") else "", ".": sample[-3]}


@lru_cache(maxsize=64)
def _date_reader(date_format: str | None) -> DateReader:
    try:
        return date_reader(date_format)
    except NotAFormat as error:
        raise Unfit(f"the date format '{shortened(date_format or '')}' cannot be used: {error}") from None


def _shown(value: Any) -> str:
    return f"'{shortened(value)}'" if isinstance(value, str) else f"a {type(value).__name__.lower()}"


def _too_long() -> Unfit:
    return Unfit(f"it makes more than {LIMIT:,} characters")
