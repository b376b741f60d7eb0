"""A job's schedule as the JSON that the history keeps, and the schedule and the occurrences it stands for."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

from idms_cli.config.clocktimes import parse_date
from idms_cli.config.durations import parse_duration
from idms_cli.jobs.calendar import Calendar
from idms_cli.jobs.crontab import ScheduleError
from idms_cli.jobs.holidays import Holidays
from idms_cli.jobs.occurrences import Occurrences, Plain
from idms_cli.jobs.rules import Ruled
from idms_cli.jobs.schedule import one_time
from idms_cli.jobs.several import all_of, between
from idms_cli.jobs.slots import Due, Schedule
from idms_cli.jobs.timing import AfterOptions, Moments, ScheduleOptions
from idms_cli.jobs.words import WORDS, every

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)

Loc = tuple[str | int, ...]


class WrongSchedule(ScheduleError):
    """A schedule that cannot be meant, and the place of the word that says it, from `schedule:` on."""

    def __init__(self, loc: Loc, message: str, *, hint: str) -> None:
        super().__init__(message, hint=hint)
        self.loc = loc


@dataclass(frozen=True)
class Stored:
    """What `schedule:` says, in plain data."""

    data: Mapping[str, Any]

    @classmethod
    def of(cls, options: ScheduleOptions, job: str) -> "Stored":
        """The checked options of this job; its name decides how much of the jitter is its own."""
        if options.after is not None:
            after = AfterOptions(job=options.after) if isinstance(options.after, str) else options.after
            return cls({"after": after.job, "accept": list(after.accept)})
        own = [options] if any(options.words()) or not options.any else []
        data: dict[str, Any] = {"any": [_entry(entry) for entry in [*own, *(options.any or ())]]}
        if options.jitter:
            data["jitter"] = f"{_share(job, options.jitter)}m"
        if options.holidays:
            data["holidays"] = {"calendars": _names(options.holidays.calendar), "then": options.holidays.then}
        if options.not_during:
            data["not_during"] = _names(options.not_during)
        return cls(data)

    @classmethod
    def from_text(cls, text: str) -> "Stored":
        return cls(json.loads(text))

    def to_text(self, marks: Mapping[str, str] | None = None) -> str:
        """As JSON. `marks` of the calendars make it another text when what they say has changed."""
        return json.dumps({**self.data, "marks": marks} if marks else self.data)

    @property
    def _rules(self) -> Mapping[str, Any]:
        return {key: value for key, value in self.data.items() if key != "marks"}

    @property
    def upstream(self) -> str:
        """The job that this one comes after; empty for one with times of its own."""
        return str(self.data.get("after", ""))

    @property
    def accept(self) -> tuple[str, ...]:
        """The states of the upstream's run with which this job runs."""
        return tuple(self.data.get("accept", ()))

    @property
    def calendars(self) -> tuple[str, ...]:
        """The names of the calendars it heeds."""
        holidays = self.data.get("holidays", {}).get("calendars", [])
        return tuple(dict.fromkeys([*holidays, *self.data.get("not_during", [])]))

    def schedule(self, zone: ZoneInfo) -> Schedule:
        """The nominal moments, without calendars and jitter. Raises `WrongSchedule`."""
        if self.upstream:
            return _Never(f"after {self.upstream}" + (" (also a partial run)" if "partial" in self.accept else ""))
        return all_of([_moments(entry, zone, index) for index, entry in enumerate(self.data["any"])])

    def occurrences(self, zone: ZoneInfo, calendar: Callable[[str], Calendar]) -> Occurrences:
        """The occurrences; `calendar` gives each calendar by its name."""
        schedule, jitter = self.schedule(zone), parse_duration(self.data.get("jitter", "0m"))
        written = self.data.get("holidays")
        holidays = (
            Holidays([calendar(name) for name in written["calendars"]], written["then"], zone) if written else None
        )
        windows = [calendar(name) for name in self.data.get("not_during", ())]
        if not (jitter or holidays or windows):
            return Plain(schedule)
        return Ruled(schedule, jitter, holidays, windows)


def same_rules(one: str, other: str) -> bool:
    """Whether two texts of `Stored` say the same, whatever their calendars say."""
    return one == other or bool(one and other and Stored.from_text(one)._rules == Stored.from_text(other)._rules)


@dataclass(frozen=True)
class _Never:
    """No moments of its own."""

    words: str

    def next_after(self, moment: datetime) -> datetime | None:
        del moment
        return None

    def due(self, after: datetime, until: datetime, *, newest: int = 1000) -> Due:
        del after, until, newest
        return Due(())

    def describe(self) -> str:
        return self.words


def _names(names: str | tuple[str, ...]) -> list[str]:
    return [names] if isinstance(names, str) else list(names)


def _entry(entry: Moments) -> dict[str, Any]:
    ends = {"timezone": entry.timezone and str(entry.timezone), "from": entry.from_, "until": entry.until}
    words = {word: [", ".join(texts)] if word in ("hourly", "daily") else list(texts) for word, texts in entry.words()}
    return words | {key: end for key, end in ends.items() if end}


def _share(job: str, jitter: str) -> int:
    """The minutes of jitter that belong to a job of this name: always the same, and spread evenly over all names."""
    minutes = parse_duration(jitter) // timedelta(minutes=1)
    return int.from_bytes(sha256(job.encode()).digest()[:8]) % (minutes + 1)


def _moments(entry: Mapping[str, Any], default: ZoneInfo, index: int) -> Schedule:
    zone = ZoneInfo(entry["timezone"]) if "timezone" in entry else default
    first, last = _first(entry, zone, index), _last(entry, zone, index)
    if first and last and first > last:
        raise WrongSchedule((index, "until"), "until: is before from:", hint="Write a later day or moment.")
    schedule = all_of(list(_parts(entry, zone, index, first)))
    words = " ".join(f"{key} {entry[key]}" for key in ("from", "until") if key in entry)
    bounded = between(schedule, first, last, words=words)
    if bounded.next_after(_LONG_AGO) is None:
        key = "until" if last else "from"
        raise WrongSchedule((index, key), f"nothing is due {words}", hint="Write other ends, or leave them out.")
    return bounded


def _parts(entry: Mapping[str, Any], zone: ZoneInfo, index: int, first: datetime | None) -> Iterator[Schedule]:
    for word, build in WORDS.items():
        for number, text in enumerate(entry.get(word, ())):
            try:
                yield every(text, zone, anchor=first) if word == "every" else build(text, zone)
            except ScheduleError as error:
                raise WrongSchedule((index, word, number), str(error), hint=error.hint) from None


def _first(entry: Mapping[str, Any], zone: ZoneInfo, index: int) -> datetime | None:
    return _end(entry["from"], zone, (index, "from")) if "from" in entry else None


def _last(entry: Mapping[str, Any], zone: ZoneInfo, index: int) -> datetime | None:
    if "until" not in entry:
        return None
    text = entry["until"]
    if ":" in text:
        return _end(text, zone, (index, "until"))
    following = parse_date(text) + timedelta(days=1)
    return datetime.combine(following, time(), zone).astimezone(UTC) - timedelta(microseconds=1)


def _end(text: str, zone: ZoneInfo, loc: Loc) -> datetime | None:
    try:
        return one_time(text if ":" in text else f"{text.strip()} 00:00", zone).next_after(_LONG_AGO)
    except ScheduleError as error:
        raise WrongSchedule(loc, str(error), hint=error.hint) from None
