"""A site that is down or refuses the login: one try, one message, and every run has its turn later."""

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from idms_cli.sandbox import Sandbox
from tests.conftest import Place, until
from tests.imis.stub import Reply, Stub, stub_site

EVENING, NIGHT, MORNING = "2026-11-30 20:00", "2026-12-01 02:00", "2026-12-01 08:01"
ENTITIES = ("ABC_Scores", "ABC_Membership", "ABC_Codes", "Activity")
FIREWALL = Reply(403, {"not": "the login of iMIS"})


def jobs(place: Place, number: int) -> None:
    """Jobs that are due at the same minute, on different data."""
    for index in range(number):
        name = f"job{index:02}"
        path = place.job(name)
        path.write_text(path.read_text().replace("ABC_Scores", ENTITIES[index % 4]))
        place.scores(name, 1, course=name)


def scores(place: Place, number: int) -> None:
    """Jobs that are due at the same minute, and can do what they are for."""
    for index in range(number):
        place.job(f"job{index:02}")
        place.scores(f"job{index:02}", 1, course=f"Course {index}")


def connection(place: Place) -> Any:
    return place.json("connection")["connections"][0]


def a_probe_is_due(place: Place) -> None:
    """As if the distance to the next try had passed."""
    path = place.state / "connections/test.json"
    content = json.loads(path.read_text())
    content["outage"]["next_try"] = content["outage"]["tried_at"]
    path.write_text(json.dumps(content))


def tried(place: Place, tries: int) -> bool:
    return bool(connection(place)["tries"] >= tries)


def all_wait(place: Place) -> bool:
    runs = place.runs()
    return all(run.status == "pending" and run.reason.startswith("waits for connection test") for run in runs)


@pytest.fixture
def dead() -> Iterator[Stub]:
    """Something that is not iMIS answers at the site's address."""
    with stub_site() as stub:
        stub.logins.extend([FIREWALL] * 100)
        yield stub


def test_twenty_jobs_on_a_dead_site_make_one_probe_and_one_message(place: Place, dead: Stub) -> None:
    place.settings(dead.url)
    jobs(place, 20)
    place.at(EVENING)
    told = [place.at(NIGHT).stderr]
    until(lambda: all_wait(place) and not place.processes())
    told += [place.at(f"2026-12-01 02:0{minute}").stderr for minute in (1, 2, 3)]
    assert dead.login_count == 1
    assert len(place.runs()) == 20
    assert "".join(told).count("connection test is down since") == 1
    assert "; 20 runs wait, next probe " in "".join(told)
    assert place.json("status")["connections"][0]["waiting"] == list(range(1, 21))
    shown = place.idms("status").stdout
    assert shown.count("is down since") == 1
    assert shown.count("waits for connection test\n") == 20


def test_a_waiting_run_says_what_it_waits_for_since_when_and_when_that_is_tried_again(place: Place, dead: Stub) -> None:
    place.settings(dead.url)
    jobs(place, 1)
    place.at(EVENING)
    place.at(NIGHT)
    until(lambda: all_wait(place))
    place.settled()
    place.at("2026-12-01 02:01")
    (run,) = place.runs()
    assert run.reason.startswith("waits for connection test, down since ")
    assert "; next probe " in run.reason
    assert run.started_at is None


def test_that_the_site_is_back_is_told_once(place: Place, dead: Stub) -> None:
    place.settings(dead.url)
    scores(place, 3)
    place.at(EVENING)
    place.at(NIGHT)
    until(lambda: all_wait(place) and not place.processes())
    assert "is down since" in place.at("2026-12-01 02:01").stderr
    dead.logins.clear()
    a_probe_is_due(place)
    place.at("2026-12-01 02:02")
    until(lambda: connection(place)["state"] == "ok")
    assert dead.login_count == 2
    told = [place.idms("run-due").stderr for _ in range(2)]
    assert "".join(told).count("connection test works again since") == 1


def test_runs_that_waited_do_their_work(place: Place, site: Sandbox) -> None:
    place.environment["IDMS_TEST_PASSWORD"] = "wrong"
    scores(place, 3)
    place.at(EVENING)
    place.at(NIGHT)
    until(lambda: all_wait(place) and not place.processes())
    place.environment["IDMS_TEST_PASSWORD"] = "sandbox"
    a_probe_is_due(place)
    place.at("2026-12-01 02:02")
    until(lambda: all(run.status == "completed" for run in place.runs()))
    ended = [run.ended_at for run in place.runs()]
    assert [run.counts["inserted"] for run in place.runs()] == [1, 1, 1]
    assert ended == sorted(ended, key=lambda moment: moment.timestamp() if moment else 0)


