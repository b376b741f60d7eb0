"""A paused job: its slots are told with who wanted it and why, and nothing of it starts."""

import getpass
import time
from datetime import UTC, datetime, timedelta

from idms_cli.history.store import Store
from idms_cli.sandbox import Sandbox
from tests.conftest import Place, until

WHO = getpass.getuser()


def _reasons(place: Place) -> list[tuple[str, str]]:
    with Store(place.state) as store:
        return [(f"{slot.due:%d %H:%M}", slot.reason) for slot in store.slots.of("scores")[::-1]]


def _daily(place: Place, schedule: str = '{cron: "0 2 * * *"}') -> None:
    place.environment.pop("SUDO_USER", None)
    place.job("scores", schedule=schedule)
    place.scores("scores", 1)


def test_slots_of_a_pause_are_skipped_with_its_reason_and_the_first_after_it_runs(place: Place) -> None:
    _daily(place)
    place.at("2099-11-30 12:00")
    told = place.idms("pause", "scores", "--until", "2099-12-03 01:00", "--why", "new chapter codes")
    assert told.stdout == "scores is paused until 2099-12-03 01:00. Its slots are told as skipped.\n"
    for day in (1, 2, 3):
        place.at(f"2099-12-0{day} 02:00", "--wait")
    why = f"paused: new chapter codes (by {WHO})"
    assert _reasons(place) == [("01 02:00", why), ("02 02:00", why), ("03 02:00", "")]


def test_after_a_pause_nothing_of_it_is_made_up_for_whatever_missed_says(place: Place) -> None:
    _daily(place, '{cron: "0 2 * * *", missed: all, grace: 10d}')
    place.at("2099-11-30 12:00")
    place.idms("pause", "scores", "--until", "2099-12-03 01:00")
    place.at("2099-12-03 12:00", "--wait")
    assert _reasons(place) == [("01 02:00", f"paused: by {WHO}"), ("02 02:00", f"paused: by {WHO}"), ("03 02:00", "")]


def test_what_was_owed_when_a_job_is_paused_is_skipped_and_told(place: Place) -> None:
    _daily(place, '{cron: "* * * * *"}')
    place.idms("run-due")
    with Store(place.state) as store:
        due = int(datetime.now(UTC).timestamp()) // 60 * 60
        store.catalog.rewind("scores", decided_until=due - 61, next_due=due - 60)
    told = place.idms("pause", "scores", "--why", "audit")
    assert told.stdout.splitlines()[1].endswith(f" slots skipped, paused: audit (by {WHO})")
    place.idms("run-due", "--wait")
    assert place.runs() == []
    assert {reason for _, reason in _reasons(place)} == {f"paused: audit (by {WHO})"}


def test_resume_ends_a_pause_and_says_how_to_run_what_was_left_out(place: Place) -> None:
    _daily(place, '{cron: "* * * * *"}')
    place.idms("run-due")
    place.idms("pause", "scores")
    with Store(place.state) as store, store.database.write() as connection:
        connection.execute("UPDATE pause SET since = since - 300")
        connection.execute("UPDATE job SET decided_until = decided_until - 300, next_due = next_due - 300")
    told = place.idms("resume", "scores")
    first, second, third = told.stdout.splitlines()
    assert first.startswith("scores is no longer paused. Next run: ")
    assert second.endswith("slots were skipped meanwhile. To run what was left out:")
    assert third.startswith("    idms backfill scores --from '")
    skipped = len(_reasons(place))
    assert 4 <= skipped <= 6
    tomorrow = f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%d %H:%M}"
    place.at(tomorrow, "--wait")
    assert len(place.runs()) == 1


def test_resume_also_tells_what_was_owed_when_the_pause_began(place: Place) -> None:
    _daily(place)
    place.idms("run-due")
    owed = int(datetime.now(UTC).timestamp()) // 86_400 * 86_400 - 86_400 + 7200  # yesterday 02:00
    with Store(place.state) as store:
        store.catalog.rewind("scores", decided_until=owed - 60, next_due=owed)
    place.idms("pause", "scores", "--why", "audit")
    place.idms("run-due")
    first = f"{datetime.fromtimestamp(owed, UTC):%Y-%m-%d %H:%M}"
    told = place.idms("resume", "scores").stdout.splitlines()
    assert told[1].endswith(" skipped meanwhile. To run what was left out:")
    assert told[2].startswith(f"    idms backfill scores --from '{first}' --to '")
    listed = place.json("backfill", "scores", "--from", first, "--list")["backfill"]["slots"]
    assert {slot["action"] for slot in listed} == {"run"}


