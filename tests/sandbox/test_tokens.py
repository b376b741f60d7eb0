"""Tokens: how they are given, refused, and lost."""

from datetime import timedelta

import httpx
import pytest

from .conftest import LOGIN, NOON, Start, log_in

DENIED = {
    "$type": "System.Web.Http.HttpError, System.Web.Http",
    "Message": "Authorization has been denied for this request.",
}


def test_a_login_gives_a_bearer_token_for_two_weeks(client: httpx.Client) -> None:
    reply = client.post("/token", data=LOGIN)
    assert reply.status_code == 200
    assert reply.headers["Content-Type"].startswith("application/json")
    token = reply.json()
    assert token["token_type"] == "bearer"
    assert token["expires_in"] == 1209599
    assert token["userName"] == "idms-background"
    assert token[".issued"] == "Mon, 23 Nov 2026 12:00:00 GMT"
    assert token[".expires"] == "Mon, 07 Dec 2026 11:59:59 GMT"


@pytest.mark.parametrize("path", ["/token", "/Token", "/token/", "/TOKEN/"])
def test_the_address_of_the_token_counts_in_any_case_and_with_a_slash(client: httpx.Client, path: str) -> None:
    assert client.post(path, data=LOGIN).status_code == 200


def test_field_names_count_in_any_case(client: httpx.Client) -> None:
    fields = {"Grant_type": "password", "Username": "idms-background", "Password": "sandbox"}
    assert client.post("/token", data=fields).status_code == 200


def test_a_password_with_special_characters_arrives_whole(start: Start) -> None:
    _, client = start(users={"idms-background": "sandbox", "ödön": "a&b=c+d %é"})
    fields = {"grant_type": "password", "username": "ödön", "password": "a&b=c+d %é"}
    assert client.post("/token", data=fields).json()["userName"] == "ödön"


@pytest.mark.parametrize(
    "fields",
    [{**LOGIN, "password": "wrong"}, {**LOGIN, "username": "nobody"}, {"grant_type": "password"}],
    ids=["wrong password", "unknown user", "nothing"],
)
def test_a_wrong_login_is_refused_and_counted(start: Start, fields: dict[str, str]) -> None:
    site, client = start()
    reply = client.post("/token", data=fields)
    assert reply.status_code == 400
    assert reply.json()["error"] == "invalid_grant"
    assert reply.json()["error_description"]
    assert site.calls["refused_logins"] == 1


@pytest.mark.parametrize("fields", [{}, {"grant_type": "client_credentials"}], ids=["missing", "unknown"])
def test_another_grant_type_is_refused(client: httpx.Client, fields: dict[str, str]) -> None:
    reply = client.post("/token", data=fields)
    assert (reply.status_code, reply.json()) == (400, {"error": "unsupported_grant_type"})


def test_a_new_token_kills_the_old_one_of_the_same_user(start: Start) -> None:
    site, client = start(users={"idms-background": "sandbox", "second": "other"})
    old = dict(client.headers)
    client.post("/token", data={**LOGIN, "username": "second", "password": "other"})
    assert client.get("/api/Party/101").status_code == 200
    log_in(client)
    assert client.get("/api/Party/101").status_code == 200
    reply = client.get("/api/Party/101", headers=old)
    assert (reply.status_code, reply.json()) == (401, DENIED)
    assert site.calls["tokens"] == 3


def test_a_site_can_let_old_tokens_live(start: Start) -> None:
    _, client = start(one_token_per_user=False)
    old = dict(client.headers)
    log_in(client)
    assert client.get("/api/Party/101", headers=old).status_code == 200


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer wrong", "Basic aWRtczpzYW5kYm94"], ids=["none", "empty", "wrong", "basic"]
)
def test_every_api_address_wants_a_token(client: httpx.Client, header: str) -> None:
    for path in ("/api/Party/101", "/api/query?QueryName=$/Idms/Members", "/api/NoSuchThing"):
        reply = client.get(path, headers={"Authorization": header})
        assert (reply.status_code, reply.json()) == (401, DENIED)


def test_a_token_expires(start: Start) -> None:
    now = [NOON]
    _, client = start(token_life_s=60, clock=lambda: now[0])
    now[0] = NOON + timedelta(seconds=59)
    assert client.get("/api/Party/101").status_code == 200
    now[0] = NOON + timedelta(seconds=60)
    assert client.get("/api/Party/101").status_code == 401


def test_purging_the_cache_kills_all_tokens(client: httpx.Client) -> None:
    assert client.post("/_sandbox/purge").status_code == 200
    assert client.get("/api/Party/101").status_code == 401


def test_a_refresh_token_works_once(start: Start) -> None:
    site, client = start()
    fields = {
        "grant_type": "refresh_token",
        "client_id": "sandbox-client",
        "client_secret": "sandbox-secret",
        "refresh_token": site.tokens.new_refresh_token("idms-background"),
    }
    reply = client.post("/token", data=fields)
    assert reply.status_code == 200
    assert reply.json()["expires_in"] == 1199
    assert client.post("/token", data=fields).json()["error"] == "invalid_grant"
    fresh = {**fields, "refresh_token": reply.json()["refresh_token"]}
    assert client.post("/token", data={**fresh, "client_secret": "wrong"}).status_code == 400
    assert client.post("/token", data=fresh).status_code == 200
