"""One request until it is answered, over real HTTP."""

import gzip
from decimal import Decimal
from pathlib import Path

import pytest

from idms_cli.errors import InputError, LoginRefused, OutcomeUnknown, RecordRefused, SiteError, Unreachable

from .stub import Reply, stub_site

ADMINISTRATOR = {"Message": "An error occurred. Please contact the administrator."}
DENIED = {"Message": "Authorization has been denied for this request."}
OK = Reply(200, {"ok": True})
CERTIFICATES = Path(__file__).parent / "certificates"


def test_a_request_carries_the_token_and_its_data_encoded(stub, site):
    stub.will(OK)
    assert site.get("/api/Party", [("Email", "eq:a+b&c@example.org"), ("LastName", "eq:O'Brien|Núñez")]) == {"ok": True}
    asked = stub.api[0]
    assert asked.headers["Authorization"] == "Bearer token-1"
    assert asked.target == "/api/Party?Email=eq%3Aa%2Bb%26c%40example.org&LastName=eq%3AO%27Brien%7CN%C3%BA%C3%B1ez"


def test_a_body_is_sent_as_json_with_its_members_in_order(stub, site):
    stub.will(Reply(201, {"Id": "1"}))
    assert site.post("/api/Party", {"$type": "T", "Name": "Zoë"}) == {"Id": "1"}
    assert stub.api[0].content == b'{"$type": "T", "Name": "Zo\\u00eb"}'
    assert stub.api[0].headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_read_is_repeated_while_the_site_is_in_trouble(stub, site, clock, status):
    stub.will(Reply(status, ADMINISTRATOR), Reply(status, ADMINISTRATOR), OK)
    assert site.get("/api/Party/1") == {"ok": True}
    assert len(clock.slept) == 2
    assert site.calls.snapshot().retries == 2


def test_a_read_is_repeated_when_the_connection_breaks(stub, site):
    stub.will(Reply(cut=True), OK)
    assert site.get("/api/Party/1") == {"ok": True}


def test_a_read_that_never_gets_an_answer_ends_as_unreachable(stub, site):
    stub.will(*[Reply(503, b"<title>Down</title>")] * 5)
    with pytest.raises(Unreachable, match="GET /api/Party/1: 503 Service unavailable: Down"):
        site.get("/api/Party/1")
    assert len(stub.api) == 5


def test_retry_after_is_obeyed(stub, site, clock):
    stub.will(Reply(429, headers={"Retry-After": "7"}), OK)
    site.get("/api/Party/1")
    assert clock.slept == [7.0]


def test_nobody_waits_longer_than_five_minutes_for_one_answer(stub, site, clock):
    stub.will(*[Reply(429, headers={"Retry-After": "3600"})] * 5)
    with pytest.raises(Unreachable):
        site.get("/api/Party/1")
    assert clock.slept == [120.0, 120.0]


def test_a_site_that_is_not_there_is_unreachable_and_was_tried_some_times(connect, clock):
    with stub_site() as gone:
        url = gone.url
    with pytest.raises(Unreachable, match=r"no connection to 127\.0\.0\.1"):
        connect(url).get("/api/Party/1")
    assert len(clock.slept) == 4


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(Reply(500, ADMINISTRATOR), id="500"),
        pytest.param(Reply(502), id="502"),
        pytest.param(Reply(503), id="503-without-retry-after"),
        pytest.param(Reply(504), id="504"),
        pytest.param(Reply(cut=True), id="cut"),
        pytest.param(Reply(201, b"<html>"), id="stored-but-not-json"),
        pytest.param(Reply(201), id="stored-but-empty"),
    ],
)
def test_a_post_without_a_clear_answer_is_unknown_and_never_repeated(stub, site, reply):
    stub.will(reply, OK)
    with pytest.raises(OutcomeUnknown) as caught:
        site.post("/api/Party", {"$type": "T"})
    assert len(stub.api) == 1
    assert caught.value.status == (None if reply.cut else reply.status)


