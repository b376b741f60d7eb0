"""Each channel against a real counterpart: well, refusing, slow, dead; and what is known of a message afterwards."""

import json
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from idms_cli.dispatch.sending import try_channel
from tests.delivery.postoffice import PostOffice
from tests.delivery.receiver import Receiver, Says, receiver, refuses
from tests.notify.conftest import Telling

STILL = Says(then="still")


def mail(office: PostOffice, **keys: Any) -> dict[str, Any]:
    server = {**office.keys, **keys.pop("server", {})}
    return {"mail": {"to": ["ops@example.org", "Zoë <zoe@example.org>"], "from": "idms@example.org", "server": server}}


def hook(web: Receiver, **keys: Any) -> dict[str, Any]:
    return {"webhook": {"url": f"{web.url}/in", "ca_file": str(web.ca_file), **keys}}


def program(folder: Path, text: str) -> dict[str, Any]:
    path = folder / "program.py"
    path.write_text(text)
    return {"program": [sys.executable, str(path), "ops"]}


def state(telling: Telling, message: int) -> tuple[str, int, int]:
    one = telling.one(message)
    return one.state, one.tries, one.doubts


def test_a_mail_says_what_a_person_wants_to_read(telling: Telling, office: PostOffice) -> None:
    sent = telling.add("ops")
    telling.send(telling.settings(ops=mail(office)), "ops")
    (kept,) = office.mails
    assert kept.recipients == ["ops@example.org", "zoe@example.org"]
    assert kept.message["Subject"] == "idms: scores failed: the site cannot be reached"
    assert kept.message["Auto-Submitted"] == "auto-generated"
    assert kept.message.get_content().splitlines() == [
        "scores failed.",
        "",
        "the site cannot be reached",
        "Try later.",
        "",
        "idms show 7",
    ]
    assert state(telling, sent.id) == ("sent", 1, 0)


def test_a_mail_that_is_tried_again_has_the_same_name(telling: Telling, office: PostOffice) -> None:
    """The server keeps it, and the connection ends: nobody knows. So it comes once more, and is known by its name."""
    settings = telling.settings(ops=mail(office))
    office.faults.cut_after = "keeping"
    sent = telling.add("ops")
    telling.send(settings, "ops")
    assert state(telling, sent.id) == ("waiting", 1, 1)
    office.faults.cut_after = ""
    telling.due_again()
    telling.send(settings, "ops")
    assert state(telling, sent.id) == ("sent", 2, 1)
    first, second = (kept.message for kept in office.mails)
    assert first["Message-ID"] == second["Message-ID"]
    assert "may have reached you before" in second.get_content()


def test_what_may_have_been_sent_twice_is_not_sent_a_third_time(telling: Telling, office: PostOffice) -> None:
    settings = telling.settings(ops=mail(office))
    office.faults.cut_after = "keeping"
    sent = telling.add("ops")
    for _ in range(3):
        telling.send(settings, "ops")
        telling.due_again()
    assert (state(telling, sent.id)[0], len(office.mails)) == ("failed", 2)


@pytest.mark.parametrize(
    ("fault", "value", "reason"),
    [
        ("sender", "550 no", "it takes no mail from idms@example.org: 550 no"),
        ("content", "451 later", "it does not take the mail: 451 later"),
        ("still", "sender", "nothing came within the time limit"),
    ],
)
def test_a_mail_that_was_not_taken_waits(
    telling: Telling, office: PostOffice, fault: str, value: str, reason: str
) -> None:
    setattr(office.faults, fault, value)
    sent = telling.add("ops")
    telling.send(telling.settings(ops=mail(office, server={"silence": "1s"})), "ops")
    assert state(telling, sent.id) == ("waiting", 1, 0)
    assert reason in telling.one(sent.id).reason


def test_a_server_that_trickles_is_left_when_the_time_is_over(telling: Telling, office: PostOffice) -> None:
    office.faults.drip = True
    sent = telling.add("ops")
    telling.send(telling.settings(ops={**mail(office), "limit": "1s"}), "ops")
    assert state(telling, sent.id) == ("waiting", 1, 1)
    assert "nothing came within the time limit. It may have been taken." in telling.one(sent.id).reason


