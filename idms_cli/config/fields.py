"""Values with a form of their own, ready to be the type of a model's field: durations, sizes, rates, zones, paths."""

import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, TypeVar
from zoneinfo import ZoneInfo, available_timezones

from pydantic import PlainValidator, Strict, WithJsonSchema

from idms_cli.config.durations import parse_duration
from idms_cli.config.foreign import shortened
from idms_cli.config.problems import BadValue
from idms_cli.config.spelling import nearest

_NUMBER = r"(\d{1,12}(?:\.\d{1,6})?)"
_RATE = re.compile(_NUMBER + "/([smh])", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 3600}
_SIZE = re.compile(r"(\d{1,12})(B|KB|MB|GB|KiB|MiB|GiB)", re.ASCII)
_BYTES = {"B": 1, "KB": 1000, "MB": 1000**2, "GB": 1000**3, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}
_PERCENT = re.compile(_NUMBER + "%", re.ASCII)
_CONTROL = re.compile("[\x00-\x1f\x7f]")

_NAME = re.compile("[A-Za-z0-9][A-Za-z0-9_-]{0,63}")

T = TypeVar("T")


def parse_positive_duration(text: object) -> timedelta:
    """A duration longer than nothing. Raises `BadValue`."""
    duration = parse_duration(text)
    if not duration:
        raise BadValue("the duration must be longer than 0s")
    return duration


def parse_size(text: object) -> int:
    """Bytes: `512KB` is 512,000, `512KiB` is 524,288. Raises `BadValue`."""
    match = _SIZE.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise BadValue("a size is wanted here", hint="write a number and a unit: 512KB, 10MB, 1GB (or KiB, MiB, GiB)")
    return int(match[1]) * _BYTES[match[2]]


def parse_rate(text: object) -> float:
    """How often per second: `5/s`, `300/m`, `1000/h`; more than 0. Raises `BadValue`."""
    match = _RATE.fullmatch(text) if isinstance(text, str) else None
    if match is None or float(match[1]) == 0:
        raise BadValue("a rate is wanted here", hint="write how many per second, minute or hour: 5/s, 300/m, 1000/h")
    return float(match[1]) / _SECONDS[match[2]]


def parse_percent(text: object) -> float:
    """Percent from 0 to 100: `5%` is 5.0. Raises `BadValue`."""
    match = _PERCENT.fullmatch(text) if isinstance(text, str) else None
    if match is None or float(match[1]) > 100:
        raise BadValue("a percentage is wanted here", hint="write it from 0% to 100%: 5%, 0.5%")
    return float(match[1])


def parse_share(text: object) -> "Share":
    """A count (`20`) or a percentage (`5%`). Raises `BadValue`."""
    if isinstance(text, int) and not isinstance(text, bool) and text >= 0:
        return Share(count=text)
    if isinstance(text, str) and text.endswith("%"):
        return Share(percent=parse_percent(text))
    raise BadValue("a count or a percentage is wanted here", hint="write 20, or 5%")


def parse_time_zone(text: object) -> ZoneInfo:
    """The zone of that name in the tz database. Raises `BadValue` with a near name."""
    if not isinstance(text, str) or not text:
        raise BadValue("the name of a time zone is wanted here", hint="write it as in America/New_York or UTC")
    try:
        return ZoneInfo(text)
    except (LookupError, ValueError, OSError):  # unknown, not a name at all, or a folder of zones
        raise BadValue(f"there is no time zone '{shortened(text)}'", hint=_zone_hint(text)) from None


def parse_path(text: object) -> Path:
    """A path as written, relative or absolute. Raises `BadValue` for what no path should be."""
    if not isinstance(text, str) or not text:
        raise BadValue("a path is wanted here", hint="write the path of a file or directory")
    if _CONTROL.search(text):
        raise BadValue("a path cannot have control characters in it", hint="look for \\ in double quotes")
    if text.startswith("~"):
        raise BadValue("'~' has no meaning here: a job has no home", hint="write the whole path, from /")
    return Path(text)


def parse_name(text: object) -> str:
    """A name that is safe as part of a file name. Raises `BadValue`."""
    if not isinstance(text, str) or not _NAME.fullmatch(text):
        raise BadValue(
            "this cannot be a name", hint="use letters, digits, '_' and '-', at most 64, the first a letter or digit"
        )
    return text


def parse_pattern(text: object) -> re.Pattern[str]:
    """A regular expression of Python. Raises `BadValue` with what is wrong in it."""
    if not isinstance(text, str) or not text:
        raise BadValue("a regular expression is wanted here", hint="put it in single quotes: '[a-z-]+'")
    try:
        return re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        raise BadValue(
            f"this is not a regular expression: {error}", hint="put it in single quotes: '[a-z-]+'"
        ) from None


def _zone_hint(text: str) -> str:
    zones = available_timezones()
    wanted = text.replace(" ", "_")
    by_city = {zone.rpartition("/")[2]: zone for zone in sorted(zones, reverse=True)}
    near = nearest(wanted, zones) or by_city.get(nearest(wanted.rpartition("/")[2], by_city) or "")
    return f"did you mean '{near}'?" if near else "write it as in America/New_York or UTC"


@dataclass(frozen=True)
class Share:
    """A limit as a count, or as a percentage of something."""

    count: int | None = None
    percent: float | None = None

    def exceeded(self, number: int, total: int) -> bool:
        """Whether `number` of `total` is more than this allows."""
        if self.count is not None:
            return number > self.count
        return number * 100 > (self.percent or 0) * total

    def __str__(self) -> str:
        return f"{self.count:,}" if self.count is not None else f"{self.percent:g}%"


ListOf = Annotated[tuple[T, ...], Strict(strict=False)]
"""A YAML list of values as a tuple."""

_TEXT = WithJsonSchema({"type": "string"})

Duration = Annotated[timedelta, PlainValidator(parse_duration), _TEXT]
PositiveDuration = Annotated[timedelta, PlainValidator(parse_positive_duration), _TEXT]
Size = Annotated[int, PlainValidator(parse_size), _TEXT]
"""Bytes."""
Rate = Annotated[float, PlainValidator(parse_rate), _TEXT]
"""Per second."""
Percent = Annotated[float, PlainValidator(parse_percent), _TEXT]
"""From 0.0 to 100.0."""
TimeZone = Annotated[ZoneInfo, PlainValidator(parse_time_zone), _TEXT]
ShareOf = Annotated[Share, PlainValidator(parse_share), WithJsonSchema({"type": ["integer", "string"]})]
RelativePath = Annotated[Path, PlainValidator(parse_path), _TEXT]
"""As written; who reads it knows the directory it starts from."""
Name = Annotated[str, PlainValidator(parse_name), _TEXT]
Pattern = Annotated[re.Pattern[str], PlainValidator(parse_pattern), _TEXT]
