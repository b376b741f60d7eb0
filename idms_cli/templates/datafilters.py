"""The filters of texts that read data and make it: JSON, CSV, lists of mappings, and what lies between two dates."""

import base64
import binascii
import csv
import hashlib
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from idms_cli.config.foreign import shortened
from idms_cli.templates.budget import Streamed
from idms_cli.templates.moments import Moment, moment
from idms_cli.templates.values import Unfit, is_whole, listed, number_of, shown, written

MOST_ITEMS = 100_000
"""Of a list that a filter makes, with all that is in it."""
_DEEPEST = 50


class DataFilters:
    """See the module. `limit` is the most characters of a text that any of them makes or reads."""

    def __init__(self, limit: int, time_of: Callable[[Any], datetime]) -> None:
        """`time_of` makes a time of a moment or of a text, and raises `Unfit`."""
        self._limit = limit
        self._time_of = time_of

    def table(self) -> dict[str, Callable[..., Any]]:
        """By their names."""
        return {
            "from_json": self.from_json,
            "from_csv": self.from_csv,
            "csv_table": self.csv_table,
            "from_base64": self.from_base64,
            "sha512": self.sha512,
            "cents": self.cents,
            "abs": self.abs,
            "where": self.where,
            "keys": self.keys,
            "values": self.values,
            "min": self.min,
            "max": self.max,
            "reverse": self.reverse,
            "moment": self.moment,
            "zone": self.zone,
            "end": self.end,
            "days_until": self.days_until,
            "epoch": self.epoch,
        }

    def from_json(self, value: Any) -> Any:
        """What a text in JSON says; numbers with a point keep their digits."""
        text = self._read(value)
        try:
            found = json.loads(text, parse_float=Decimal, parse_constant=_no_number)
        except (ValueError, RecursionError) as error:
            where = f" in line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
            raise Unfit(f"{shown(text)} is no JSON{where}") from None
        _refuse_much(found)
        return found

    def from_csv(self, value: Any, delimiter: Any = ",") -> list[dict[str, str]]:
        """The lines of a text in CSV as mappings, by the names in its first line; what is left out is blank."""
        reader = csv.reader(io.StringIO(self._read(value), newline=""), delimiter=_mark(delimiter))
        try:
            header = next(reader, [])
            found = []
            for line in reader:
                if line:
                    cells = [*line, *[""] * (len(header) - len(line))]
                    found.append(dict(zip(header, cells, strict=False)))
                if len(found) * max(len(header), 1) > MOST_ITEMS:
                    raise Unfit(f"it has more than {MOST_ITEMS:,} cells")
        except csv.Error as error:
            raise Unfit(f"it is no CSV: {error}") from None
        return found

    def csv_table(self, value: Any, delimiter: Any = ",") -> str:
        """Rows, or a list of mappings, as CSV with a line of names before them."""
        mark = _mark(delimiter)
        text = io.StringIO(newline="")
        writer = csv.writer(text, delimiter=mark)
        names: list[str] = []
        for place, row in enumerate(_mappings(value)):
            if not place:
                names = [str(name) for name in row]
                writer.writerow(names)
            writer.writerow([written(row.get(name)) for name in names])
            if text.tell() > self._limit:
                raise Unfit(f"it makes more than {self._limit:,} characters")
        return text.getvalue()

    def from_base64(self, value: Any) -> str:
        """The text in UTF-8 that was encoded."""
        try:
            return base64.b64decode(self._read(value), validate=True).decode()
        except (binascii.Error, ValueError):
            raise Unfit(f"{shown(value)} is no text in base64") from None

    def sha512(self, value: Any) -> str:
        """The SHA-512 of a text in UTF-8, as 128 hexadecimal digits."""
        return hashlib.sha512(written(value).encode("utf-8", "surrogatepass")).hexdigest()

    def cents(self, value: Any) -> int:
        """An amount in hundredths, as payment services want it: 12.5 is 1250. Raises `Unfit` for half a hundredth."""
        hundredths = number_of(value) * 100
        if not is_whole(hundredths):
            raise Unfit(f"{shortened(written(value))} has more than two places: round it first")
        return int(hundredths)

    def abs(self, value: Any) -> Decimal:
        return abs(number_of(value))

    def where(self, value: Any, key: Any, wanted: Any) -> list[Mapping[str, Any]]:
        """The mappings of a list, or the rows, that have this value under a key."""
        name = written(key)
        return list(_bounded(row for row in _mappings(value) if name in row and row[name] == wanted))

    def keys(self, value: Any) -> list[str]:
        return [str(name) for name in _mapping(value, "keys")]

    def values(self, value: Any) -> list[Any]:
        return list(_mapping(value, "values").values())

    def min(self, value: Any) -> Any:
        """The least of a list; nothing of an empty one."""
        return min(listed(value), default=None)

    def max(self, value: Any) -> Any:
        return max(listed(value), default=None)

    def reverse(self, value: Any) -> Any:
        """A list, or a text, from its end."""
        return value[::-1] if isinstance(value, str) else list(reversed(listed(value)))

    def moment(self, value: Any) -> Moment:
        """A text that says a date or a time as a moment, with the parts of `slot`."""
        return moment(self._time_of(value))

    def zone(self, value: Any, name: Any) -> Moment:
        """A moment by the clock of another zone. Raises `Unfit` for a time that says no zone of its own."""
        at = self._time_of(value)
        if at.tzinfo is None:
            raise Unfit(f"{shown(value)} does not say in which zone it is")
        try:
            return moment(at, ZoneInfo(written(name)))
        except (LookupError, ValueError, OSError):
            raise Unfit(f"there is no time zone {shown(name)}: write it as America/New_York or UTC") from None

    def end(self, value: Any, of: Any) -> Moment:
        """The last day of the `week`, `month`, `quarter` or `year` that a moment is in, at midnight."""
        at, what = self._time_of(value).replace(hour=0, minute=0, second=0, microsecond=0), written(of)
        if what == "week":
            return moment(at + timedelta(days=6 - at.weekday()))
        months = {"month": at.month, "quarter": (at.month + 2) // 3 * 3, "year": 12}
        if what not in months:
            raise Unfit(f"{shown(what)} has no end: week, month, quarter, year have")
        year, month = divmod(at.year * 12 + months[what], 12)
        if year > 9999:
            return moment(at.replace(month=12, day=31))
        last = datetime(year, month + 1, 1, tzinfo=UTC) - timedelta(days=1)
        return moment(at.replace(month=last.month, day=last.day))

    def days_until(self, value: Any, other: Any) -> int:
        """The days from one date to another, by the calendar; negative where that is earlier."""
        return (self._time_of(other).date() - self._time_of(value).date()).days

    def epoch(self, value: Any) -> int:
        """Seconds since 1970. Raises `Unfit` for a time that says no zone."""
        at = self._time_of(value)
        if at.tzinfo is None:
            raise Unfit(f"{shown(value)} does not say in which zone it is")
        return int(at.timestamp() // 1)

    def _read(self, value: Any) -> str:
        text = written(value)
        if len(text) > self._limit:
            raise Unfit(f"it has more than {self._limit:,} characters")
        return text


def _mappings(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, Streamed):
        yield from value.records()
        return
    for item in listed(value):
        if not isinstance(item, Mapping):
            raise Unfit(f"a list of mappings is wanted, and one of its items is {shown(item)}")
        yield item


def _bounded(items: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    size = 0
    for item in items:
        size += len(item)
        if size > MOST_ITEMS:
            raise Unfit(f"it makes a list of more than {MOST_ITEMS:,} values: let a step do it, rows stay on disk")
        yield item


def _mapping(value: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise Unfit(f"{what} takes a mapping, not {shown(value)}")
    return value


def _mark(delimiter: Any) -> str:
    mark = written(delimiter)
    if len(mark) != 1 or mark in '"\r\n':
        raise Unfit("csv takes one character that stands between cells")
    return mark


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no number of JSON")


def _refuse_much(value: Any) -> None:
    waiting, found = [(value, 0)], 0
    while waiting:
        one, depth = waiting.pop()
        items = list(one.values()) if isinstance(one, Mapping) else one if isinstance(one, list) else []
        found += len(items)
        if found > MOST_ITEMS or depth > _DEEPEST:
            raise Unfit(f"it has more than {MOST_ITEMS:,} items, or is nested too deep")
        waiting.extend((item, depth + 1) for item in items)
