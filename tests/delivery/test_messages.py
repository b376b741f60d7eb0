"""README's tables of what servers do wrong: each line is provoked, and its words are what is really said."""

import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.delivery.cargo import sample
from tests.delivery.mailing import OPS, ZOE, Mailing
from tests.delivery.postoffice import post_office
from tests.delivery.receiver import YES, Receiver, Says, Taken, refuses
from tests.delivery.sending import EACH, Sending, rows
from tests.messages.test_messages import README, says


def table(heading: str) -> dict[str, str]:
    """What idms says, by what the server does."""
    section = README.read_text(encoding="utf-8").partition(f"\n##### {heading}\n")[2].partition("\n#")[0]
    found = section.partition("| what the server does |")[2]
    lines = re.findall(r"^\|(.+)\|$", found, re.MULTILINE)[1:]
    cells = [[cell.strip() for cell in line.split(" | ")] for line in lines]
    return {name: said for name, said, _ in cells}


def only_second(says_: Says) -> Callable[[Taken], Says]:
    return lambda taken: says_ if taken.json()["ID"] == "102" else YES


def nobody_there() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


CUT = Says(then="cut")
LONG = refuses(429, Retry_After="9999")
UNPROCESSABLE = refuses(422, "no")
SENT_TWICE: dict[str, Any] = {"method": "PUT", "path": "/m/{{ row.ID }}"}
WEB: dict[str, tuple[Callable[[Taken], Says], dict[str, Any]]] = {
    "it refuses the login": (lambda _: refuses(401, "who?"), EACH),
    "it loses an answer": (only_second(CUT), EACH),
    "it loses one answer after the other": (lambda _: CUT, EACH),
    "it is slow to death": (lambda _: Says(then="still"), {"silence": "1s", "count": 1, **EACH}),
    "it fails at what can be sent again": (only_second(Says(500)), {**SENT_TWICE, **EACH}),
    "it wants a long pause": (lambda _: LONG, EACH),
    "it redirects": (lambda _: refuses(308, Location="/x"), EACH),
    "it redirects as after a form": (lambda _: refuses(303, Location="/x"), EACH),
    "it takes no file of this size": (lambda _: refuses(413), {"count": 1, **EACH}),
    "it has no room": (lambda _: refuses(507, "full"), EACH),
    "it refuses every row": (lambda _: UNPROCESSABLE, EACH),
    "it refuses too many": (lambda _: UNPROCESSABLE, {"max_refused": 2, "count": 9, **EACH}),
}
OTHER_WEB = ["it refuses a token", "its certificate is not trusted", "it is not there"]


def test_every_fault_of_a_web_server_is_in_the_table_and_the_other_way_round() -> None:
    assert sorted(table("A web server")) == sorted([*WEB, *OTHER_WEB])


@pytest.mark.parametrize("name", WEB)
def test_a_fault_of_a_web_server_is_told_in_these_words(web: Receiver, tmp_path: Path, name: str) -> None:
    web.decide, given = WEB[name]
    keys = dict(given)
    error = Sending(web, tmp_path).fails(rows(keys.pop("count", 3)), keys.pop("path", "/in"), **keys)
    assert says(table("A web server")[name], str(error)), error
    assert error.hint


def test_a_web_server_that_is_not_known_or_not_there_is_told_in_these_words(
    web: Receiver, secure: Receiver, tmp_path: Path
) -> None:
    said = table("A web server")
    web.decide = lambda taken: refuses(401) if taken.path == "/in" else Says(401, b'{"error": "invalid_client"}')
    sending = Sending(web, tmp_path)
    secret = sending.secret("x")
    oauth = {"oauth2": {"token_url": f"{web.url}/token", "client_id": "a", "client_secret": secret}}
    assert says(said["it refuses a token"], str(sending.fails(rows(1), auth=oauth, **EACH)))
    error = Sending(secure, tmp_path).fails(rows(1), ca_file=None, **EACH)
    assert says(said["its certificate is not trusted"], str(error))
    gone = Receiver(f"http://127.0.0.1:{nobody_there()}", tmp_path)
    assert says(said["it is not there"], str(Sending(gone, tmp_path).fails(rows(1), **EACH)))


MAIL: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "it refuses the login": ({"login": "535 5.7.8 no"}, {}),
    "its certificate is not trusted": ({}, {"server": {"ca_file": None}}),
    "it offers no encryption": ({"tls": "none"}, {}),
    "it is not there": ({}, {"server": {"port": 0}}),
    "it takes no mail of this size": ({"size": 100}, {}),
    "it is over its quota": ({"content": "552 5.2.2 full"}, {}),
    "it takes nobody's mail now": ({"content": "451 4.3.0 later"}, {}),
    "it breaks off in the middle": ({"cut_in_content": True}, {"large": True}),
    "it breaks off at the end": ({"cut_after": "keeping"}, {}),
    "it is slow to death": ({"still": "sender"}, {"server": {"silence": "1s"}}),
    "it refuses every recipient": ({"recipients": {OPS: "550 no", ZOE: "550 no"}}, {}),
    "it puts a recipient off": ({"recipients": {ZOE: "450 later"}}, {}),
}


def test_every_fault_of_a_mail_server_is_in_the_table_and_the_other_way_round() -> None:
    assert list(table("Mail")) == list(MAIL)


@pytest.mark.parametrize("name", MAIL)
def test_a_fault_of_a_mail_server_is_told_in_these_words(tmp_path: Path, name: str) -> None:
    faults, given = MAIL[name]
    how = {key: faults[key] for key in ("tls", "size") if key in faults}
    keys = dict(given)
    if keys.get("server", {}).get("port") == 0:
        keys["server"] = {"port": nobody_there()}
    cargo = sample(tmp_path, size=3_000_000) if keys.pop("large", False) else sample(tmp_path)
    with post_office(tmp_path, **how) as office:
        for key, value in faults.items():
            if key not in how:
                setattr(office.faults, key, value)
        error = Mailing(office, tmp_path).fails(cargo, file="members.csv", **keys)
    assert says(table("Mail")[name], str(error)), error
    assert error.hint