def test_a_webhook_gets_json_with_its_login(telling: Telling, web: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "t0k3n-of-the-hook")
    sent = telling.add("chat")
    headers = {"X-Who": "idms", "X-Key": {"env": "TOKEN"}}
    telling.send(telling.settings(chat=hook(web, bearer={"env": "TOKEN"}, headers=headers)), "chat")
    (asked,) = web.asked
    assert asked.headers["Authorization"] == "Bearer t0k3n-of-the-hook"
    assert (asked.headers["X-Who"], asked.headers["X-Key"]) == ("idms", "t0k3n-of-the-hook")
    told = asked.json()
    assert told["key"] == asked.headers["Idempotency-Key"]
    assert {name: told[name] for name in ("version", "kind", "job", "run", "trouble", "since", "is_repeated")} == {
        "version": 1,
        "kind": "opened",
        "job": "scores",
        "run": 7,
        "trouble": "failed",
        "since": "2025-12-01T00:46:40+00:00",
        "is_repeated": False,
    }
    assert state(telling, sent.id) == ("sent", 1, 0)


@pytest.mark.parametrize(
    ("template", "found"),
    [
        ("slack", lambda told: told["text"].split("\n")[0] == "idms: scores failed: 1 &lt; 2 &amp; so"),
        (
            "teams",
            lambda told: told["attachments"][0]["content"]["body"][0]["text"] == "idms: scores failed: 1 < 2 & so",
        ),
        ('{"title": {{ subject | json }}, "run": {{ run }}}', lambda told: told["run"] == 7),
    ],
    ids=["slack", "teams", "own"],
)
def test_a_template_makes_what_a_service_takes(
    telling: Telling, web: Receiver, template: str, found: Callable[[Any], bool]
) -> None:
    telling.add("chat", reason="1 < 2 & so")
    telling.send(telling.settings(chat=hook(web, template=template)), "chat")
    assert found(web.asked[0].json())


def test_a_template_that_makes_no_json_is_told(telling: Telling, web: Receiver) -> None:
    sent = telling.add("chat")
    telling.send(telling.settings(chat=hook(web, template="{{ subject }}")), "chat")
    assert web.asked == []
    assert telling.one(sent.id).reason.startswith("what the template of the webhook makes is no JSON")


@pytest.mark.parametrize(
    ("says", "expected", "reason"),
    [
        (refuses(404), ("waiting", 1, 0), "POST to 127.0.0.1: it answers 404"),
        (refuses(403), ("waiting", 1, 0), "POST to 127.0.0.1: it answers 403"),
        (refuses(503, "busy"), ("waiting", 1, 0), 'POST to 127.0.0.1: it answers 503: {"detail": "busy"}'),
        (STILL, ("waiting", 1, 1), "POST to 127.0.0.1: nothing came within the time limit. It may have been taken."),
        (Says(then="cut"), ("waiting", 1, 1), "POST to 127.0.0.1: the connection ended before"),
        (Says(then="drip"), ("waiting", 1, 1), "POST to 127.0.0.1: nothing came within the time limit"),
    ],
    ids=["not-found", "forbidden", "busy", "still", "cut", "drip"],
)
def test_what_a_web_server_does_is_told_truly(
    telling: Telling, web: Receiver, says: Says, expected: tuple[str, int, int], reason: str
) -> None:
    web.script(says)
    sent = telling.add("chat")
    telling.send(telling.settings(chat={**hook(web), "limit": "1s"}), "chat")
    assert state(telling, sent.id) == expected
    assert telling.one(sent.id).reason.startswith(reason)


def test_a_dead_server_has_certainly_not_taken_it_and_all_that_waits_there_waits(telling: Telling) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    sent = [telling.add("chat", job=name) for name in ("one", "two")]
    telling.send(telling.settings(chat={"webhook": f"http://127.0.0.1:{port}/in"}), "chat")
    assert [state(telling, each.id) for each in sent] == [("waiting", 1, 0), ("waiting", 0, 0)]
    assert telling.store.outbox.due_channels(sent[0].created_at.timestamp() + 30) == []
    assert telling.store.outbox.due_channels(sent[0].created_at.timestamp() + 600) == ["chat"]


