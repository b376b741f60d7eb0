"""Whom a start that is listed will meet on the same data."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from idms_cli.jobs.conflicts import MOST_LOOKS, Conflict, conflicts
from idms_cli.jobs.meetings import Habit
from idms_cli.jobs.schedule import cron

ACTIVITY, SCORES = "imis:live/activity", "imis:live/abc_scores"
UTC_ZONE = ZoneInfo("UTC")


def job(name: str, when: str, minutes: float = 5, *, writes: tuple[str, ...] = (ACTIVITY,), reads: str = "") -> Habit:
    touches = {**({reads: False} if reads else {}), **dict.fromkeys(writes, True)}
    return Habit(name, cron(when, UTC_ZONE), touches, minutes * 60)


def at(hour: int, minute: int, day: int = 1) -> datetime:
    return datetime(2026, 12, day, hour, minute, tzinfo=UTC)


def test_the_later_one_waits_and_the_earlier_one_is_told_who_waits_for_it() -> None:
    habits = [job("early", "0 2 * * *", 10), job("late", "5 2 * * *")]
    assert conflicts(habits, [("early", at(2, 0)), ("late", at(2, 5)), ("late", at(2, 5, day=2))]) == {
        ("early", at(2, 0)): Conflict("late", ACTIVITY, waits=False),
        ("late", at(2, 5)): Conflict("early", ACTIVITY, waits=True),
        ("late", at(2, 5, day=2)): Conflict("early", ACTIVITY, waits=True),
    }


@pytest.mark.parametrize(
    "other",
    [
        job("other", "10 2 * * *"),
        job("other", "55 1 * * *"),
        job("other", "0 2 * * *", writes=(SCORES,)),
        job("other", "0 2 * * 1"),
    ],
    ids=["it comes when this one has ended", "it has ended", "other data", "another day"],
)
def test_a_start_beside_nobody_is_not_marked(other: Habit) -> None:
    assert conflicts([job("one", "0 2 * * *", 10), other], [("one", at(2, 0))]) == {}


def test_two_readers_do_not_meet_and_a_job_does_not_meet_itself() -> None:
    readers = [job(name, "0 2 * * *", writes=(), reads=ACTIVITY) for name in ("a", "b")]
    assert conflicts(readers, [("a", at(2, 0))]) == {}
    assert conflicts([job("long", "* * * * *", 30)], [("long", at(2, 0))]) == {}


def test_of_several_the_one_that_is_there_first_is_told() -> None:
    habits = [job("one", "5 2 * * *"), job("b", "2 2 * * *"), job("a", "4 2 * * *"), job("c", "6 2 * * *")]
    assert conflicts(habits, [("one", at(2, 5))]) == {("one", at(2, 5)): Conflict("b", ACTIVITY, waits=True)}


def test_of_two_at_the_same_minute_one_waits_by_name() -> None:
    habits = [job("b", "0 2 * * *"), job("a", "0 2 * * *")]
    found = conflicts(habits, [("a", at(2, 0)), ("b", at(2, 0))])
    assert {name: one.waits for (name, _), one in found.items()} == {"a": False, "b": True}


def test_a_job_that_starts_each_minute_is_met_and_a_job_without_a_habit_meets_nobody() -> None:
    habits = [job("minutely", "* * * * *", 0.1), job("nightly", "0 2 * * *")]
    starts = [("nightly", at(2, 0, day)) for day in range(1, 31)]
    assert conflicts(habits, [*starts, ("gone", at(2, 0))]) == {
        ("nightly", at(2, 0, day)): Conflict("minutely", ACTIVITY, waits=True) for day in range(1, 31)
    }


def test_hundreds_of_frequent_jobs_are_a_bounded_amount_of_work() -> None:
    asked = 0

    class Counted:
        def __init__(self) -> None:
            self._schedule = cron("1-59/2 * * * *", UTC_ZONE)

        def due(self, after, until, *, newest=1000):  # type: ignore[no-untyped-def]
            nonlocal asked
            asked += 1
            return self._schedule.due(after, until, newest=newest)

    habits = [Habit(f"job{number}", Counted(), {ACTIVITY: True}, 0.1) for number in range(300)]
    starts = [("even", at(hour, minute, day)) for day in (1, 2, 3) for hour in range(24) for minute in range(0, 60, 10)]
    assert conflicts([*habits, job("even", "*/10 * * * *", 0.1)], starts) == {}
    assert asked <= MOST_LOOKS + len(habits)
