"""Any expression around any clock change, against a slow second way to find slots: look at the clock every minute."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from idms_cli.jobs.schedule import Schedule, cron
from tests.conftest import SOAK

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True)
class Change:
    """A clock change, and what the clock of its zone shows at every minute of the days around it."""

    zone: str
    moment: str

    @property
    def utc(self) -> datetime:
        return datetime.fromisoformat(self.moment)

    @cache  # noqa: B019  as long-lived as the table of changes
    def readings(self) -> dict[datetime, list[datetime]]:
        zone = ZoneInfo(self.zone)
        seen: dict[datetime, list[datetime]] = {}
        for moment in minutes_between(self.utc - 3 * DAY, self.utc + 3 * DAY):
            seen.setdefault(moment.astimezone(zone).replace(tzinfo=None, fold=0), []).append(moment)
        return seen


CHANGES = [
    Change("America/New_York", "2026-03-08T07:00Z"),
    Change("America/New_York", "2026-11-01T06:00Z"),
    Change("Australia/Lord_Howe", "2026-04-04T15:00Z"),
    Change("Australia/Lord_Howe", "2026-10-03T15:30Z"),
    Change("Asia/Beirut", "2026-03-28T22:00Z"),
    Change("Asia/Beirut", "2026-10-24T21:00Z"),
    Change("America/St_Johns", "2006-04-02T03:31Z"),
    Change("America/St_Johns", "2006-10-29T02:31Z"),
    Change("Antarctica/Troll", "2026-03-29T01:00Z"),
    Change("Antarctica/Troll", "2026-10-25T01:00Z"),
    Change("Antarctica/Casey", "2020-10-03T16:01Z"),
    Change("Antarctica/Casey", "2021-03-13T13:00Z"),
    Change("Asia/Kathmandu", "1985-12-31T18:30Z"),
    Change("Pacific/Apia", "2011-12-30T10:00Z"),
    Change("Pacific/Kwajalein", "1969-09-30T13:00Z"),
]


@dataclass(frozen=True)
class Fields:
    """An expression of lists and stars, as text and as numbers. None stands for a star."""

    minutes: frozenset[int] | None
    hours: frozenset[int] | None
    days: frozenset[int] | None

    @property
    def text(self) -> str:
        return " ".join(
            "*" if numbers is None else ",".join(map(str, sorted(numbers)))
            for numbers in (self.minutes, self.hours, self.days, None, None)
        )

    def slots(self, change: Change, after: datetime, until: datetime) -> list[datetime]:
        seen = change.readings()
        slots: set[datetime] = set()
        for reading in minutes_between(min(seen), max(seen)):
            if self._names(reading):
                slots.update(self._moments(reading, seen))
        return sorted(slot for slot in slots if after < slot <= until)

    def _names(self, reading: datetime) -> bool:
        pairs = ((self.minutes, reading.minute), (self.hours, reading.hour), (self.days, reading.day))
        return all(numbers is None or number in numbers for numbers, number in pairs)

    def _moments(self, reading: datetime, seen: dict[datetime, list[datetime]]) -> list[datetime]:
        moments = seen.get(reading, [])
        if self.minutes is None or self.hours is None:
            return moments
        if not moments:
            last, following = max(r for r in seen if r < reading), min(r for r in seen if r > reading)
            return seen[following][:1] if following - last <= 3 * HOUR + MINUTE else []
        return moments[:1] if moments[-1] - moments[0] <= 3 * HOUR else moments


def minutes_between(first: datetime, last: datetime) -> Iterator[datetime]:
    for count in range((last - first) // MINUTE + 1):
        yield first + MINUTE * count


def walk(schedule: Schedule, start: datetime) -> Iterator[datetime]:
    moment = schedule.next_after(start)
    while moment is not None:
        yield moment
        moment = schedule.next_after(moment)


def up_to_four(numbers: st.SearchStrategy[int]) -> st.SearchStrategy[frozenset[int] | None]:
    return st.none() | st.frozensets(numbers, min_size=1, max_size=4)


MINUTES = up_to_four(st.sampled_from([0, 1, 15, 30, 45]) | st.integers(0, 59))
HOURS = up_to_four(st.sampled_from([0, 1, 2, 3, 23]) | st.integers(0, 23))
DAYS = st.none() | up_to_four(st.integers(1, 31))


@settings(max_examples=400 if SOAK else 66, deadline=None, derandomize=True, database=None)
@given(
    change=st.sampled_from(CHANGES),
    fields=st.builds(Fields, minutes=MINUTES, hours=HOURS, days=DAYS),
    start=st.integers(-700, 300),
    length=st.integers(1, 900),
    within=st.floats(0, 1),
    newest=st.integers(1, 50),
)
def test_slots_are_what_a_look_at_every_minute_finds_and_do_not_depend_on_where_one_starts(
    *, change: Change, fields: Fields, start: int, length: int, within: float, newest: int
) -> None:
    after = change.utc + MINUTE * start
    until = after + MINUTE * length
    schedule = cron(fields.text, ZoneInfo(change.zone))
    expected = fields.slots(change, after, until)

    assert list(schedule.due(after, until, newest=5000).slots) == expected
    due = schedule.due(after, until, newest=newest)
    assert list(due.slots) == expected[-newest:]
    assert due.older == ((expected[0], expected[-newest - 1]) if len(expected) > newest else None)

    anywhere = after + timedelta(minutes=int(length * within), seconds=17)
    following = [slot for slot in expected if slot > anywhere][:60]
    assert list(islice(takewhile(lambda slot: slot <= until, walk(schedule, anywhere)), 60)) == following
