"""A job that breaks is told by a process of its own, which nobody waits for, and which may be killed at any moment."""

import json
import sys
from pathlib import Path

import pytest

from idms_cli.dispatch.glance import had_nothing_to_do
from idms_cli.history.outbox import Queued
from idms_cli.history.store import Store
from tests.conftest import Place, until

TELLS = """\
import json, os, sys, time
told = json.load(sys.stdin)
with open("told", "a") as file:
    file.write(json.dumps([told["kind"], told["job"], told["key"], told["is_repeated"], told["subject"]]) + "\\n")
while os.path.exists("wait"):
    time.sleep(0.05)
"""


def messages(place: Place) -> list[Queued]:
    with Store(place.state) as store:
        return store.outbox.newest(100)[::-1]


def told(place: Place) -> list[list[object]]:
    path = place.directory / "told"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@pytest.fixture
def loud(place: Place, url: str) -> Place:
    """A job whose file is missing, and that tells it."""
    path: Path = place.write("tell.py", TELLS)
    channels = json.dumps({"ops": {"program": [sys.executable, str(path)], "limit": "60s"}})
    place.settings(url, more=f"channels: {channels}\n")
    place.job("scores", schedule='{cron: "* * * * *"}', more="notify: [ops]")
    return place


def test_a_scheduled_run_that_fails_is_told_once_and_a_killed_sender_does_not_lose_it(loud: Place) -> None:
    """The sender is killed when the program has it, and before that is recorded: it comes again, and says so."""
    loud.write("wait", "")
    loud.job("leap", schedule='{cron: "0 0 29 2 *"}', more="notify: {channels: [ops], on: [late]}")
    loud.idms("run-due")
    with Store(loud.state) as store, store.database.write() as connection:
        connection.execute("UPDATE job SET next_due = next_due - 60, decided_until = decided_until - 60")
        connection.execute("UPDATE job SET next_due = 1, decided_until = 1704067200 WHERE name = 'leap'")
    loud.idms("run-due")
    until(lambda: told(loud) and len(messages(loud)) == 2)
    loud.end()
    (loud.directory / "wait").unlink()
    assert [(one.job, one.kind, one.state) for one in messages(loud)] == [
        ("leap", "opened", "handed"),
        ("scores", "opened", "waiting"),
    ]
    loud.write("jobs.d/scores.yaml", (loud.directory / "jobs.d/scores.yaml").read_text() + "enabled: false\n")
    loud.idms("run-due")
    until(lambda: [one.state for one in messages(loud)] == ["sent", "sent"])
    first, second, third = told(loud)
    assert first[0:2] == ["opened", "leap"]
    assert first[4] == "idms: leap did not run: missed: over the grace of 6h"
    assert third[0:2] == ["opened", "scores"]
    assert str(third[4]).startswith("idms: scores failed: missing: ")
    assert (first[2], first[3], second[3]) == (second[2], False, True)
    listed = loud.json("notify", "list")["messages"]
    assert [(one["job"], one["channel"], one["state"], one["tries"]) for one in listed] == [
        ("scores", "ops", "sent", 1),
        ("leap", "ops", "sent", 2),
    ]


def test_senders_that_cannot_be_started_end_no_tick_and_change_no_exit_code(loud: Place) -> None:
    loud.idms("run-due")
    with Store(loud.state) as store:
        store.outbox.add(["ops"], "silent", "", {"since": 1, "until": 2}, 1.0)
    (loud.state / "notify").touch()
    told = loud.idms("run-due")
    assert (told.returncode, told.stderr.count("messages wait, nothing can be sent by channel ops: ")) == (0, 1)


def test_a_channel_can_be_tried(loud: Place) -> None:
    good = loud.idms("notify", "test", "ops")
    assert (good.returncode, good.stdout) == (0, "ops: sent (program)\n")
    near = loud.idms("notify", "test", "osp")
    assert (near.returncode, near.stderr) == (2, "idms: there is no channel 'osp'\nhint: did you mean 'ops'?\n")


def test_what_nobody_will_get_is_told_once_by_run_due_and_listed(place: Place, url: str) -> None:
    place.settings(url, more='channels: {ops: {program: ["/nowhere/sms"]}}\n')
    place.job("scores")
    place.idms("run-due")
    with Store(place.state) as store:
        first, second, _ = store.outbox.add(["ops", "ops", "ops"], "opened", "scores", {}, 1.0)
        for message in (first, second):
            store.outbox.give_up(message, 2.0, "the program /nowhere/sms cannot be started")
        (tried,) = store.outbox.add(["ops"], "test", "", {}, 3.0)
        store.outbox.give_up(tried, 3.0, "it was a test")
        store.outbox.put_off_all("ops", 4e9)
    assert not had_nothing_to_do(str(place.directory / "idms.yaml"))
    told = [place.idms("run-due").stderr for _ in range(2)]
    assert told == [
        "2 messages by channel ops could not be delivered: the program /nowhere/sms cannot be started; "
        "`idms notify list --failed`\n",
        "",
    ]
    listed = place.idms("notify", "list", "--failed").stdout.splitlines()
    assert [line.split()[3:7] for line in listed[1:]] == [["scores", "opened", "given", "up"]] * 2
    refused = place.idms("notify", "list", "--failed", "--waiting")
    assert refused.returncode == 2