def test_messages_about_one_job_keep_their_order_and_one_that_is_refused_holds_up_no_other_job(
    telling: Telling, web: Receiver
) -> None:
    web.script(refuses(400))
    for kind, job in (("opened", "one"), ("closed", "one"), ("opened", "two")):
        telling.add("chat", kind, job, until=1.0)
    telling.send(telling.settings(chat=hook(web)), "chat")
    assert [(each.json()["kind"], each.json()["job"]) for each in web.stored] == [("opened", "two")]
    telling.due_again()
    telling.send(telling.settings(chat=hook(web)), "chat")
    assert [each.json()["kind"] for each in web.stored[1:]] == ["opened", "closed"]


def test_a_message_that_nobody_takes_is_given_up_after_two_days(telling: Telling, web: Receiver) -> None:
    web.decide = lambda _: refuses(500)
    sent = telling.add("chat")
    with telling.store.database.write() as connection:
        connection.execute("UPDATE message SET created_at = created_at - 2 * 86400")
    telling.send(telling.settings(chat=hook(web)), "chat")
    assert (telling.one(sent.id).state, telling.one(sent.id).reason) == (
        "failed",
        "POST to 127.0.0.1: it answers 500",
    )


def test_a_channel_that_is_no_longer_there_keeps_nothing_waiting(telling: Telling) -> None:
    sent = telling.add("gone")
    telling.send(telling.settings(), "gone")
    assert telling.one(sent.id).reason == "the channel is no longer in idms.yaml"


