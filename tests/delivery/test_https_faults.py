"""A web server that does wrong: what is told, what is sent again, and that nothing is doubled."""

import socket
import ssl
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from idms_cli.errors import DeliveryRefused, IdmsError, Interrupted, LoginRefused, OutcomeUnknown, Unreachable
from tests.delivery.cargo import delivery, destination, sample
from tests.delivery.receiver import YES, Receiver, Says, Taken, receiver, refuses
from tests.delivery.sending import EACH, Sending, rows

STORED_500 = Says(500)
CUT_AFTER_STORING = Says(then="cut")
CUT = Says(stores=False, then="cut")
STILL = Says(then="still")
DRIP = Says(then="drip")


@pytest.fixture
def sending(web: Receiver, tmp_path: Path) -> Sending:
    return Sending(web, tmp_path)


def told(error: IdmsError) -> tuple[type[IdmsError], str, str]:
    return type(error), str(error), error.hint


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_login_is_tried_once_and_the_rest_is_sent_when_it_is_mended(
    sending: Sending, web: Receiver, status: int
) -> None:
    web.decide = lambda taken: (
        YES if taken.headers.get("Authorization") == "Bearer right" else refuses(status, "bad token")
    )
    error = sending.fails(rows(5), auth={"bearer": sending.secret("wrong")}, **EACH)
    assert told(error) == (
        LoginRefused,
        f"POST {web.url}/in: the server lets nobody in like this ({status}, bad token).",
        "Check `auth:` of the step, and its secret; then run the job again.",
    )
    assert (len(web.asked), web.stored, sending.states()) == (1, [], ["pending"])
    assert sending.deliver(rows(5), auth={"bearer": sending.secret("right")}, **EACH).items == 5
    assert set(web.effects().values()) == {1}


def test_a_certificate_of_nobody_who_is_trusted_is_refused(secure: Receiver, tmp_path: Path) -> None:
    sending = Sending(secure, tmp_path)
    error = sending.fails(rows(2), ca_file=None, **EACH)
    assert isinstance(error, Unreachable)
    assert "the certificate of the server is not trusted" in str(error)
    assert "`ca_file:`" in error.hint
    assert secure.asked == []
    assert sending.deliver(rows(2), **EACH).items == 2


def test_a_certificate_for_another_name_is_refused(tmp_path: Path) -> None:
    with receiver(tmp_path, host="partner.example.net") as other:
        error = Sending(other, tmp_path).fails(rows(1), **EACH)
        assert "the certificate of the server is not trusted" in str(error)
        assert other.asked == []


def test_a_server_that_is_not_there_is_tried_again_and_then_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    web = Receiver(f"http://127.0.0.1:{port}", Path("none"))
    sending = Sending(web, tmp_path)
    error = sending.fails(rows(2), **EACH)
    assert told(error) == (
        Unreachable,
        f"POST {web.url}/in: no connection: Connection refused.",
        "Is the server up, and the address right?",
    )
    assert sending.states() == ["pending"]


@pytest.mark.parametrize("fault", [STORED_500, CUT_AFTER_STORING, Says(502), Says(503), Says(504)], ids=repr)
def test_a_row_whose_answer_is_lost_is_unknown_the_others_are_sent_and_it_is_never_sent_again(
    sending: Sending, web: Receiver, fault: Says
) -> None:
    web.decide = lambda taken: fault if taken.json()["ID"] == "102" else YES
    error = sending.fails(rows(4), **EACH)
    assert isinstance(error, OutcomeUnknown)
    assert f"POST {web.url}/in: 1 of 4 requests got no clear answer. Request 2: " in str(error)
    assert "it may have been carried out" in str(error)
    assert error.hint.endswith(f"Their 1 rows are in {sending.directory}/step/undelivered.csv.")
    assert sending.states() == ["done", "unknown", "done", "done"]
    assert [(one["ID"], one["_state"]) for one in sending.table("undelivered.csv")] == [("102", "unknown")]
    web.decide = lambda taken: YES
    assert isinstance(sending.fails(rows(4), **EACH), OutcomeUnknown)
    assert set(web.effects().values()) == {1}
    assert len(web.asked) == 4


@pytest.mark.parametrize("fault", [STILL, DRIP], ids=["it stands still", "a byte at a time"])
def test_a_server_that_is_slow_to_death_is_left_in_time(sending: Sending, web: Receiver, fault: Says) -> None:
    web.decide = lambda taken: fault if taken.json()["ID"] == "102" else YES
    error = sending.fails(rows(3), silence="1s", **EACH)
    assert isinstance(error, OutcomeUnknown)
    assert "Request 2: nothing came within the time limit; it may have been carried out." in str(error)
    assert sending.states() == ["done", "unknown", "done"]