def test_a_post_that_gets_no_answer_in_time_is_unknown_and_never_repeated(stub, connect):
    stub.will(OK, Reply(hang=True), OK)
    site = connect(stub.url, timeout_s=0.5)
    site.get("/api/Party/1")
    with pytest.raises(OutcomeUnknown, match=r"POST /api/Party: 127\.0\.0\.1:\d+ did not answer within the time limit"):
        site.post("/api/Party", {"$type": "T"})
    assert len(stub.api) == 2


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(Reply(401, DENIED), id="401"),
        pytest.param(Reply(429), id="429"),
        pytest.param(Reply(503, headers={"Retry-After": "1"}), id="503-with-retry-after"),
    ],
)
def test_a_post_is_repeated_when_it_was_certainly_not_carried_out(stub, site, reply):
    stub.logins.extend([Reply(200, {"access_token": "a"}), Reply(200, {"access_token": "b"})])
    stub.will(reply, Reply(201, {"Id": "1"}))
    assert site.post("/api/Party", {"$type": "T"}) == {"Id": "1"}
    assert len(stub.api) == 2


@pytest.mark.parametrize("reply", [Reply(500, ADMINISTRATOR), Reply(502), Reply(cut=True)], ids=["500", "502", "cut"])
def test_a_put_of_a_whole_object_is_tried_three_times(stub, site, reply):
    stub.will(reply, reply, OK)
    assert site.put("/api/Party/1", {"$type": "T"}) == {"ok": True}
    stub.will(reply, reply, reply)
    with pytest.raises(OutcomeUnknown):
        site.put("/api/Party/1", {"$type": "T"})
    assert len(stub.api) == 6


def test_a_put_may_have_an_empty_answer(stub, site):
    stub.will(Reply(200))
    assert site.put("/api/Party/1", {"$type": "T"}) is None


def test_a_refused_record_is_not_tried_again(stub, site):
    stub.will(Reply(400, {"Message": "Bad."}))
    with pytest.raises(RecordRefused, match="400 Bad request: Bad"):
        site.put("/api/Party/1", {"$type": "T"})
    assert len(stub.api) == 1


def test_a_redirect_is_not_followed(stub, site):
    stub.will(Reply(302, headers={"Location": f"{stub.url}/elsewhere"}))
    with pytest.raises(SiteError, match="sends to another address"):
        site.get("/api/Party/1")
    assert [one.path for one in stub.api] == ["/api/Party/1"]


def test_after_401_a_new_token_is_fetched_and_the_request_repeated_once(stub, site):
    stub.logins.extend([Reply(200, {"access_token": "old"}), Reply(200, {"access_token": "new"})])
    stub.will(Reply(401, DENIED), OK)
    assert site.get("/api/Party/1") == {"ok": True}
    assert [one.headers["Authorization"] for one in stub.api] == ["Bearer old", "Bearer new"]
    assert stub.login_count == 2


def test_a_second_401_ends_the_work_with_both_possible_reasons(stub, site):
    stub.logins.extend([Reply(200, {"access_token": "old"}), Reply(200, {"access_token": "new"})])
    stub.will(Reply(401, DENIED), Reply(401, DENIED))
    with pytest.raises(LoginRefused, match="refuses idms-background even with a new token") as caught:
        site.get("/api/Party/1")
    assert "may not do that" in caught.value.hint
    assert "a user of its own" in caught.value.hint
    assert len(stub.api) == 2


