"""The filters of texts: those of any template, and what documents, messages and addresses want beside them."""

import base64
import csv
import hashlib
import io
import re
from collections.abc import Callable, Mapping, Sized
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape

from jinja2 import Undefined

from idms_cli.templates.budget import Streamed
from idms_cli.templates.datafilters import MOST_ITEMS, DataFilters
from idms_cli.templates.dates import DateReader, read_iso
from idms_cli.templates.dates import reader_of as date_reader_of
from idms_cli.templates.filters import Filters, Readers, date_format
from idms_cli.templates.jsontext import json_pieces
from idms_cli.templates.moments import Moment, moment, time_of
from idms_cli.templates.numbers import reader_of as number_reader_of
from idms_cli.templates.values import Unfit, listed, shown, whole_of, written

LIMIT = 1_000_000
"""Most characters of a text that a filter makes."""

_SHIFT = re.compile(r"(?P<sign>[+-]?)(?P<number>[0-9]{1,6})(?P<unit>mo|[wdhm])")
_UNITS = {"w": timedelta(weeks=1), "d": timedelta(days=1), "h": timedelta(hours=1), "m": timedelta(minutes=1)}
_STARTS: Mapping[str, dict[str, int]] = {
    "hour": {},
    "day": {"hour": 0},
    "month": {"hour": 0, "day": 1},
    "year": {"hour": 0, "day": 1, "month": 1},
}