@pytest.mark.parametrize("how", ["PUT", "DELETE", "idempotency_key"])
def test_a_lost_answer_is_asked_for_again_where_that_does_no_harm(sending: Sending, web: Receiver, how: str) -> None:
    web.script(YES, CUT_AFTER_STORING, STORED_500, refuses(404) if how == "DELETE" else YES)
    keys: dict[str, Any] = {"idempotency_key": True} if how == "idempotency_key" else {"method": how}
    assert sending.deliver(rows(3), "/m/{{ row.ID }}", **keys, **EACH).items == 3
    assert sending.states() == ["done"] * 3
    if how == "idempotency_key":
        assert set(web.effects().values()) == {1}


def test_what_fails_again_and_again_is_told_and_sent_once_more_by_the_next_attempt(
    sending: Sending, web: Receiver
) -> None:
    web.decide = lambda taken: Says(500, stores=False) if taken.json()["ID"] == "102" else YES
    error = sending.fails(rows(3), "/m/{{ row.ID }}", method="PUT", **EACH)
    assert told(error) == (
        Unreachable,
        f"PUT {web.url}/m/{{{{ row.ID }}}}: 1 of 3 requests failed. Request 2: 500.",
        "What failed is sent once more when the step is tried again (`retry:`).",
    )
    assert [taken.path for taken in web.asked] == ["/m/101", "/m/102", "/m/102", "/m/102", "/m/103"]
    web.decide = lambda taken: YES
    assert sending.deliver(rows(3), "/m/{{ row.ID }}", method="PUT", **EACH).items == 3
    assert sending.table("undelivered.csv") == []


def test_a_repeatable_request_ends_the_delivery_when_the_server_is_away(sending: Sending, web: Receiver) -> None:
    web.decide = lambda taken: CUT_AFTER_STORING
    error = sending.fails(rows(5), "/m/{{ row.ID }}", method="PUT", **EACH)
    assert told(error)[:2] == (
        Unreachable,
        f"PUT {web.url}/m/101: the connection ended before the answer was whole, 3 times.",
    )
    assert sending.states() == ["unknown"]


def test_several_lost_answers_in_a_row_say_that_the_server_is_down(sending: Sending, web: Receiver) -> None:
    web.decide = lambda taken: CUT_AFTER_STORING
    error = sending.fails(rows(20), **EACH)
    assert told(error)[:2] == (
        Unreachable,
        "3 requests in a row got no clear answer (the connection ended before the answer was whole; "
        "it may have been carried out), and no more are sent.",
    )
    assert sending.states() == ["unknown"] * 3
    web.decide = lambda taken: YES
    assert isinstance(sending.fails(rows(20), **EACH), OutcomeUnknown)
    assert sending.states() == ["unknown"] * 3 + ["done"] * 17
    assert set(web.effects().values()) == {1}


def test_a_file_that_is_cut_off_in_the_middle_was_not_taken_and_is_sent_again(
    sending: Sending, web: Receiver, tmp_path: Path
) -> None:
    cargo = sample(tmp_path, size=20_000_000)
    web.early = lambda path, headers: Says(stores=False, reads=1000, then="cut")
    error = sending.fails(cargo, format="csv", file="members.csv")
    assert isinstance(error, Unreachable)
    assert sending.states() == ["pending"]
    web.early = lambda path, headers: None
    assert sending.deliver(cargo, format="csv", file="members.csv").items == 1
    assert [len(taken.body) for taken in web.stored] == [20_000_000]


def test_a_file_whose_answer_is_lost_is_unknown_and_never_sent_again(
    sending: Sending, web: Receiver, tmp_path: Path
) -> None:
    web.decide = lambda taken: CUT_AFTER_STORING
    for _ in range(2):
        error = sending.fails(sample(tmp_path), format="csv", file="members.csv")
        assert told(error) == (
            OutcomeUnknown,
            f"POST {web.url}/in: the connection ended before the answer was whole; it may have been carried out.",
            "Ask those whose server it is what has come. It is not sent again by itself: that needs an "
            "`idempotency_key:` that the server heeds.",
        )
    assert len(web.asked) == 1


def test_a_file_that_is_too_large_is_refused_before_it_was_read(
    sending: Sending, web: Receiver, tmp_path: Path
) -> None:
    web.early = lambda path, headers: refuses(413, "at most 1 MB", Connection="close")
    error = sending.fails(sample(tmp_path, size=10_000_000), format="csv", file="members.csv")
    assert told(error) == (
        DeliveryRefused,
        f"POST {web.url}/in: refused: 413, at most 1 MB.",
        "Look at the address and the format.",
    )


