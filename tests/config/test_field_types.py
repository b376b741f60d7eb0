"""Durations, sizes, rates, percentages, zones, names and paths are read exactly, or refused with an example."""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idms_cli.config.durations import format_duration, parse_duration
from idms_cli.config.fields import (
    parse_name,
    parse_path,
    parse_pattern,
    parse_percent,
    parse_positive_duration,
    parse_rate,
    parse_size,
    parse_time_zone,
)
from idms_cli.config.problems import BadValue


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("30s", timedelta(seconds=30)),
        ("5m", timedelta(minutes=5)),
        ("2h", timedelta(hours=2)),
        ("1d", timedelta(days=1)),
        ("1h30m", timedelta(minutes=90)),
        ("1d2h3m4s", timedelta(days=1, hours=2, minutes=3, seconds=4)),
        ("90m", timedelta(minutes=90)),
        ("0s", timedelta(0)),
    ],
)
def test_a_duration_is_read(text: str, duration: timedelta) -> None:
    assert parse_duration(text) == duration


@pytest.mark.parametrize(
    ("parse", "value"),
    [
        *[
            (parse_duration, value)
            for value in ["", "5", 5, "5 m", "5M", "m", "-5m", "1.5h", "30m1h", "5m5m", "٣m", None]
        ],
        *[(parse_positive_duration, value) for value in ["0s", "0d0h", "x"]],
        *[(parse_size, value) for value in ["", 10, "10", "10 MB", "10mb", "-1KB", "1.5GB", "1TB", None]],
        *[(parse_rate, value) for value in ["", 5, "5", "5/d", "0/s", "0.0/m", "-1/s", "5 / s", None]],
        *[(parse_percent, value) for value in ["", 5, "5", "101%", "-1%", "5 %", "%", None]],
        *[
            (parse_time_zone, value)
            for value in ["", 5, "Mars/Base", "../../etc/passwd", "/etc/localtime", "a\0b", None]
        ],
        *[(parse_name, value) for value in ["", 5, ".a", "-a", "_a", "a/b", "a b", "é", "a.b", "a\n", "a" * 65, None]],
        *[(parse_path, value) for value in ["", 5, "~/x", "a\0b", "a\nb", None]],
        *[(parse_pattern, value) for value in ["", 5, "[a", "(?P<x>", "*", None]],
    ],
    ids=lambda part: getattr(part, "__name__", repr(part)),
)
def test_what_has_not_the_form_is_refused_with_a_hint(parse: Callable[[object], object], value: object) -> None:
    with pytest.raises(BadValue) as caught:
        parse(value)
    assert str(caught.value)
    assert caught.value.hint or str(caught.value) == "the duration must be longer than 0s"


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0B", 0),
        ("512KB", 512_000),
        ("10MB", 10_000_000),
        ("1GB", 10**9),
        ("4KiB", 4096),
        ("1MiB", 2**20),
        ("1GiB", 2**30),
    ],
)
def test_a_size_is_read_in_bytes(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(("text", "rate"), [("5/s", 5.0), ("300/m", 5.0), ("1800/h", 0.5), ("0.5/s", 0.5)])
def test_a_rate_is_read_per_second(text: str, rate: float) -> None:
    assert parse_rate(text) == rate


@pytest.mark.parametrize(("text", "percent"), [("0%", 0.0), ("5%", 5.0), ("0.5%", 0.5), ("100%", 100.0)])
def test_a_percentage_is_read(text: str, percent: float) -> None:
    assert parse_percent(text) == percent


def test_a_zone_a_name_a_path_and_a_pattern_are_read() -> None:
    assert parse_time_zone("America/New_York") == ZoneInfo("America/New_York")
    assert parse_name("lms-completions_2") == "lms-completions_2"
    assert parse_path("data/in.csv") == Path("data/in.csv")
    assert parse_pattern("[a-z]+") == re.compile("[a-z]+")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("America/New York", "America/New_York"),
        ("america/new_york", "America/New_York"),
        ("New_York", "America/New_York"),
        ("Europe/Belin", "Europe/Berlin"),
        ("Berlin", "Europe/Berlin"),
    ],
)
def test_an_unknown_zone_gets_a_near_one(written: str, meant: str) -> None:
    with pytest.raises(BadValue) as caught:
        parse_time_zone(written)
    assert caught.value.hint == f"did you mean '{meant}'?"


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (timedelta(0), "0s"),
        (timedelta(milliseconds=350), "350ms"),
        (timedelta(seconds=59.9), "59s"),
        (timedelta(seconds=90), "1m30s"),
        (timedelta(hours=6), "6h"),
        (timedelta(days=1, seconds=1), "1d1s"),
        (timedelta(minutes=-5), "-5m"),
    ],
)
def test_a_duration_is_shown(duration: timedelta, text: str) -> None:
    assert format_duration(duration) == text


@given(st.integers(0, 10**9))
def test_a_duration_that_was_shown_reads_as_itself(seconds: int) -> None:
    duration = timedelta(seconds=seconds)
    assert parse_duration(format_duration(duration)) == duration