def test_the_environments_proxy_is_not_used(stub, site, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    stub.will(OK)
    assert site.get("/api/Party/1") == {"ok": True}


def test_calls_are_counted_by_verb(stub, site):
    stub.will(OK, OK, Reply(200))
    site.get("/api/Party/1")
    site.put("/api/Party/1", {})
    site.delete("/api/Party/1")
    calls = site.calls.snapshot()
    assert (calls.get, calls.post, calls.put, calls.delete, calls.token, calls.retries) == (1, 0, 1, 1, 1, 0)


def test_neither_password_nor_token_nor_data_get_into_log_or_errors(stub, connect, log):
    site = connect(stub.url, password=lambda: "c4nary+pass&word")
    stub.logins.append(Reply(200, {"access_token": "c4nary-token"}))
    stub.will(Reply(503), OK, Reply(500, ADMINISTRATOR))
    site.get("/api/Party", [("Email", "eq:c4nary@example.org")])
    with pytest.raises(OutcomeUnknown) as caught:
        site.post("/api/Party", {"Name": "c4nary"})
    assert "c4nary" not in "\n".join([*log, repr(caught.value), repr(site.access)])
    assert log[0].startswith("POST /token 200 ")
    assert stub.asked[0].content == (b"grant_type=password&username=idms-background&password=c4nary%2Bpass%26word")


def test_a_private_authority_can_be_named(connect):
    with stub_site(CERTIFICATES / "server.pem") as secure:
        secure.will(OK)
        site = connect(secure.url, ca_file=CERTIFICATES / "authority.pem")
        assert site.get("/api/Party/1") == {"ok": True}


def test_an_untrusted_certificate_is_refused_at_once_with_a_hint(connect, clock):
    with stub_site(CERTIFICATES / "server.pem") as secure:
        with pytest.raises(Unreachable, match="is not trusted: self-signed certificate") as caught:
            connect(secure.url).get("/api/Party/1")
        assert secure.asked == []
    assert "ca_file:" in caught.value.hint
    assert clock.slept == []


def test_an_authority_file_that_is_not_there_is_the_users_mistake(connect, tmp_path):
    with pytest.raises(InputError, match=r"missing\.pem cannot be used"):
        connect("https://members.example.org", ca_file=tmp_path / "missing.pem")


@pytest.mark.parametrize(
    "url", ["", "https://", "ftp://x.example", "https://user@x.example", "https://x.example?a=b", "https://x:y"]
)
def test_something_that_is_no_address_of_a_site_is_the_users_mistake(connect, url):
    with pytest.raises(InputError, match="url of connection live"):
        connect(url)


def test_the_password_is_never_sent_unencrypted_over_a_network(connect):
    with pytest.raises(InputError, match=r"http://members\.example\.org would send the password"):
        connect("http://members.example.org")


def test_a_site_may_lie_below_a_path(stub, connect):
    stub.will(OK)
    connect(f"{stub.url}/Asi.Scheduler_Live/").get("/api/Party/1")
    assert stub.asked[0].path == "/Asi.Scheduler_Live/token"
    assert stub.asked[1].path == "/Asi.Scheduler_Live/api/Party/1"


def test_a_cookie_that_ties_us_to_one_server_of_a_farm_is_sent_back(stub, site):
    stub.will(Reply(200, {}, {"Set-Cookie": "ARRAffinity=server-2; Path=/; HttpOnly"}), OK, OK)
    for _ in range(3):
        site.get("/api/Party/1")
    assert [asked.headers.get("Cookie") for asked in stub.api] == [None, "ARRAffinity=server-2", "ARRAffinity=server-2"]


def test_a_compressed_answer_is_read_and_a_broken_one_is_no_answer(stub, site):
    packed = gzip.compress(b'{"ok": true}')
    stub.will(Reply(200, packed, {"Content-Encoding": "gzip"}))
    assert site.get("/api/Party/1") == {"ok": True}
    assert stub.api[0].headers["Accept-Encoding"] == "gzip, deflate"
    stub.will(*[Reply(200, b"no gzip", {"Content-Encoding": "gzip"})] * 5)
    with pytest.raises(Unreachable, match="broke"):
        site.get("/api/Party/1")


def test_what_nobody_wanted_to_change_is_written_back_to_the_last_digit(stub, site):
    stub.will(Reply(200, b'{"Fee": 1.50, "Much": 922337203685477.5807, "Count": 7, "Name": "\\u00e9"}'), Reply(200, {}))
    body = site.get("/api/Thing/1")
    assert body["Much"] == Decimal("922337203685477.5807")
    site.put("/api/Thing/1", body)
    assert stub.api[1].content == rb'{"Fee": 1.5, "Much": "922337203685477.5807", "Count": 7, "Name": "\u00e9"}'
