"""The token of a connection, its file, and logins that are refused."""

import json
import threading

import pytest

from idms_cli.errors import IdmsError, LoginRefused, SiteError, Unreachable

from .stub import Reply

OK = Reply(200, {"ok": True})
DENIED = Reply(401, {"Message": "Authorization has been denied for this request."})
REFUSED = Reply(400, {"error": "invalid_grant", "error_description": "The user name or password is incorrect."})


def login(text, expires_in=1209599):
    return Reply(200, {"access_token": text, "token_type": "bearer", "expires_in": expires_in})


def mode(path):
    return oct(path.stat().st_mode & 0o777)


def test_a_second_process_uses_the_token_of_the_first(stub, connect, tmp_path):
    stub.will(OK, OK)
    connect(stub.url).get("/api/Party/1")
    connect(stub.url).get("/api/Party/1")
    assert stub.login_count == 1
    assert mode(tmp_path / "state") == "0o700"
    assert mode(tmp_path / "state/tokens") == "0o700"
    assert mode(tmp_path / "state/tokens/live.json") == "0o600"
    assert sorted(one.name for one in (tmp_path / "state/tokens").iterdir()) == ["live.json", "live.lock"]


def test_a_token_is_renewed_a_minute_before_it_ends(stub, site, clock):
    stub.will(OK, OK, OK)
    stub.logins.extend([login("first", 1199), login("second", 1199)])
    site.get("/api/Party/1")
    clock.time += 1130
    site.get("/api/Party/1")
    clock.time += 10
    site.get("/api/Party/1")
    assert [one.headers["Authorization"][7:] for one in stub.api] == ["first", "first", "second"]


def test_a_clock_that_was_set_back_far_makes_a_token_doubtful(stub, site, clock):
    stub.will(OK, OK)
    site.get("/api/Party/1")
    clock.time -= 3600
    site.get("/api/Party/1")
    assert stub.login_count == 2


@pytest.mark.parametrize("change", [{"username": "another"}, {"url": "/below"}], ids=["user", "url"])
def test_the_token_of_another_user_or_address_is_not_used(stub, connect, change):
    stub.will(OK, OK)
    connect(stub.url).get("/api/Party/1")
    changed = {**change, "url": stub.url + change.get("url", "")}
    connect(**changed).get("/api/Party/1")
    assert stub.login_count == 2


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"url": 1}', b'{"token": 5}', b"\xff"], ids=["empty", "cut", "list", "u", "t", "ff"]
)
def test_a_damaged_token_file_is_like_none(stub, connect, tmp_path, content):
    stub.will(OK, OK)
    connect(stub.url).get("/api/Party/1")
    (tmp_path / "state/tokens/live.json").write_bytes(content)
    connect(stub.url).get("/api/Party/1")
    assert stub.login_count == 2


def test_after_401_the_token_that_another_process_has_renewed_is_used(stub, connect):
    stub.logins.extend([login("first"), login("second"), login("third")])
    stub.will(OK, OK, DENIED, OK, DENIED, OK)
    one, two = connect(stub.url), connect(stub.url)
    one.get("/api/Party/1")
    two.get("/api/Party/2")
    one.get("/api/Party/3")  # refused, so it logs in
    two.get("/api/Party/4")  # refused, finds the new token
    assert stub.login_count == 2
    assert [asked.headers["Authorization"][7:] for asked in stub.api] == [
        "first", "first", "first", "second", "first", "second"
    ]  # fmt: skip


def test_when_all_tokens_were_purged_the_one_of_another_process_is_given_up_too(stub, connect):
    stub.logins.extend([login("first"), login("second"), login("third")])
    stub.will(OK, OK, DENIED, OK, DENIED, DENIED, OK)
    one, two = connect(stub.url), connect(stub.url)
    one.get("/api/Party/1")
    two.get("/api/Party/2")
    one.get("/api/Party/3")
    two.get("/api/Party/4")
    assert stub.login_count == 3


