"""What a template may do with a value, whatever language it is written in: `{{ name|title }}`.

Every filter takes any value and any argument, and either gives one of bounded size or raises `Unfit`.
"""

import re
from collections.abc import Callable
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Any

from jinja2 import Undefined

from idms_cli.config.foreign import shortened
from idms_cli.templates.casing import titled
from idms_cli.templates.dates import DateReader, NotAFormat
from idms_cli.templates.numbers import SAMPLES, NotASample, NumberReader
from idms_cli.templates.values import Unfit, listed, number_of, written

_LONGEST_NUMBER = 100
_MOST_PLACES = 10
# No width, no locale's own forms: glibc's strftime pads `%0900000000d` to 900 MB.
_DATE_FORMAT = re.compile(r"(?:[^%]|%[YymdHIMSpfjAaBbGVu%])*")


class Readers:
    """How a kind of template reads numbers and dates in a text."""

    def __init__(
        self,
        number_reader: Callable[[str], NumberReader],
        date_reader: Callable[[str | None], DateReader],
        unclear: type[Exception] | tuple[type[Exception], ...] = (),
    ) -> None:
        """`unclear` is what the readers raise where a text could be read in two ways; its words end a sentence."""
        self._number_reader = lru_cache(maxsize=64)(number_reader)
        self._date_reader = lru_cache(maxsize=64)(date_reader)
        self._unclear = unclear

    def number(self, text: str, sample: str) -> Decimal | None:
        """None for what is no number. Raises `Unfit`."""
        try:
            return None if len(text.strip()) > _LONGEST_NUMBER else self._number_reader(sample)(text)
        except NotASample:
            raise Unfit(f"'{shortened(sample)}' is not the number 1234.56 in some way of writing") from None
        except self._unclear as unclear:
            raise Unfit(f"'{shortened(text)}' {unclear}") from None

    def date(self, text: str, date_format: str | None) -> datetime | None:
        """None for what is no date. Raises `Unfit`."""
        try:
            return self._date_reader(date_format)(text)
        except NotAFormat as error:
            raise Unfit(f"the date format '{shortened(date_format or '')}' cannot be used: {error}") from None
        except self._unclear as unclear:
            raise Unfit(f"'{shortened(text)}' {unclear}") from None


class Filters:
    """The filters of one kind of template. To add one: a method, and its line in `table`."""

    def __init__(self, limit: int, readers: Readers) -> None:
        """`limit` is the most characters of a text that any of them makes."""
        self._limit = limit
        self._readers = readers

    def table(self) -> dict[str, Callable[..., Any]]:
        """By their names."""
        return {
            "upper": self.upper,
            "lower": self.lower,
            "title": self.title,
            "trim": self.trim,
            "replace": self.replace,
            "default": self.default,
            "join": self.joined,
            "select": self.select,
            "length": self.length,
            "number": self.number,
            "round": self.round,
            "money": self.money,
            "date": self.date,
        }

    def limited(self, text: str) -> str:
        """The text itself. Raises `Unfit` when it is too long."""
        if len(text) > self._limit:
            raise self._too_long()
        return text

    def joined(self, value: Any, mark: Any = "") -> str:
        """The texts in a list, with the mark between them."""
        texts = [written(item) for item in listed(value)]
        between = written(mark)
        if sum(map(len, texts)) + len(between) * len(texts) > self._limit:
            raise self._too_long()
        return between.join(texts)

    def upper(self, value: Any) -> str:
        return written(value).upper()

    def lower(self, value: Any) -> str:
        return written(value).lower()

    def title(self, value: Any) -> str:
        return titled(written(value))

    def trim(self, value: Any) -> str:
        return written(value).strip()

    def replace(self, value: Any, old: Any, new: Any) -> str:
        text, gone, come = written(value), written(old), written(new)
        if not gone:
            raise Unfit("replace needs a text to look for")
        if len(text) + text.count(gone) * (len(come) - len(gone)) > self._limit:
            raise self._too_long()
        return text.replace(gone, come)

    def default(self, value: Any, other: Any) -> Any:
        """Another value for a blank one."""
        blank = isinstance(value, Undefined) or value is None or (isinstance(value, str) and not value.strip())
        return other if blank else value

    def select(self, value: Any) -> list[Any]:
        """The items of a list that are not blank."""
        return [item for item in listed(value) if written(item).strip()]

    def length(self, value: Any) -> int:
        return len(value) if isinstance(value, list | tuple) else len(written(value))

    def number(self, value: Any, sample: Any = SAMPLES[0]) -> Decimal:
        """The number that a text says; `sample` is how 1234.56 is written."""
        if not isinstance(value, str):
            return number_of(value)
        number = self._readers.number(value, written(sample))
        if number is None:
            raise Unfit(f"'{shortened(value.strip())}' is not a number")
        return number

    def round(self, value: Any, places: Any = 0) -> Decimal:
        if not isinstance(places, int) or not 0 <= places <= _MOST_PLACES:
            raise Unfit(f"round takes 0 to {_MOST_PLACES} places")
        return self.number(value).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)

    def money(self, value: Any, sample: Any = "1,234.56") -> str:
        """A number with two digits after the point, written as `sample` writes 1234.56."""
        form = written(sample)
        self._readers.number("", form)  # tells a sample that is none
        marks = {",": form[1] if len(form) == len("1,234.56") else "", ".": form[-3]}
        text = format(self.round(value, 2), ",f")
        return "".join(marks.get(character, character) for character in text)

    def date(self, value: Any, to: Any, written_as: Any = None) -> str:
        """A date written another way; `written_as` is how it is written now, ISO if unset. Both as in strptime."""
        form = date_format(to)
        text = written(value)
        now = None if written_as is None else written(written_as)
        moment = self._readers.date(text, now)
        if moment is None:
            raise Unfit(f"'{shortened(text.strip())}' is not a date written as {now or '2026-01-31'}")
        return self.limited(moment.strftime(form))

    def _too_long(self) -> Unfit:
        return Unfit(f"it makes more than {self._limit:,} characters")


def date_format(value: Any) -> str:
    """A way of writing dates that is harmless. Raises `Unfit`."""
    form = written(value)
    if not _DATE_FORMAT.fullmatch(form):
        raise Unfit(f"'{shortened(form)}' is no way to write a date: use %Y %m %d %H %M %S %B %b")
    return form
