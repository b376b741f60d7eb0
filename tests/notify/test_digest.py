"""The morning digest: when it is made, and what it says."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from idms_cli.config.channels import DigestOptions
from idms_cli.dispatch.digests import digest_if_due, next_moment
from idms_cli.dispatch.sending import render
from idms_cli.history.store import Store
from idms_cli.notify.digest import Day, unusual
from tests.notify.conftest import Telling
from tests.notify.test_incidents import HOUR, NIGHT, Days

MORNING = datetime.fromtimestamp(NIGHT, UTC).replace(hour=7, minute=0, second=0)


@pytest.fixture
def days(telling: Telling) -> Days:
    return Days(telling.store)


def test_it_is_made_once_a_day_and_once_for_a_time_in_which_nobody_came(telling: Telling) -> None:
    settings = replace(telling.settings(), digest=DigestOptions.model_validate({"at": "07:00", "channels": ["ops"]}))
    store = telling.store
    for moment in (
        MORNING - timedelta(hours=1),
        MORNING - timedelta(minutes=1),
        MORNING,
        MORNING + timedelta(minutes=1),
        MORNING + timedelta(days=3, hours=2),
        MORNING + timedelta(days=4),
    ):
        digest_if_due(store, settings, moment)
    made = [datetime.fromtimestamp(one.facts["until"], UTC) for one in store.outbox.newest(10)[::-1]]
    assert made == [MORNING, MORNING + timedelta(days=1), MORNING + timedelta(days=4)]
    digest_if_due(store, replace(settings, digest=None), MORNING)
    assert store.retention.digest_at is None


def test_its_time_is_the_clock_of_the_site_on_both_nights_of_a_change() -> None:
    zone = ZoneInfo("America/New_York")
    spring = datetime(2026, 3, 8, 5, tzinfo=UTC)
    assert datetime.fromtimestamp(next_moment(time(7), zone, spring), UTC).hour == 11
    assert datetime.fromtimestamp(next_moment(time(7), zone, spring - timedelta(days=1)), UTC).hour == 12


def test_what_is_far_from_a_jobs_own_past_is_marked() -> None:
    past = [Day(read=100 + day, changed=5, rejected=0) for day in range(5)]
    assert unusual(Day(read=40, changed=12, rejected=9), past) == {"read": 102}
    assert unusual(Day(read=40, changed=16, rejected=10), past) == {"read": 102, "changed": 5, "rejected": 0}
    assert unusual(Day(read=40), past[:4]) == {}


def test_it_says_how_each_job_did(days: Days, telling: Telling) -> None:
    for name in ("dirty", "feed", "idle"):
        days.job(name, channels=[])
    for day in range(6):
        days.run("feed", "completed", NIGHT - day * 24 * HOUR, counts={"read": 20 if day else 100, "updated": 3})
    days.run("dirty", "partial", NIGHT, counts={"read": 10, "inserted": 8, "rejected": 2})
    until = NIGHT + HOUR
    telling.store.outbox.add(["ops"], "digest", "", {"since": until - 24 * HOUR, "until": until}, until)
    subject, text = render(
        telling.store, telling.settings(), telling.store.outbox.newest(1)[0], datetime.fromtimestamp(until, UTC)
    )
    assert subject == "digest: 2 runs of 2 jobs, 1 not well, 1 with unusual numbers"
    assert text == (
        "The 24 hours until Mon 1 Dec 01:46 UTC.\n"
        "\n"
        "dirty is still partial, since Mon 1 Dec 00:47 UTC\n"
        "\n"
        "JOB    RUNS  BAD                READ  CHANGED  REJECTED\n"
        "dirty     1    1                  10        8         2\n"
        "feed      1    0  100 ! (usually 20)        3         0\n"
        "\n"
        "! = unusual for this job: more than twice, or less than half, of its median day.\n"
        "\n"
        "idms status"
    )


def test_a_day_without_runs_says_so(telling: Telling) -> None:
    with Store(Path(telling.store.state)) as store:
        store.outbox.add(["ops"], "digest", "", {"since": NIGHT - 24 * HOUR, "until": NIGHT}, NIGHT)
        subject, text = render(store, telling.settings(), store.outbox.newest(1)[0], datetime.fromtimestamp(NIGHT, UTC))
    assert subject == "digest: 0 runs of 0 jobs, all well"
    assert "Nothing ran." in text