def test_a_refused_login_is_asked_of_the_site_once_until_the_secret_changes(place: Place, site: Sandbox) -> None:
    place.environment["IDMS_TEST_PASSWORD"] = "wrong"
    jobs(place, 8)
    place.at(EVENING)
    told = [place.at(NIGHT).stderr]
    until(lambda: all_wait(place) and not place.processes())
    for tries in (2, 3):
        a_probe_is_due(place)
        told.append(place.at(f"2026-12-01 02:0{tries}").stderr)
        until(partial(tried, place, tries))
    by_hand = place.idms("run", "job00")
    assert by_hand.returncode == 4
    assert "It was refused before and is not tried again, so that the account is not locked." in by_hand.stdout
    assert "then change the secret" in by_hand.stdout
    assert "`idms connection try test`" in by_hand.stdout
    assert site.calls["calls"] == {"POST token": 1}
    assert site.calls["refused_logins"] == 1
    assert "".join(told).count("connection test: login refused since") == 1
    assert connection(place)["state"] == "refused"
    place.environment["IDMS_TEST_PASSWORD"] = "sandbox"
    a_probe_is_due(place)
    place.at("2026-12-01 02:09")
    until(lambda: all(not run.is_open for run in place.runs()))
    assert site.calls["refused_logins"] == 1
    assert site.calls["tokens"] == 1


def test_two_wrong_secrets_that_take_turns_are_tried_once_each(place: Place, site: Sandbox) -> None:
    scores(place, 1)
    for password in ("wrong", "also wrong", "wrong", "also wrong"):
        place.environment["IDMS_TEST_PASSWORD"] = password
        assert place.idms("run", "job00").returncode == 4
    assert site.calls["refused_logins"] == 2


def test_a_person_may_try_a_refused_secret_again_once_the_account_was_mended(place: Place, site: Sandbox) -> None:
    scores(place, 1)
    site.tokens._users = {"idms-background": "another"}
    place.at(EVENING)
    place.at(NIGHT)
    until(lambda: all_wait(place))
    place.settled()
    assert place.idms("connection", "try", "test").returncode == 4
    assert site.calls["refused_logins"] == 2
    site.tokens._users = {"idms-background": "sandbox"}
    tried = place.idms("connection", "try", "test")
    assert (tried.returncode, tried.stdout) == (0, "connection test works; started: run 1\n")
    until(lambda: place.runs()[0].status == "completed")


def test_a_connection_that_is_not_there_cannot_be_tried(place: Place) -> None:
    tried = place.idms("connection", "try", "tets")
    assert tried.returncode == 2
    assert "there is no connection 'tets'" in tried.stderr
    assert "did you mean 'test'" in tried.stderr.lower()


def test_a_slot_that_waited_longer_than_its_grace_is_skipped_and_the_next_takes_its_place(
    place: Place, dead: Stub
) -> None:
    place.settings(dead.url)
    place.job("scores", schedule='{cron: "0 2,8 * * *", grace: 6h}')
    place.scores("scores", 1)
    place.at(EVENING)
    place.at(NIGHT)
    until(lambda: all_wait(place))
    place.settled()
    place.at(MORNING)
    first, second = place.runs()
    assert first.status == "skipped"
    assert first.reason.startswith("over the grace of 6h; connection test was down since ")
    assert (second.status, second.due and f"{second.due:%H:%M}") == ("pending", "08:00")
    shown = place.json("history", "--status", "skipped")["history"]
    assert [item["reason"][:14] for item in shown] == ["over the grace"]


def test_a_run_by_hand_tries_a_site_that_is_known_to_be_down_and_what_waits_goes_on(place: Place, dead: Stub) -> None:
    place.settings(dead.url)
    scores(place, 1)
    place.at(EVENING)
    place.at(NIGHT)
    until(lambda: all_wait(place))
    place.settled()
    by_hand = place.idms("run", "job00")
    assert by_hand.returncode == 5
    assert "POST /token answered 403, but not as the login of iMIS does" in by_hand.stdout
    assert dead.login_count == 2
    assert place.runs()[0].status == "pending"


def test_only_one_process_probes(place: Place, dead: Stub) -> None:
    place.settings(dead.url)
    scores(place, 1)
    place.at(EVENING)
    place.at(NIGHT)
    until(lambda: all_wait(place))
    place.settled()
    a_probe_is_due(place)
    probes = [place.start("connection", "probe", "test") for _ in range(6)]
    assert [probe.communicate(timeout=60)[0] for probe in probes] == [""] * 6
    assert dead.login_count == 2


def test_another_address_starts_afresh(place: Place, dead: Stub, url: str) -> None:
    place.settings(dead.url)
    scores(place, 1)
    place.at(EVENING)
    place.at(NIGHT)
    until(lambda: all_wait(place))
    place.settled()
    place.settings(url)
    assert connection(place)["state"] == "ok"
    place.at("2026-12-01 02:01", "--wait")
    assert place.runs()[0].status == "completed"


def test_what_is_kept_of_a_refused_secret_is_private_and_not_the_secret(place: Place) -> None:
    place.environment["IDMS_TEST_PASSWORD"] = "hunter2-hunter2"
    scores(place, 1)
    place.idms("run", "job00")
    files = [path for folder in ("tokens", "connections") for path in (place.state / folder).iterdir()]
    assert {"test.json"} <= {path.name for path in files}
    assert {oct(path.stat().st_mode & 0o777) for path in files} == {"0o600"}
    assert not any(b"hunter2" in path.read_bytes() for path in place.state.rglob("*") if path.is_file())