def test_many_threads_that_meet_a_dead_token_log_in_once(sandbox, live):
    live.definition("Activity")
    sandbox.tokens.revoke_all()
    sandbox.reset()
    threads = [threading.Thread(target=lambda: list(live.query("$/Idms/Members"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sandbox.calls["tokens"] == 1


def test_a_refused_login_is_said_clearly_and_tried_once_by_all_processes(stub, connect):
    stub.logins.extend([REFUSED] * 5)
    with pytest.raises(LoginRefused, match="refuses the login of idms-background: The user name or password is inc"):
        connect(stub.url).get("/api/Party/1")
    for _ in range(2):
        with pytest.raises(LoginRefused, match="not tried again, so that the account is not locked") as caught:
            connect(stub.url).get("/api/Party/1")
    assert "change the secret" in caught.value.hint
    assert stub.login_count == 1


def test_a_changed_password_is_tried_again(stub, connect):
    stub.logins.append(REFUSED)
    stub.will(OK)
    with pytest.raises(LoginRefused):
        connect(stub.url, password=lambda: "wrong").get("/api/Party/1")
    assert connect(stub.url, password=lambda: "right").get("/api/Party/1") == {"ok": True}
    assert stub.login_count == 2


def test_the_memory_of_a_refused_login_holds_no_password(stub, connect, tmp_path):
    stub.logins.append(REFUSED)
    with pytest.raises(LoginRefused):
        connect(stub.url, password=lambda: "c4nary").get("/api/Party/1")
    content = (tmp_path / "state/tokens/live.json").read_text()
    assert "c4nary" not in content
    assert json.loads(content)["refused"]["message"] == "The user name or password is incorrect"


@pytest.mark.parametrize(
    ("reply", "tries"),
    [
        pytest.param(Reply(403, b"<title>Blocked</title>"), 1, id="403-of-a-firewall"),
        pytest.param(Reply(200, b"<title>Welcome</title>"), 1, id="200-of-a-web-page"),
        pytest.param(Reply(200, {"hello": 1}), 1, id="200-without-token"),
        pytest.param(Reply(400, b"<title>Bad</title>"), 1, id="400-of-a-proxy"),
        pytest.param(Reply(502, b"<title>Bad</title>"), 5, id="502"),
    ],
)
def test_an_answer_that_is_not_of_the_login_does_not_mean_that_the_password_is_wrong(stub, site, reply, tries):
    stub.logins.extend([reply] * 5)
    with pytest.raises(Unreachable, match=f"POST /token answered {reply.status}, but not as the login"):
        site.get("/api/Party/1")
    assert stub.login_count == tries
    stub.logins.clear()
    stub.will(OK)
    assert site.get("/api/Party/1") == {"ok": True}


def test_another_error_of_the_login_is_not_remembered(stub, site):
    stub.logins.append(Reply(400, {"error": "unsupported_grant_type"}))
    with pytest.raises(SiteError, match="unsupported_grant_type"):
        site.get("/api/Party/1")
    stub.will(OK)
    assert site.get("/api/Party/1") == {"ok": True}


def test_a_state_directory_that_cannot_be_made_is_said_with_its_path(stub, connect, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(IdmsError, match="file/state"):
        connect(stub.url, state=tmp_path / "file" / "state").get("/api/Party/1")


def test_a_connection_may_have_any_name(stub, connect, tmp_path):
    stub.will(OK)
    connect(stub.url, name="../a/b").get("/api/Party/1")
    assert (tmp_path / "state/tokens/%2E.%2Fa%2Fb.json").exists()


def test_a_link_in_place_of_the_token_file_is_replaced_and_not_followed(stub, connect, tmp_path):
    (tmp_path / "state/tokens").mkdir(parents=True)
    (tmp_path / "precious").write_text("keep me")
    (tmp_path / "state/tokens/live.json").symlink_to(tmp_path / "precious")
    stub.will(OK)
    connect(stub.url).get("/api/Party/1")
    assert (tmp_path / "precious").read_text() == "keep me"
