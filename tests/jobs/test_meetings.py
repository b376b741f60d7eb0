"""Which jobs will meet on the same data, counted by hand."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from idms_cli.jobs.meetings import Forecast, Habit, Meeting, Suggestion, forecast
from idms_cli.jobs.schedule import cron, one_time

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)  # a Monday
ACTIVITY, SCORES = "imis:live/activity", "imis:live/abc_scores"
LONDON = ZoneInfo("Europe/London")


def job(name: str, when: str, minutes: float = 5, *, writes: tuple[str, ...] = (ACTIVITY,), reads: str = "") -> Habit:
    schedule = cron(when, LONDON) if "-12-" not in when else one_time(when, LONDON)
    touches = {**({reads: False} if reads else {}), **dict.fromkeys(writes, True)}
    return Habit(name, schedule, touches, minutes * 60)


def meet(*habits: Habit) -> tuple[Meeting, ...]:
    return forecast(habits, NOW).meetings


def test_two_daily_jobs_at_the_same_time_meet_each_day_and_a_free_time_is_named() -> None:
    (meeting,) = meet(job("early", "10 2 * * *", 10), job("late", "15 2 * * *", 3))
    assert meeting == Meeting(
        first="early",
        second="late",
        resource=ACTIVITY,
        at=datetime(2026, 11, 24, 2, 15, tzinfo=UTC),
        times=14,
        exact=True,
        suggestion=Suggestion("late", later_min=10, start=datetime(2026, 11, 24, 2, 25, tzinfo=UTC)),
    )


@pytest.mark.parametrize(
    "other",
    [
        job("other", "20 2 * * *"),
        job("other", "10 2 * * *", writes=(SCORES,)),
        job("other", "2026-12-01 02:30"),
        job("other", "2026-12-25 02:10"),
    ],
    ids=["the first has ended", "other data", "once at another time", "once, but not in two weeks"],
)
def test_jobs_that_do_not_want_the_same_data_at_the_same_time_do_not_meet(other: Habit) -> None:
    assert meet(job("one", "10 2 * * *", 10), other) == ()


def test_readers_share_and_a_writer_excludes_them() -> None:
    readers = [job(name, "0 2 * * *", writes=(), reads=ACTIVITY) for name in ("a", "b")]
    assert meet(*readers) == ()
    assert {(one.first, one.second) for one in meet(*readers, job("w", "1 2 * * *"))} == {("a", "w"), ("b", "w")}


def test_only_days_on_which_both_run_count() -> None:
    (meeting,) = meet(job("weekly", "0 2 * * 1"), job("weekdays", "2 2 * * 1-5"))
    assert (meeting.times, meeting.at) == (2, datetime(2026, 11, 30, 2, 2, tzinfo=UTC))


def test_a_one_time_job_is_warned_of_too() -> None:
    (meeting,) = meet(job("once", "2026-12-01 02:00"), job("daily", "2 2 * * *"))
    assert (meeting.first, meeting.second, meeting.times) == ("once", "daily", 1)


def test_a_job_that_starts_each_minute_is_met_by_whatever_takes_as_long() -> None:
    (meeting,) = meet(job("minutely", "* * * * *", 0.1), job("daily", "15 2 * * *", 5))
    assert (meeting.times, meeting.exact) == (14, True)
    assert meeting.at == datetime(2026, 11, 24, 2, 15, tzinfo=UTC)
    assert meeting.suggestion is None


def test_a_frequent_job_leaves_room_in_its_hour() -> None:
    (meeting,) = meet(job("hourly", "0 * * * *", 10), job("daily", "5 2 * * *", 20))
    assert (meeting.first, meeting.second, meeting.times) == ("hourly", "daily", 14)
    assert meeting.suggestion == Suggestion("daily", 10, datetime(2026, 11, 24, 2, 15, tzinfo=UTC))


def test_of_two_frequent_jobs_the_number_is_an_estimate() -> None:
    (meeting,) = meet(job("one", "*/10 * * * *", 2), job("two", "1-59/10 * * * *", 2))
    assert not meeting.exact
    assert 1900 < meeting.times < 4100  # one follows the other every ten minutes: 2,016


def test_a_suggestion_heeds_all_data_that_the_job_touches() -> None:
    meetings = meet(
        job("mover", "0 2 * * *", 4, writes=(ACTIVITY, SCORES)),
        job("activity", "0 2 * * *", 5),
        job("scores", "10 2 * * *", 9, writes=(SCORES,)),
    )
    assert [(one.first, one.second, one.resource) for one in meetings] == [("mover", "activity", ACTIVITY)]
    assert meetings[0].suggestion is not None
    assert meetings[0].suggestion.later_min == 25


def test_only_the_meetings_of_named_jobs_are_told() -> None:
    habits = [job(name, "0 2 * * *") for name in ("a", "b", "c")]
    told = forecast(habits, NOW, about=["c"]).meetings
    assert {frozenset((one.first, one.second)) for one in told} == {frozenset("ac"), frozenset("bc")}


def test_nobody_meets_nobody() -> None:
    assert forecast([], NOW) == forecast([job("one", "* * * * *")], NOW) == Forecast()


def test_three_hundred_jobs_at_one_minute_are_told_by_the_most_frequent_pairs() -> None:
    found = forecast([job(f"job{number}", "0 2 * * *") for number in range(300)], NOW)
    assert len(found.meetings) == 500
    assert len(found.meetings) + found.more == 300 * 299 // 2
    assert {one.times for one in found.meetings} == {14}


def test_three_hundred_jobs_of_each_minute_are_a_bounded_amount_of_work() -> None:
    asked = 0

    class Counted:
        def __init__(self) -> None:
            self._schedule = cron("* * * * *", LONDON)

        def due(self, after, until, *, newest=1000):  # type: ignore[no-untyped-def]
            nonlocal asked
            found = self._schedule.due(after, until, newest=newest)
            asked += len(found.slots)
            return found

    habits = [Habit(f"job{number}", Counted(), {ACTIVITY: True}, 30) for number in range(300)]
    found = forecast(habits, NOW)
    assert found.more > 40_000
    assert asked <= 300 * 2 * 64


def test_where_the_seldom_one_of_two_finds_no_free_time_the_other_one_may() -> None:
    always = job("always", "*/5 * * * *", writes=("lock:ledger",))
    meetings = meet(always, job("nightly", "0 2 * * *", writes=(ACTIVITY, "lock:ledger")), job("twice", "0 2,14 * * *"))
    found = {(one.first, one.second): one.suggestion for one in meetings}
    assert found["nightly", "twice"] == Suggestion("twice", 10, datetime(2026, 11, 23, 14, 10, tzinfo=UTC))
    assert found["always", "nightly"] is None


def test_between_the_runs_of_a_quarter_hourly_job_a_free_minute_is_found() -> None:
    (meeting,) = meet(job("often", "*/15 * * * *"), job("daily", "15 2 * * *"))
    assert meeting.suggestion == Suggestion("daily", 7, datetime(2026, 11, 24, 2, 22, tzinfo=UTC))