def test_a_server_without_room_ends_the_delivery_which_goes_on_when_there_is_some(
    sending: Sending, web: Receiver
) -> None:
    web.script(YES, refuses(507, "quota"))
    error = sending.fails(rows(3), **EACH)
    assert told(error) == (
        DeliveryRefused,
        f"POST {web.url}/in: the server does not take it: 507, quota.",
        "Somebody has to make room there; then run the job again.",
    )
    assert sending.states() == ["done", "pending"]
    assert sending.deliver(rows(3), **EACH).items == 3
    assert set(web.effects().values()) == {1}


@pytest.mark.parametrize(("status", "headers"), [(429, {"Retry-After": "0"}), (429, {}), (503, {"Retry-After": "1"})])
def test_a_server_that_wants_a_pause_gets_it(
    sending: Sending, web: Receiver, status: int, headers: dict[str, str]
) -> None:
    web.script(YES, refuses(status, **headers), refuses(status, **headers))
    assert sending.deliver(rows(3), **EACH).items == 3
    assert len(web.asked) == 5
    assert set(web.effects().values()) == {1}


def test_a_server_that_wants_a_long_pause_is_left_alone(sending: Sending, web: Receiver) -> None:
    web.script(refuses(429, "slow down", Retry_After="86400"))
    error = sending.fails(rows(3), **EACH)
    assert told(error) == (
        Unreachable,
        f"POST {web.url}/in: the server answers 429, slow down, and asks to be left alone for 86400 s.",
        "Less at a time: `rate:`. Later: `retry:` of the step.",
    )
    assert (len(web.asked), sending.states()) == (1, ["pending"])


def test_a_server_that_never_has_time_is_asked_five_times(sending: Sending, web: Receiver) -> None:
    web.decide = lambda taken: refuses(429, Retry_After="0")
    assert isinstance(sending.fails(rows(3), **EACH), Unreachable)
    assert len(web.asked) == 5


@pytest.mark.parametrize("status", [301, 307, 308])
def test_a_redirect_is_not_followed_and_told_without_what_may_be_secret(
    sending: Sending, web: Receiver, status: int
) -> None:
    web.decide = lambda taken: refuses(status, Location="https://u:p@new.example.net/in?key=hunter2")
    error = sending.fails(rows(3), **EACH)
    assert told(error) == (
        DeliveryRefused,
        f"POST {web.url}/in: the server redirects ({status}) to https://new.example.net/in, "
        "and what is sent does not follow.",
        "Name the right address in `to:`.",
    )
    assert (len(web.asked), sending.states()) == (1, ["pending"])


@pytest.mark.parametrize("status", [302, 303])
def test_a_redirect_that_may_mean_yes_is_no_yes_unless_the_step_says_so(
    sending: Sending, web: Receiver, status: int
) -> None:
    web.decide = lambda taken: Says(status, headers={"Location": "/done"})
    error = sending.fails(rows(3), **EACH)
    assert isinstance(error, OutcomeUnknown)
    assert f"redirects ({status}) to {web.url}/done" in str(error)
    assert f"`expect: [2xx, {status}]`" in error.hint
    assert sending.states() == ["unknown"]
    other = Sending(web, sending.directory / "other")
    other.directory.mkdir()
    assert other.deliver(rows(3, first=201), expect=["2xx", status], **EACH).items == 3


def test_rows_that_the_server_refuses_are_told_and_the_others_are_sent(sending: Sending, web: Receiver) -> None:
    def decide(taken: Taken) -> Says:
        number = int(taken.json()["ID"])
        return refuses(422, f"no member {number}\x1b[31m") if number % 2 else YES

    web.decide = decide
    receipt = sending.deliver(rows(10), **EACH)
    assert (receipt.items, receipt.refused, receipt.counts) == (5, 5, {"records": 5})
    assert [one["_reason"] for one in sending.table("undelivered.csv")][:1] == ["422, no member 101\\x1b[31m"]
    assert sending.log[1] == "request 1 is refused: 422, no member 101\\x1b[31m"
    assert sending.deliver(rows(10), **EACH).refused == 5
    assert len(web.asked) == 10


def test_refused_rows_are_sent_again_by_a_run_that_does_the_rest(sending: Sending, web: Receiver) -> None:
    web.decide = lambda taken: refuses(422) if taken.json()["ID"] == "102" else YES
    assert sending.deliver(rows(3), **EACH).refused == 1
    web.decide = lambda taken: YES
    rest = destination(sending.step(**EACH), sending.directory)
    assert rest.deliver(rows(3), replace(delivery(sending.directory), run_id=8)).refused == 0
    assert [taken.json()["ID"] for taken in web.asked] == ["101", "102", "103", "102"]
    assert set(web.effects().values()) == {1}