def test_resume_tells_what_was_skipped_in_the_pauses_that_the_last_one_took_the_place_of(place: Place) -> None:
    _daily(place, '{cron: "* * * * *"}')
    place.idms("run-due")
    place.idms("pause", "scores", "--why", "audit")
    with Store(place.state) as store, store.database.write() as connection:
        connection.execute("UPDATE pause SET since = since - 300")
        connection.execute("UPDATE job SET decided_until = decided_until - 300, next_due = next_due - 300")
    place.idms("run-due")
    time.sleep(1.1)  # what is decided in the second of the new pause counts as its own
    place.idms("pause", "scores", "--why", "a longer audit")
    told = place.json("resume", "scores")
    assert len(told["skipped"]) == len(_reasons(place)) >= 4


def test_resume_of_a_job_whose_schedule_is_over_tells_no_next_run(place: Place) -> None:
    _daily(place, "{at: 2020-12-01 02:00}")
    place.idms("pause", "scores")
    assert place.idms("resume", "scores").stdout == "scores is no longer paused.\n"


def test_a_run_that_was_started_goes_on_through_a_pause(place: Place, site: Sandbox) -> None:
    site.latency_s = 0.1
    _daily(place)
    place.scores("scores", 20)
    place.at("2099-11-30 12:00")
    place.at("2099-12-01 02:00")
    until(lambda: place.runs()[0].status == "running")
    assert "Run 1, which is running, goes on.\n" in place.idms("pause", "scores").stdout
    place.settled()
    assert place.runs()[0].status == "completed"


def test_status_shows_a_pause_with_its_reason_and_the_first_run_after_it(place: Place) -> None:
    _daily(place)
    place.idms("pause", "scores", "--until", "2099-12-03 01:00", "--why", "new codes")
    line = next(line for line in place.idms("status").stdout.splitlines() if line.startswith("scores "))
    assert line.split()[1:4] == ["paused", "2099-12-03", "02:00"]
    assert f"paused: new codes (by {WHO}), since today " in line
    (job,) = place.json("status")["jobs"]
    assert job["state"] == "paused"
    assert (job["pause"]["until"], job["pause"]["why"], job["pause"]["who"]) == (
        "2099-12-03T01:00:00+00:00",
        "new codes",
        WHO,
    )


def test_a_second_pause_takes_the_place_of_the_first(place: Place) -> None:
    _daily(place)
    place.idms("pause", "scores", "--why", "first")
    place.idms("pause", "scores", "--until", "2d", "--why", "second")
    assert place.json("status")["jobs"][0]["pause"]["why"] == "second"
    assert place.idms("resume", "scores").returncode == 0
    assert place.json("status")["jobs"][0]["state"] == "new"


def test_a_pause_moves_with_its_file(place: Place) -> None:
    _daily(place)
    place.idms("pause", "scores", "--why", "audit")
    (place.directory / "jobs.d/scores.yaml").rename(place.directory / "jobs.d/results.yaml")
    (job,) = place.json("status")["jobs"]
    assert (job["job"], job["state"], job["pause"]["why"]) == ("results", "paused", "audit")


def test_what_cannot_be_paused_or_resumed_is_told(place: Place) -> None:
    _daily(place)
    told = place.idms("pause", "scroes")
    assert (told.returncode, told.stderr) == (2, "idms: there is no job 'scroes'\nhint: did you mean 'scores'?\n")
    told = place.idms("pause", "scores", "--until", "2000-01-01 06:00")
    assert told.returncode == 2
    assert "'2000-01-01 06:00' is past: it is " in told.stderr
    told = place.idms("pause", "scores", "--until", "soon")
    assert "'soon' is neither a duration (2d) nor a date (2026-11-01)" in told.stderr
    told = place.idms("resume", "scores")
    assert (told.returncode, told.stderr.splitlines()[0]) == (2, "idms: scores is not paused")
    told = place.idms("resume", "99")
    assert told.stderr.splitlines()[0] == "idms: there is no run 99"


def test_a_time_of_day_is_the_next_one(place: Place) -> None:
    _daily(place)
    pause = place.json("pause", "scores", "--until", "06:00")["pause"]
    end = datetime.fromisoformat(pause["until"])
    assert (end.hour, end.minute) == (6, 0)
    assert timedelta(0) < end - datetime.now(UTC) <= timedelta(days=1)
