"""The breaker: what the requests of one process tell all others about the connection."""

from pathlib import Path

import pytest

from idms_cli.errors import LoginRefused, RecordRefused, Unreachable
from idms_cli.imis.outages import OutageFile

from .stub import Reply

OK = Reply(200, {"ok": True})
FIREWALL = Reply(403, "<html>no</html>")
GONE = [Reply(503, "Service unavailable")] * 5
REFUSED = Reply(400, {"error": "invalid_grant", "error_description": "The user name or password is incorrect."})


def outages(tmp_path, stub):
    return OutageFile(tmp_path / "state", "live", url=stub.url, username="idms-background")


def test_a_first_request_in_vain_is_known_to_all_and_the_patient_do_not_ask_again(stub, connect, tmp_path, clock):
    stub.logins.append(FIREWALL)
    with pytest.raises(Unreachable):
        connect(stub.url).get("/api/Party/1")
    outage = outages(tmp_path, stub).current()
    assert outage is not None
    assert (outage.kind, outage.since, outage.tries, outage.next_try) == ("down", clock.time, 1, clock.time + 60)
    with pytest.raises(Unreachable, match="Connection live is down, and was not asked again: POST /token answered 403"):
        connect(stub.url, patient=True).get("/api/Party/1")
    assert len(stub.asked) == 1


def test_a_refused_login_is_known_to_all(stub, connect, tmp_path):
    stub.logins.append(REFUSED)
    with pytest.raises(LoginRefused):
        connect(stub.url).get("/api/Party/1")
    with pytest.raises(LoginRefused, match="The user name or password is incorrect"):
        connect(stub.url, patient=True).get("/api/Party/1")
    outage = outages(tmp_path, stub).current()
    assert outage is not None
    assert outage.kind == "refused"
    assert len(stub.asked) == 1


def test_whoever_insists_tries_it_and_an_answer_ends_the_outage(stub, connect, tmp_path, clock):
    file = outages(tmp_path, stub)
    file.failed(Unreachable("down"), clock.time - 100)
    stub.will(OK)
    connect(stub.url).get("/api/Party/1")
    assert file.current() is None
    over = file.read()
    assert over is not None
    assert over.back_at == clock.time


def test_an_answer_that_refuses_one_request_is_an_answer(stub, connect, tmp_path, clock):
    file = outages(tmp_path, stub)
    file.failed(Unreachable("down"), clock.time)
    stub.will(Reply(403, {"Message": "This user may not."}))
    connect(stub.url).knock()
    assert file.current() is None
    stub.will(Reply(404, {"Message": "Not here."}))
    with pytest.raises(RecordRefused):
        connect(stub.url).get("/api/Party/1")


def test_a_site_that_did_answer_is_down_after_two_requests_in_vain_in_a_row(stub, connect, tmp_path):
    file, site = outages(tmp_path, stub), connect(stub.url)
    stub.will(OK, *GONE, OK, *GONE)
    site.get("/api/Party/1")
    with pytest.raises(Unreachable):
        site.get("/api/Party/2")
    site.get("/api/Party/3")
    with pytest.raises(Unreachable):
        site.get("/api/Party/2")
    assert file.current() is None
    stub.will(*GONE, OK)
    with pytest.raises(Unreachable):
        site.get("/api/Party/2")
    assert file.current() is not None
    site.get("/api/Party/3")
    assert file.current() is None


def test_the_distance_between_two_tries_doubles_up_to_a_quarter_of_an_hour(tmp_path: Path) -> None:
    file = OutageFile(tmp_path, "live", url="https://a.example", username="idms")
    distances = []
    for _ in range(7):
        file.failed(Unreachable("down"), 5000)
        outage = file.current()
        assert outage is not None
        distances.append(outage.next_try - 5000)
    assert distances == [60, 120, 240, 480, 900, 900, 900]


def test_a_clock_that_was_set_back_does_not_put_the_next_try_off(tmp_path: Path) -> None:
    file = OutageFile(tmp_path, "live", url="https://a.example", username="idms")
    file.failed(Unreachable("down"), 5000)
    outage = file.current()
    assert outage is not None
    assert [outage.is_time(now) for now in (4000, 5001, 5059, 5060)] == [True, False, False, True]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"outage": 1}', b"\xff"])
def test_a_damaged_file_is_like_none(tmp_path: Path, content: bytes) -> None:
    file = OutageFile(tmp_path, "live", url="https://a.example", username="idms")
    file.failed(Unreachable("down"), 5000)
    (tmp_path / "connections/live.json").write_bytes(content)
    assert file.current() is None
