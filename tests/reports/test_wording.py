"""Times, durations and counts in the words that all reports share."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from idms_cli.reports.wording import Clock, counts, duration, some

NEW_YORK = ZoneInfo("America/New_York")
NOON = datetime(2026, 11, 24, 17, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        (datetime(2026, 11, 24, 7, 15, tzinfo=UTC), "today 02:15"),
        (datetime(2026, 11, 24, 4, 59, tzinfo=UTC), "yesterday 23:59"),
        (datetime(2026, 11, 25, 5, 0, tzinfo=UTC), "tomorrow 00:00"),
        (datetime(2026, 11, 27, 11, 0, tzinfo=UTC), "Fri 27 Nov 06:00"),
        (datetime(2026, 9, 3, 10, 0, tzinfo=UTC), "Thu 3 Sep 06:00"),
        (datetime(2027, 8, 1, 10, 0, tzinfo=UTC), "2027-08-01 06:00"),
        (datetime(2020, 1, 1, 11, 0, tzinfo=UTC), "2020-01-01 06:00"),
        (None, "-"),
    ],
)
def test_a_moment_is_told_as_a_person_in_that_zone_says_it(moment: datetime | None, words: str) -> None:
    assert Clock(NEW_YORK, NOON).moment(moment) == words


def test_an_exact_moment_has_seconds_and_zone() -> None:
    clock = Clock(NEW_YORK, NOON)
    assert clock.exact(datetime(2026, 11, 1, 5, 59, 59, tzinfo=UTC)) == "2026-11-01 01:59:59 EDT"
    assert clock.exact(datetime(2026, 11, 1, 6, 59, 59, tzinfo=UTC)) == "2026-11-01 01:59:59 EST"
    assert clock.exact(None) == "-"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "-"), (0, "0.0 s"), (0.44, "0.4 s"), (9.94, "9.9 s"), (9.97, "10 s"), (12.4, "12 s"), (59.4, "59 s"),
        (59.6, "1m"), (60, "1m"), (200, "3m20s"), (3600, "1h"), (90_061, "1d1h1m1s"),
    ],
)  # fmt: skip
def test_a_duration_is_short(seconds: float | None, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("number", "words"), [(0, "0 logins"), (1, "1 login"), (2, "2 logins"), (1200, "1,200 logins")]
)
def test_one_is_not_many(number: int, words: str) -> None:
    assert some(number, "login") == words


@pytest.mark.parametrize(
    ("numbers", "dry_run", "words"),
    [
        ({}, False, ""),
        ({"calls": 3}, False, ""),
        ({"read": 0}, False, "0 read"),
        ({"read": 1300, "inserted": 12, "unchanged": 1280, "rejected": 8}, False,
         "1,300 read = 12 inserted + 1,280 unchanged + 8 rejected"),
        ({"read": 3, "updated": 1, "left": 2}, False, "3 read = 1 updated + 2 left"),
        ({"read": 3, "skipped": 1, "left": 2}, True, "3 read = 1 skipped + 2 to write"),
        ({"read": 3, "rejected": 0, "selected": 3, "steps": 1, "steps_delivered": 1}, False,
         "3 read; 1 step delivered"),
        ({"read": 9, "vanished": 1, "rejected": 1, "older": 2, "unchanged": 3, "selected": 4, "steps": 4,
          "steps_delivered": 1, "steps_failed": 1, "steps_unknown": 1, "steps_left": 1, "refused": 5}, False,
         "9 read + 1 vanished = 4 selected + 3 unchanged + 2 older + 1 rejected; "
         "1 of 4 steps delivered, 1 failed, 1 unknown, 1 not done, 5 refused"),
        ({"read": 3, "unchanged": 3, "selected": 0, "steps": 2, "steps_skipped": 2}, False,
         "3 read = 3 unchanged; 2 steps skipped"),
        ({"read": 3, "selected": 3, "steps": 2, "steps_failed": 2}, False, "3 read; no step delivered, 2 failed"),
        ({"read": 3, "selected": 3, "steps": 2}, True, "3 read"),
        ({"read": 6, "left": 6, "steps": 5, "steps_succeeded": 1, "steps_held": 1, "steps_left": 4}, False,
         "1 of 5 steps succeeded, 1 held, 3 not done; 6 read = 6 left"),
    ],
    ids=["nothing", "calls only", "no rows", "all kinds", "not over", "dry run", "a transfer", "all kinds of steps",
         "nothing to send", "no step", "a dry transfer", "a held workflow"],
)  # fmt: skip
def test_counts_account_for_every_row(numbers: dict[str, int], dry_run: bool, words: str) -> None:
    assert counts(numbers, dry_run=dry_run) == words