def test_a_program_gets_json_and_none_of_our_secrets(
    telling: Telling, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDMS_LIVE_PASSWORD", "hunter2")
    text = "import json, os, sys\njson.dump([sys.argv[1], json.load(sys.stdin), dict(os.environ)], open('got', 'w'))\n"
    sent = telling.add("sms")
    telling.send(telling.settings(sms=program(tmp_path, text)), "sms")
    argument, told, environment = json.loads((tmp_path / "got").read_text())
    assert (argument, told["subject"]) == ("ops", "idms: scores failed: the site cannot be reached")
    assert "PATH" in environment
    assert "IDMS_LIVE_PASSWORD" not in environment
    assert state(telling, sent.id) == ("sent", 1, 0)


@pytest.mark.parametrize(
    ("text", "expected", "reason"),
    [
        ("import sys; sys.exit('no credit')", ("waiting", 1, 0), "ended with exit code 1: no credit"),
        ("import time; time.sleep(600)", ("waiting", 1, 1), "took longer than 1 s, and was ended"),
    ],
    ids=["fails", "hangs"],
)
def test_a_program_that_does_not_do_it_is_told(
    telling: Telling, tmp_path: Path, text: str, expected: tuple[str, int, int], reason: str
) -> None:
    sent = telling.add("sms")
    telling.send(telling.settings(sms={**program(tmp_path, text), "limit": "1s"}), "sms")
    assert state(telling, sent.id) == expected
    assert telling.one(sent.id).reason.endswith(reason)


def test_a_program_that_goes_on_in_the_background_has_sent_it_and_is_not_ended(
    telling: Telling, tmp_path: Path
) -> None:
    """It has our descriptors, among them that of its stderr."""
    text = f"""
import os, time
if os.fork() == 0:
    while not os.path.exists({str(tmp_path / "go")!r}):
        time.sleep(0.01)
    open({str(tmp_path / "done")!r}, "w").close()
"""
    sent = telling.add("sms")
    telling.send(telling.settings(sms={**program(tmp_path, text), "limit": "5s"}), "sms")
    assert (telling.one(sent.id).state, telling.one(sent.id).tries) == ("sent", 1)
    (tmp_path / "go").touch()
    until = time.monotonic() + 20
    while not (tmp_path / "done").exists():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_a_program_that_is_not_there_is_told(telling: Telling) -> None:
    sent = telling.add("sms")
    telling.send(telling.settings(sms={"program": ["/nowhere/sms"]}), "sms")
    assert telling.one(sent.id).reason == "the program /nowhere/sms cannot be started: No such file or directory"


def test_a_test_that_somebody_stops_is_not_sent_again_by_the_next_tick(
    telling: Telling, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    settings = telling.settings(sms={"program": ["/bin/true"]})
    monkeypatch.setattr("idms_cli.notify.program.Program.send", stopped)
    with pytest.raises(KeyboardInterrupt):
        try_channel(telling.store, settings, "sms", 1.0)
    telling.send(settings, "sms")
    (message,) = telling.store.outbox.newest(1)
    assert (message.state, message.reason) == ("failed", "its sender died before it was sent")


def test_pings_are_those_of_healthchecks(telling: Telling, web: Receiver) -> None:
    settings = telling.settings(watch={"ping": {"url": f"{web.url}/key/{{job}}?create=1", "ca_file": str(web.ca_file)}})
    for kind in ("start", "success", "failure"):
        telling.add("watch", kind, "my job", run=3)
    telling.send(settings, "watch")
    paths = [each.path.partition("&rid=") for each in web.asked]
    assert [path for path, _, _ in paths] == [
        "/key/my%20job/start?create=1",
        "/key/my%20job?create=1",
        "/key/my%20job/fail?create=1",
    ]
    assert len({run for _, _, run in paths}) == 1
    assert web.asked[2].body == b"run 3; the site cannot be reached"


def test_what_is_no_start_and_no_success_pings_failure(telling: Telling, web: Receiver) -> None:
    telling.add("watch", "opened")
    telling.send(telling.settings(watch={"ping": {"url": web.url, "ca_file": str(web.ca_file)}}), "watch")
    assert web.asked[0].path.startswith("/fail?rid=")


def test_apprise_sends_by_what_it_knows(telling: Telling, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with receiver(tmp_path, tls=False) as plain:
        monkeypatch.setenv("APPRISE", plain.url.replace("http://", "json://") + "/in\n")
        sent = telling.add("more")
        telling.send(telling.settings(more={"apprise": {"env": "APPRISE"}}), "more")
        assert plain.asked[0].json()["title"] == "idms: scores failed: the site cannot be reached"
        assert state(telling, sent.id) == ("sent", 1, 0)
        plain.decide = lambda _: refuses(500)
        again = telling.add("more")
        telling.send(telling.settings(more={"apprise": {"env": "APPRISE"}}), "more")
        assert telling.one(again.id).reason == "Apprise could not send it"


def test_a_secret_address_is_in_no_message(telling: Telling, web: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAT", f"{web.url}/services/T0/B0/verysecretkey")
    web.decide = lambda taken: refuses(404, f"nothing at {web.url}{taken.path}")
    sent = telling.add("chat")
    telling.send(telling.settings(chat=hook(web, url={"env": "CHAT"})), "chat")
    assert web.asked[0].path == "/services/T0/B0/verysecretkey"
    assert "verysecretkey" not in telling.one(sent.id).reason


def test_a_try_of_a_channel_is_never_tried_again(telling: Telling, web: Receiver) -> None:
    settings = telling.settings(chat=hook(web))
    good = try_channel(telling.store, settings, "chat", 1.0)
    web.decide = lambda _: refuses(503)
    bad = try_channel(telling.store, settings, "chat", 2.0)
    assert [(each.state, each.kind) for each in (good, bad) if each] == [("sent", "test"), ("failed", "test")]


@pytest.mark.parametrize(
    ("mark", "expected"),
    [
        (lambda telling, message: telling.store.outbox.begin(message, "subject"), ("sent", 2, 0)),
        (
            lambda telling, message: (
                telling.store.outbox.begin(message, "subject"),
                telling.store.outbox.handed(message),
            ),
            ("sent", 2, 1),
        ),
    ],
    ids=["before-it-was-sent", "when-it-may-have-been"],
)
def test_what_a_sender_that_died_left_is_sent_by_the_next(
    telling: Telling, web: Receiver, mark: Callable[[Telling, int], object], expected: tuple[str, int, int]
) -> None:
    sent = telling.add("chat")
    mark(telling, sent.id)
    telling.send(telling.settings(chat=hook(web)), "chat")
    assert state(telling, sent.id) == expected
    assert web.asked[0].json()["is_repeated"] is (expected[2] > 0)


WELL, REFUSING, SLOW, DEAD = "well", "refusing", "slow", "dead"
UNSEEN = {("program", WELL), ("program", SLOW), ("mail", SLOW)}
"""What a program does with it, only it knows; a mail server that is still after the sender got no mail."""


class Counterpart:
    """Servers of both kinds, and what a channel to them is told in idms.yaml."""

    def __init__(self, office: PostOffice, web: Receiver, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self._office = office
        self._web = web
        self._folder = folder
        self._patch = patch
        with socket.create_server(("127.0.0.1", 0)) as closed:
            self._nobody = int(closed.getsockname()[1])

    @property
    def has_taken(self) -> bool:
        return bool(self._office.mails or self._web.stored)

    def options(self, channel: str, how: str) -> dict[str, Any]:
        """A channel whose counterpart behaves so."""
        address = self._address(how)
        self._patch.setenv("APPRISE", address.replace("http://", "json://"))
        match channel:
            case "mail":
                return self._mail(how)
            case "program":
                return self._program(how)
        return {channel: {"env": "APPRISE"} if channel == "apprise" else address}

    def _mail(self, how: str) -> dict[str, Any]:
        self._office.faults.sender = "550 no" if how == REFUSING else ""
        self._office.faults.still = "sender" if how == SLOW else ""
        return mail(self._office, server={"port": self._nobody} if how == DEAD else {})

    def _address(self, how: str) -> str:
        answers = {REFUSING: lambda _: refuses(403), SLOW: lambda _: STILL}
        self._web.decide = answers.get(how, self._web.decide)
        return f"http://127.0.0.1:{self._nobody}" if how == DEAD else self._web.url

    def _program(self, how: str) -> dict[str, Any]:
        text = {REFUSING: "import sys; sys.exit(1)", SLOW: "import time; time.sleep(600)"}.get(how, "input()")
        return {"program": ["/nowhere/sms"]} if how == DEAD else program(self._folder, text)


@pytest.fixture
def counterpart(office: PostOffice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Counterpart]:
    with receiver(tmp_path, tls=False) as plain:
        yield Counterpart(office, plain, tmp_path, monkeypatch)


@pytest.mark.parametrize(
    ("channel", "how", "expected"),
    [
        ("mail", WELL, ("sent", 1, 0)),
        ("mail", REFUSING, ("waiting", 1, 0)),
        ("mail", SLOW, ("waiting", 1, 0)),
        ("mail", DEAD, ("waiting", 1, 0)),
        ("webhook", WELL, ("sent", 1, 0)),
        ("webhook", REFUSING, ("waiting", 1, 0)),
        ("webhook", SLOW, ("waiting", 1, 1)),
        ("webhook", DEAD, ("waiting", 1, 0)),
        ("ping", WELL, ("sent", 1, 0)),
        ("ping", REFUSING, ("waiting", 1, 0)),
        ("ping", SLOW, ("waiting", 1, 0)),  # twice is as once
        ("ping", DEAD, ("waiting", 1, 0)),
        ("program", WELL, ("sent", 1, 0)),
        ("program", REFUSING, ("waiting", 1, 0)),
        ("program", SLOW, ("waiting", 1, 1)),
        ("program", DEAD, ("waiting", 1, 0)),
        ("apprise", WELL, ("sent", 1, 0)),
        ("apprise", REFUSING, ("waiting", 1, 0)),
        ("apprise", SLOW, ("waiting", 1, 1)),
        ("apprise", DEAD, ("waiting", 1, 0)),
    ],
)
def test_whatever_its_counterpart_does_a_message_is_sent_or_waits_and_its_record_says_so(
    telling: Telling, counterpart: Counterpart, channel: str, how: str, expected: tuple[str, int, int]
) -> None:
    """Real servers on this machine; each delivery within its own limit of a second."""
    sent = telling.add("ops", "failure" if channel == "ping" else "opened")
    telling.send(telling.settings(ops={**counterpart.options(channel, how), "limit": "1s"}), "ops")
    assert state(telling, sent.id) == expected
    assert bool(telling.one(sent.id).reason) is (how != WELL)
    assert counterpart.has_taken == (how in (WELL, SLOW) and (channel, how) not in UNSEEN)