def test_a_step_may_say_that_its_requests_can_come_twice(sending: Sending, web: Receiver) -> None:
    web.script(CUT_AFTER_STORING)
    assert sending.deliver(rows(2), repeatable=True, **EACH).items == 2
    assert web.effects() == {"101": 2, "102": 1}
    other = Sending(web, sending.directory / "other")
    other.directory.mkdir()
    web.script(CUT_AFTER_STORING)
    assert isinstance(other.fails(rows(2), "/m/{{ row.ID }}", method="PUT", repeatable=False, **EACH), OutcomeUnknown)


def test_a_refused_batch_is_told_with_all_its_rows(sending: Sending, web: Receiver) -> None:
    web.script(YES, refuses(400, "row 1 is wrong"), YES)
    receipt = sending.deliver(rows(5), batch=2)
    assert (receipt.items, receipt.refused) == (2, 2)
    assert [(one["ID"], one["_request"]) for one in sending.table("undelivered.csv")] == [("103", "2"), ("104", "2")]


def test_a_delivery_of_which_nothing_is_taken_is_refused(sending: Sending, web: Receiver) -> None:
    web.decide = lambda taken: refuses(400, "what is this?")
    error = sending.fails(rows(3), **EACH)
    assert told(error)[:2] == (
        DeliveryRefused,
        f"POST {web.url}/in: all 3 requests were refused. Request 1: 400, what is this?.",
    )


@pytest.mark.parametrize(("limit", "sent"), [(2, 3), ("25%", 6)])
def test_no_more_is_sent_when_too_many_rows_are_refused(
    sending: Sending, web: Receiver, limit: int | str, sent: int
) -> None:
    web.decide = lambda taken: refuses(400, "no")
    error = sending.fails(rows(20), max_refused=limit, **EACH)
    assert told(error)[:2] == (
        DeliveryRefused,
        f"{sent} of 20 rows were refused or are unknown, more than `max_refused: {limit}` allows: 400, no.",
    )
    assert len(web.asked) == sent
    assert isinstance(sending.fails(rows(20), max_refused=limit, **EACH), DeliveryRefused)


def test_a_run_that_is_stopped_goes_on_where_it_was(sending: Sending, web: Receiver) -> None:
    def stopping() -> bool:
        return len(web.asked) >= 3

    with pytest.raises(Interrupted):
        sending.deliver(rows(10), stopping=stopping, **EACH)
    assert sending.states() == ["done"] * 3
    assert sending.deliver(rows(10), **EACH).items == 10
    assert set(web.effects().values()) == {1}


def test_a_run_that_is_stopped_in_a_pause_ends(sending: Sending, web: Receiver) -> None:
    web.script(refuses(429, Retry_After="100"))
    with pytest.raises(Interrupted):
        sending.deliver(rows(10), stopping=lambda: bool(web.asked), **EACH)
    assert sending.states() == ["pending"]


def test_a_delivery_that_is_broken_off_waits_for_no_answer_and_notes_what_was_on_its_way(
    sending: Sending, web: Receiver
) -> None:
    class BrokenOff(BaseException):
        """As a time limit does it."""

    def stopping() -> bool:
        if len(web.asked) >= 5:
            raise BrokenOff
        return False

    web.decide = lambda taken: STILL if taken.json()["ID"] == "102" else YES
    with pytest.raises(BrokenOff):
        sending.deliver(rows(50), stopping=stopping, concurrency=2, silence="1h", **EACH)
    states = sending.states()
    assert states[1] == "unknown"
    assert set(states) <= {"done", "unknown"}
    assert states.count("done") >= 3
    web.decide = lambda taken: YES
    assert isinstance(sending.fails(rows(50), **EACH), OutcomeUnknown)
    assert set(web.effects().values()) == {1}


def test_a_step_that_cuts_rows_otherwise_than_it_began_is_refused(sending: Sending, web: Receiver) -> None:
    web.script(YES, refuses(507))
    sending.fails(rows(4), batch=2)
    error = sending.fails(rows(4), batch=3)
    assert "the step was changed since this delivery began" in str(error)
    assert len(web.asked) == 2


def test_a_server_that_speaks_no_http_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        web = Receiver(f"https://127.0.0.1:{listening.getsockname()[1]}", tmp_path / "none.pem")
        web.ca_file.write_text(ssl.DER_cert_to_PEM_cert(b"x"))
        error = Sending(web, tmp_path).fails(rows(1), **EACH)
        assert f"The authority file {web.ca_file} cannot be used" in str(error)