class WideFilters(Filters):
    """See the module."""

    def __init__(self) -> None:
        super().__init__(LIMIT, Readers(number_reader_of, _date_reader))
        self._data = DataFilters(LIMIT, self._time)

    def table(self) -> dict[str, Callable[..., Any]]:
        return super().table() | {
            "json": self.json,
            "csv": self.csv,
            "xml": self.xml,
            "url": self.url,
            "base64": self.base64,
            "sha256": self.sha256,
            "sha1": self.sha1,
            "md5": self.md5,
            "left": self.left,
            "right": self.right,
            "shorten": self.shorten,
            "first": self.first,
            "last": self.last,
            "sort": self.sort,
            "unique": self.unique,
            "sum": self.sum,
            "pick": self.pick,
            "items": self.items,
            "split": self.split,
            "shift": self.shift,
            "start": self.start,
            **self._data.table(),
        }

    def length(self, value: Any) -> int:
        """Of a text in characters, of a list in items, of rows in rows."""
        if isinstance(value, Sized) and not isinstance(value, str | Undefined):
            return len(value)
        return len(written(value))

    def json(self, value: Any, indent: Any = 0) -> str:
        """The value as JSON: a text in quotes, a list, a mapping."""
        spaces = whole_of(indent, 0, 8, "the indent of json")
        found: list[str] = []
        size = 0
        for piece in json_pieces(value, spaces):
            size += len(piece)
            if size > self._limit:
                raise self._too_long()
            found.append(piece)
        return "".join(found)

    def csv(self, value: Any, delimiter: Any = ",") -> str:
        """A cell, or the cells of a list, as they stand in a line of CSV."""
        mark = written(delimiter)
        if len(mark) != 1 or mark in '"\r\n':
            raise Unfit("csv takes one character that stands between cells")
        line = io.StringIO(newline="")
        cells = [written(item) for item in (value if isinstance(value, list | tuple) else [value])]
        csv.writer(line, delimiter=mark).writerow(cells)
        return self.limited(line.getvalue().removesuffix("\r\n"))

    def xml(self, value: Any) -> str:
        """A text as it stands in XML or HTML, also in an attribute."""
        return self.limited(escape(written(value), {'"': "&quot;", "'": "&#39;"}))

    def url(self, value: Any) -> str:
        """A text as a part of an address: what is no letter or digit is percent-encoded."""
        return self.limited(quote(_bytes(value), safe=""))

    def base64(self, value: Any) -> str:
        return self.limited(base64.b64encode(_bytes(value)).decode())

    def sha256(self, value: Any) -> str:
        """The SHA-256 of a text in UTF-8, as 64 hexadecimal digits."""
        return hashlib.sha256(_bytes(value)).hexdigest()

    def sha1(self, value: Any) -> str:
        return hashlib.sha1(_bytes(value), usedforsecurity=False).hexdigest()

    def md5(self, value: Any) -> str:
        return hashlib.md5(_bytes(value), usedforsecurity=False).hexdigest()

    def left(self, value: Any, width: Any, fill: Any = " ") -> str:
        """The text at the left of so many characters, the rest filled; what is longer is cut."""
        size, mark = _place(width, fill)
        return written(value)[:size].ljust(size, mark)

    def right(self, value: Any, width: Any, fill: Any = " ") -> str:
        """The text at the right of so many characters, the rest filled; of what is longer the end stays."""
        size, mark = _place(width, fill)
        return written(value)[-size:].rjust(size, mark)

    def shorten(self, value: Any, width: Any) -> str:
        """The text, cut to so many characters with … at its end where it is longer."""
        size, text = whole_of(width, 1, LIMIT, "shorten"), written(value)
        return text if len(text) <= size else text[: size - 1] + "…"

    def first(self, value: Any) -> Any:
        """The first item of a list; nothing of an empty one."""
        return next(iter(listed(value)), None)

    def last(self, value: Any) -> Any:
        return next(reversed(listed(value)), None)

    def sort(self, value: Any, key: Any = None) -> list[Any]:
        """A list in order: numbers, or texts as their characters come; mappings by what they have under a key."""
        if key is None:
            return sorted(listed(value))
        return sorted(listed(value), key=lambda item: item[written(key)] if isinstance(item, Mapping) else item)

    def unique(self, value: Any) -> list[Any]:
        """A list in which nothing is twice; the first of each stays."""
        return list(dict.fromkeys(item if isinstance(item, str) else _hashable(item) for item in listed(value)))

    def sum(self, value: Any) -> Decimal:
        """The sum of the numbers in a list; texts have to be numbers."""
        return sum(map(self.number, listed(value)), Decimal(0))

    def pick(self, value: Any, key: Any) -> list[Any]:
        """Of each mapping in a list, or each row, what it has under a key; nothing where it has none."""
        name = written(key)
        if isinstance(value, Streamed):
            return [row.get(name) for row in islice(value.records(), self._most_rows(value))]
        return [item.get(name) if isinstance(item, Mapping) else None for item in listed(value)]

    def _most_rows(self, value: Streamed) -> int:
        if len(value) > MOST_ITEMS:
            raise Unfit(f"{len(value):,} rows are too many for a list: let a step do it, rows stay on disk")
        return MOST_ITEMS

    def items(self, value: Any) -> list[list[Any]]:
        """The keys of a mapping, each with its value."""
        if not isinstance(value, Mapping):
            raise Unfit(f"items takes a mapping, not {shown(value)}")
        return [list(pair) for pair in value.items()]

    def split(self, value: Any, mark: Any) -> list[str]:
        """The parts of a text between the marks."""
        between = written(mark)
        if not between:
            raise Unfit("split needs a mark")
        return written(value).split(between)

    def date(self, value: Any, to: Any, written_as: Any = None) -> str:
        """A date written another way. A moment has its zone's time."""
        at = time_of(value) if isinstance(value, Mapping) else None
        return super().date(value, to, written_as) if at is None else at.strftime(date_format(to))

    def shift(self, value: Any, by: Any) -> Moment:
        """A moment earlier or later: `-1d`, `2h`, `1w`, `-1mo`. A day later it is the same time by the clock."""
        at, by_text = self._time(value), written(by)
        parts = _SHIFT.fullmatch(by_text)
        if parts is None:
            raise Unfit(f"{shown(by_text)} is no shift: write -1d, 2h, 30m, 1w or -1mo")
        number = int(parts["sign"] + parts["number"])
        try:
            return moment(_shifted(at, number, parts["unit"]))
        except (OverflowError, ValueError):
            raise Unfit(f"{shown(by_text)} leads out of the calendar") from None

    def start(self, value: Any, of: Any) -> Moment:
        """The moment at which the `hour`, `day`, `week`, `month`, `quarter` or `year` began that this one is in."""
        at, what = self._time(value).replace(minute=0, second=0, microsecond=0), written(of)
        if what == "week":
            return moment((at - timedelta(days=at.weekday())).replace(hour=0))
        if what == "quarter":
            return moment(at.replace(month=(at.month - 1) // 3 * 3 + 1, day=1, hour=0))
        if what not in _STARTS:
            raise Unfit(f"{shown(what)} has no start: hour, day, week, month, quarter, year have")
        return moment(at.replace(**_STARTS[what]))  # type: ignore[arg-type]

    def _time(self, value: Any) -> datetime:
        at = time_of(value) if isinstance(value, Mapping) else self._readers.date(written(value), None)
        if at is None:
            raise Unfit(f"{shown(value)} is no date: write it as 2026-01-31, or use slot, now or today")
        return at


def _date_reader(form: str | None) -> DateReader:
    if form is not None:
        return date_reader_of(form)
    return lambda text: read_iso(text) or _with_offset(text.strip())


def _with_offset(text: str) -> datetime | None:
    """A time as other systems write it: `2026-01-31T08:30:00Z`."""
    try:
        at = datetime.fromisoformat(text) if len(text) <= 35 else None
    except ValueError:
        return None
    return at if at and at.tzinfo else None


def _shifted(at: datetime, number: int, unit: str) -> datetime:
    if unit == "mo":
        months = at.year * 12 + at.month - 1 + number
        year, month = divmod(months, 12)
        following = datetime(year + (month + 1) // 12, (month + 1) % 12 + 1, 1, tzinfo=UTC)
        last = (following - timedelta(days=1)).day
        return at.replace(year=year, month=month + 1, day=min(at.day, last))
    if unit in "hm" and at.tzinfo is not None:  # real time, whatever the clock does meanwhile
        return (at.astimezone(UTC) + number * _UNITS[unit]).astimezone(at.tzinfo)
    return at + number * _UNITS[unit]


def _place(width: Any, fill: Any) -> tuple[int, str]:
    mark = written(fill)
    if len(mark) != 1:
        raise Unfit("what fills a place is one character")
    return whole_of(width, 1, 10_000, "a place"), mark


def _bytes(value: Any) -> bytes:
    try:
        return written(value).encode()
    except UnicodeEncodeError:
        raise Unfit("a text in it has one half of a surrogate pair, which is no character") from None


def _hashable(item: Any) -> Any:
    if isinstance(item, list | tuple | Mapping):
        raise Unfit("unique takes texts and numbers")
    return item
