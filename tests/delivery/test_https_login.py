"""Tokens for a client's id and secret: fetched once, kept, renewed when they end or are refused."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from idms_cli.errors import LoginRefused, Unreachable
from tests.delivery.receiver import YES, Receiver, Says, Taken, refuses
from tests.delivery.sending import EACH, Sending, rows


@pytest.fixture
def sending(web: Receiver, tmp_path: Path) -> Sending:
    return Sending(web, tmp_path)


class Issuer:
    """Gives tokens at /token, and lets only the newest in elsewhere."""

    def __init__(self, *, life_s: object = 3600, dies_after: int = 1_000_000) -> None:
        self.asked: list[Taken] = []
        self._life_s = life_s
        self._dies_after = dies_after
        self._left = 0

    def __call__(self, taken: Taken) -> Says:
        if taken.path == "/token":
            self.asked.append(taken)
            self._left = self._dies_after
            content = {"access_token": f"t0k3n-{len(self.asked)}", "token_type": "Bearer", "expires_in": self._life_s}
            return Says(200, json.dumps(content).encode(), stores=False)
        if taken.headers.get("Authorization") != f"Bearer t0k3n-{len(self.asked)}" or not self._left:
            return refuses(401, "the token has ended")
        self._left -= 1
        return YES

    @property
    def form(self) -> Mapping[str, list[str]]:
        return parse_qs(self.asked[0].body.decode())


def oauth(sending: Sending, secret: str = "p+w/d=", **more: Any) -> dict[str, Any]:
    given = {
        "token_url": f"{sending.web.url}/token",
        "client_id": "idms client",
        "client_secret": sending.secret(secret),
    }
    return {"oauth2": {**given, **more}}


def test_a_token_is_fetched_once_for_all_requests(sending: Sending, web: Receiver) -> None:
    web.decide = issuer = Issuer()
    sending.deliver(rows(6), auth=oauth(sending, scope="a b", parameters={"audience": "x"}), concurrency=3, **EACH)
    assert len(issuer.asked) == 1
    assert issuer.form == {"grant_type": ["client_credentials"], "scope": ["a b"], "audience": ["x"]}
    # each is form-encoded before (RFC 6749, 2.3.1): idms+client:p%2Bw%2Fd%3D
    assert issuer.asked[0].headers["Authorization"] == "Basic aWRtcytjbGllbnQ6cCUyQnclMkZkJTNE"
    assert set(web.effects().values()) == {1}


def test_id_and_secret_may_stand_in_the_body(sending: Sending, web: Receiver) -> None:
    web.decide = issuer = Issuer()
    sending.deliver(rows(1), auth=oauth(sending, send="body"), **EACH)
    assert (issuer.form["client_id"], issuer.form["client_secret"]) == (["idms client"], ["p+w/d="])
    assert "Authorization" not in issuer.asked[0].headers


@pytest.mark.parametrize("life_s", [0.001, "0.001"])
def test_a_token_that_has_ended_is_renewed_before_it_is_refused(
    sending: Sending, web: Receiver, life_s: object
) -> None:
    web.decide = issuer = Issuer(life_s=life_s)
    sending.deliver(rows(3), auth=oauth(sending), **EACH)
    assert len(issuer.asked) == 3
    assert len(web.asked) == 6


def test_a_token_that_is_refused_is_renewed_and_the_row_is_sent_once(sending: Sending, web: Receiver) -> None:
    web.decide = issuer = Issuer(dies_after=2)
    assert sending.deliver(rows(6), auth=oauth(sending), **EACH).items == 6
    assert len(issuer.asked) == 3
    assert set(web.effects().values()) == {1}


def test_a_new_token_that_is_refused_too_ends_the_delivery(sending: Sending, web: Receiver) -> None:
    web.decide = issuer = Issuer(dies_after=0)
    error = sending.fails(rows(6), auth=oauth(sending), **EACH)
    assert isinstance(error, LoginRefused)
    assert (len(issuer.asked), web.stored, sending.states()) == (2, [], ["pending"])


@pytest.mark.parametrize(
    ("answer", "kind", "message"),
    [
        (
            Says(401, b'{"error": "invalid_client", "error_description": "no such client."}', stores=False),
            LoginRefused,
            "{url}/token refuses a token to idms client (401): no such client.",
        ),
        (
            Says(400, b'{"error": "invalid_scope"}', stores=False),
            LoginRefused,
            "{url}/token refuses a token to idms client (400): invalid_scope.",
        ),
        (Says(500, stores=False), Unreachable, "{url}/token answers 500, but with no token."),
        (Says(200, b"<html>", stores=False), Unreachable, "{url}/token answers 200, but with no token."),
        (
            Says(200, b'{"access_token": "a\\r\\nb"}', stores=False),
            Unreachable,
            "{url}/token answers 200, but with no token.",
        ),
        (
            Says(stores=False, then="cut"),
            Unreachable,
            "{url}/token gives no token: the connection ended before the answer was whole.",
        ),
    ],
    ids=["refused", "scope", "500", "no JSON", "line end", "cut"],
)
def test_where_there_is_no_token_nothing_is_sent(
    sending: Sending, web: Receiver, answer: Says, kind: type[Exception], message: str
) -> None:
    web.decide = lambda taken: answer
    error = sending.fails(rows(3), auth=oauth(sending, secret="hunter2"), **EACH)
    assert (type(error), str(error)) == (kind, message.format(url=web.url))
    assert [taken.path for taken in web.asked] == ["/token"]
    assert sending.states() == ["pending"]
    assert "hunter2" not in f"{error}{error.hint}{sending.log}"
