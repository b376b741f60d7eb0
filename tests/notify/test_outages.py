"""A connection that does not work is told once for all jobs that need it, and once when it works again."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from idms_cli.config.settings import Settings
from idms_cli.dispatch import alarms
from idms_cli.dispatch.connections import give_up_late, outage_file
from idms_cli.dispatch.locks import run_lock
from idms_cli.dispatch.outagealarms import PATIENCE_S
from idms_cli.dispatch.probing import look_after
from idms_cli.dispatch.sending import message_of, render
from idms_cli.errors import LoginRefused, Unreachable
from idms_cli.history.rows import NewRun, Run
from tests.notify.conftest import Telling
from tests.notify.test_incidents import HOUR, NIGHT, Days

LOCKS = ({"resource": "imis:live/Activity", "write": True},)
DOWN = Unreachable("the site answers 503", hint="Is it up?")
REFUSED = LoginRefused("iMIS refuses the login of a", hint="Put the new password where idms.yaml says.")


class Outages(Days):
    """Jobs whose runs wait for the connection `live`."""

    def __init__(self, telling: Telling) -> None:
        super().__init__(telling.store)
        self.settings: Settings = telling.settings()
        self.file = outage_file(self.settings, "live")

    def wait(self, job: str, at: float, *, grace_s: float | None = 6 * HOUR, **keys: Any) -> Run:
        """A run that was claimed, and cannot start."""
        digest = self.store.runs.remember(f"{job}.yaml", "module: import")
        start_by = at + grace_s if grace_s else None
        new = NewRun(job, digest, due=int(at), locks=LOCKS, start_by=start_by, **keys)
        with self.store.database.write() as connection:
            run = self.store.runs.create(connection, new, at)
        run_lock(self.store.run_directory(run)).parent.mkdir(parents=True)
        return self.one(run)

    def tick(self, at: float) -> None:
        """What a tick does about it; nobody is asked, since it is not time."""
        with_try_later(self, at)
        give_up_late(self.store, self.settings, at, at)
        look_after(self.store, self.settings, at)
        alarms.remind(self.store, at)

    def texts(self) -> list[tuple[str, str]]:
        now = datetime.fromtimestamp(NIGHT, UTC)
        return [render(self.store, self.settings, one, now) for one in self.store.outbox.newest(100)[::-1]]


def with_try_later(days: Outages, at: float) -> None:
    outage = days.file.current()
    if outage:
        days.file._write(replace(outage, tried_at=at, next_try=at + HOUR))


@pytest.fixture
def days(telling: Telling) -> Outages:
    return Outages(telling)


def test_a_dead_site_is_one_message_for_all_its_jobs_and_one_when_it_is_back(days: Outages) -> None:
    """Twelve jobs wait; two are given up; each would have been a message, and one more when it ran again."""
    for number in range(12):
        days.job(f"job{number:02}")
        days.wait(f"job{number:02}", NIGHT, grace_s=2 * HOUR if number < 2 else 9 * HOUR)
    days.file.failed(DOWN, NIGHT)
    days.tick(NIGHT + PATIENCE_S - 1)
    assert days.told() == []
    for hour in range(1, 5):
        days.tick(NIGHT + hour * HOUR)
    assert days.told() == ["ops opened imis:live"]
    days.file.works(NIGHT + 5 * HOUR)
    days.tick(NIGHT + 5 * HOUR)
    days.tick(NIGHT + 6 * HOUR)
    assert days.told() == ["ops opened imis:live", "ops closed imis:live"]
    assert days.store.troubles.open() == []
    opened, closed = days.texts()
    names = ", ".join(f"job{number:02}" for number in range(10))
    assert opened == (
        "connection live is down: 12 jobs need it",
        "The connection live is down, since Mon 1 Dec 00:46 UTC.\n"
        "the site answers 503\n"
        "Is it up?\n"
        "\n"
        f"These jobs need it: {names} and 2 more.\n"
        "They run by themselves when it works again.\n"
        "\n"
        "idms connection",
    )
    assert closed == (
        "connection live works again after 5h",
        "The connection live works again.\n"
        "It did not from Mon 1 Dec 00:46 UTC to Mon 1 Dec 05:46 UTC (5h).\n"
        "It took too long for: job00, job01. They did not run.\n"
        "\n"
        "idms connection",
    )


def test_a_short_pause_of_the_site_is_told_nobody(days: Outages) -> None:
    days.job("scores")
    days.wait("scores", NIGHT)
    days.file.failed(DOWN, NIGHT)
    days.tick(NIGHT + 600)
    days.file.works(NIGHT + 700)
    days.tick(NIGHT + 700)
    assert days.told() == []


def test_a_site_for_which_nobody_waits_is_told_nobody(days: Outages) -> None:
    days.job("scores")
    days.file.failed(DOWN, NIGHT)
    days.tick(NIGHT + HOUR)
    assert days.told() == []


def test_a_refused_login_is_told_at_once_and_as_worse_where_the_site_was_down_before(days: Outages) -> None:
    days.job("scores")
    days.wait("scores", NIGHT)
    days.file.failed(REFUSED, NIGHT)
    days.tick(NIGHT + 60)
    assert days.told() == ["ops opened imis:live"]
    ((subject, text),) = days.texts()
    assert subject == "connection live refuses the login: 1 job needs it"
    assert text.endswith("idms connection try live    asks the site now, when the password is mended")
    days.file.works(NIGHT + 120)
    days.tick(NIGHT + 120)
    days.file.failed(DOWN, NIGHT + HOUR)
    days.tick(NIGHT + 2 * HOUR)
    days.file.failed(REFUSED, NIGHT + 3 * HOUR)
    days.tick(NIGHT + 3 * HOUR)
    days.tick(NIGHT + 4 * HOUR)
    assert days.told()[1:] == ["ops closed imis:live", "ops opened imis:live", "ops worse imis:live"]


def test_who_is_told_are_those_whom_the_waiting_jobs_tell_that_a_slot_did_not_run(days: Outages) -> None:
    days.job("scores", channels=["ops"])
    days.job("quiet", channels=["board"], on=["failed"])
    days.job("mine", channels=["me"])
    days.wait("scores", NIGHT)
    days.wait("quiet", NIGHT)
    days.wait("mine", NIGHT, by_hand=True)
    days.file.failed(DOWN, NIGHT)
    days.tick(NIGHT + HOUR)
    assert days.told() == ["ops opened imis:live"]
    days.job("late", channels=["ops", "board"])
    days.wait("late", NIGHT + HOUR)
    days.tick(NIGHT + 2 * HOUR)
    assert days.told() == ["ops opened imis:live", "board opened imis:live"]
    days.file.works(NIGHT + 3 * HOUR)
    days.tick(NIGHT + 3 * HOUR)
    assert days.told()[2:] == ["ops closed imis:live", "board closed imis:live"]


def test_while_it_lasts_people_are_reminded_and_the_digest_says_so(days: Outages) -> None:
    days.job("scores", remind_s=4 * HOUR)
    days.wait("scores", NIGHT, grace_s=None)
    days.file.failed(DOWN, NIGHT)
    for hour in range(1, 7):
        days.tick(NIGHT + hour * HOUR)
    assert days.told() == ["ops opened imis:live", "ops reminder imis:live"]
    assert days.texts()[1][0] == "connection live is still down: 1 job needs it"
    until = NIGHT + 7 * HOUR
    days.store.outbox.add(["ops"], "digest", "", {"since": until - 24 * HOUR, "until": until}, until)
    subject, text = days.texts()[2]
    assert subject == "digest: 1 run of 1 job, 1 connection down"
    assert "The connection live is still down, since Mon 1 Dec 00:46 UTC" in text


def test_pings_of_the_jobs_fail_each_for_itself(days: Outages) -> None:
    days.job("scores", channels=[], pings=["watch"])
    days.wait("scores", NIGHT, grace_s=HOUR)
    days.file.failed(DOWN, NIGHT)
    days.tick(NIGHT + 2 * HOUR)
    assert days.told() == ["watch failure scores"]


def test_programs_get_the_connection_and_no_job(days: Outages) -> None:
    days.job("scores")
    days.wait("scores", NIGHT)
    days.file.failed(DOWN, NIGHT)
    days.tick(NIGHT + HOUR)
    message = message_of(days.store, days.store.outbox.newest(1)[0], "subject", "text")
    assert message.job == ""
    assert dict(message.data) == {
        "connection": "live",
        "trouble": "down",
        "since": "2025-12-01T00:46:40+00:00",
        "reason": "the site answers 503",
        "hint": "Is it up?",
        "jobs": ["scores"],
        "given_up": {},
    }
