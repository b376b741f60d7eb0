"""A mail server that does wrong: what is told, and that nobody gets a mail twice or none without a word."""

import os
import signal
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from idms_cli.errors import (
    DeliveryRefused,
    IdmsError,
    InputError,
    Interrupted,
    LoginRefused,
    OutcomeUnknown,
    Unreachable,
)
from tests.conftest import until
from tests.delivery.cargo import delivery, destination, sample
from tests.delivery.mailing import DONE, OPS, ZOE, Mailing
from tests.delivery.nursery import nursery
from tests.delivery.postoffice import USER, PostOffice, post_office
from tests.delivery.receiver import Receiver, Says
from tests.delivery.sending import rows


@pytest.fixture
def mailing(office: PostOffice, tmp_path: Path) -> Mailing:
    return Mailing(office, tmp_path)


def told(error: IdmsError) -> tuple[type[IdmsError], str, str]:
    return type(error), str(error), error.hint


def where(office: PostOffice) -> str:
    return f"mail server 127.0.0.1:{office.port}"


@pytest.mark.parametrize("ways", ["PLAIN", "LOGIN", "PLAIN LOGIN"])
def test_a_refused_login_is_tried_once(tmp_path: Path, ways: str) -> None:
    with post_office(tmp_path, ways=ways) as office:
        mailing = Mailing(office, tmp_path)
        error = mailing.fails(rows(1), server={"password": mailing.secret("hunter2")})
        assert told(error) == (
            LoginRefused,
            f"{where(office)} refuses the login of {USER}: 535 5.7.8 no such login.",
            "Check `user:` and its secret; then run the job again.",
        )
        assert (office.logins, office.mails) == ([USER], [])
        assert mailing.deliver(rows(1)).items == 1


def test_a_token_that_is_not_good_is_refused(tmp_path: Path, web: Receiver) -> None:
    web.decide = lambda taken: Says(200, b'{"access_token": "another-token-of-mail", "expires_in": 3600}')
    with post_office(tmp_path, ways="XOAUTH2") as office:
        mailing = Mailing(office, tmp_path)
        oauth = {"token_url": f"{web.url}/token", "client_id": "a", "client_secret": mailing.secret("b")}
        error = mailing.fails(rows(1), server={"password": None, "oauth2": oauth})
        assert told(error)[:2] == (
            LoginRefused,
            f"{where(office)} refuses the login of {USER}: 535 5.7.3 the token is not good.",
        )
        assert office.logins == [USER]


def test_a_server_with_no_way_to_log_in_that_is_known_is_told(tmp_path: Path) -> None:
    with post_office(tmp_path, ways="XOAUTH2") as office:
        error = Mailing(office, tmp_path).fails(rows(1))
        assert told(error)[:2] == (
            InputError,
            f"{where(office)} offers no way to log in that idms knows (it offers: XOAUTH2).",
        )
        assert office.logins == []


def test_a_server_that_lets_nobody_in_for_now_is_tried_later(mailing: Mailing, office: PostOffice) -> None:
    office.faults.login = "454 4.7.0 the directory is away"
    error = mailing.fails(rows(1))
    assert told(error)[:2] == (
        Unreachable,
        f"{where(office)}: nobody is let in now: 454 4.7.0 the directory is away.",
    )


def test_a_server_that_wants_a_login_says_so(mailing: Mailing, office: PostOffice) -> None:
    office.faults.sender = "530 5.7.0 log in first"
    error = mailing.fails(rows(1), server={"user": None, "password": None})
    assert told(error)[:2] == (
        LoginRefused,
        f"{where(office)}: it takes no mail from members@example.org: 530 5.7.0 log in first.",
    )


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
@pytest.mark.parametrize("host", ["127.0.0.1", "post.example.net"])
def test_a_certificate_that_is_not_trusted_or_of_another_name_is_refused(tmp_path: Path, tls: str, host: str) -> None:
    with post_office(tmp_path, tls=tls, host=host) as office:
        server = {"tls": tls, **({"ca_file": None} if host == "127.0.0.1" else {})}
        error = Mailing(office, tmp_path).fails(rows(1), server=server)
        assert isinstance(error, Unreachable)
        assert f"{where(office)}: the certificate of the server is not trusted: " in str(error)
        assert "`ca_file:`" in error.hint
        assert (office.logins, office.mails) == ([], [])


def test_nothing_is_sent_in_the_open_to_a_server_without_starttls(tmp_path: Path) -> None:
    with post_office(tmp_path, tls="none") as office:
        error = Mailing(office, tmp_path).fails(rows(1))
        assert told(error)[:2] == (
            InputError,
            f"{where(office)} does not offer STARTTLS, and nothing is sent in the open.",
        )
        assert office.logins == []


def test_a_full_mailbox_refuses_the_mail(mailing: Mailing, office: PostOffice) -> None:
    office.faults.content = "552 5.2.2 over quota"
    error = mailing.fails(rows(1))
    assert told(error) == (
        DeliveryRefused,
        f"{where(office)}: it does not take the mail: 552 5.2.2 over quota.",
        "Send less, or have room made.",
    )
    assert mailing.states() == {OPS: "pending", ZOE: "pending"}
    office.faults.content = ""
    mailing.deliver(rows(1))
    assert (len(office.mails), mailing.states()) == (1, DONE)


def test_a_mail_that_is_larger_than_the_server_takes_is_not_even_begun(tmp_path: Path) -> None:
    with post_office(tmp_path, size=50_000) as office:
        error = Mailing(office, tmp_path).fails(sample(tmp_path, size=60_000), file="x.csv")
        assert isinstance(error, DeliveryRefused)
        assert "and the server takes 50,000." in str(error)
        assert office.mails == []


@pytest.mark.parametrize(
    ("faults", "kind"),
    [
        ({"cut_in_content": True}, Unreachable),
        ({"content": "451 4.3.0 later"}, Unreachable),
        ({"sender": "421 4.3.2 closing"}, Unreachable),
        ({"sender": "550 5.1.0 not you"}, DeliveryRefused),
        ({"content": "554 5.6.0 spam"}, DeliveryRefused),
    ],
    ids=str,
)
def test_what_the_server_certainly_does_not_have_is_sent_by_the_next_attempt(
    mailing: Mailing, office: PostOffice, tmp_path: Path, faults: dict[str, Any], kind: type[IdmsError]
) -> None:
    for name, value in faults.items():
        setattr(office.faults, name, value)
    cargo = sample(tmp_path, size=3_000_000 if "cut_in_content" in faults else 3_000)
    assert isinstance(mailing.fails(cargo, file="x.csv"), kind)
    assert office.mails == []
    for name, value in faults.items():
        setattr(office.faults, name, type(value)())
    mailing.deliver(cargo, file="x.csv")
    assert (len(office.mails), mailing.states()) == (1, DONE)


@pytest.mark.parametrize(
    ("faults", "reason"),
    [
        ({"cut_after": "keeping"}, "the connection ended before the server said whether it has the mail"),
        ({"cut_after": "losing"}, "the connection ended before the server said whether it has the mail"),
        ({"still": "end"}, "nothing came within the time limit"),
        ({"drip": True}, "nothing came within the time limit"),
    ],
    ids=str,
)
def test_a_mail_that_the_server_may_have_is_unknown_and_never_sent_again(
    mailing: Mailing, office: PostOffice, faults: dict[str, Any], reason: str
) -> None:
    for name, value in faults.items():
        setattr(office.faults, name, value)
    error = mailing.fails(rows(1), server={"silence": "1s"})
    assert told(error)[:2] == (OutcomeUnknown, f"{where(office)}: {reason}. It may have been taken.")
    assert "look whether it came" in error.hint
    assert mailing.states() == {OPS: "unknown", ZOE: "unknown"}
    kept = len(office.mails)
    office.faults.cut_after = office.faults.still = ""
    office.faults.drip = False
    again = mailing.fails(rows(1))
    assert isinstance(again, OutcomeUnknown)
    assert f"Whether {OPS}, {ZOE} got the mail <idms." in str(again)
    assert len(office.mails) == kept


def test_a_server_that_stands_still_before_the_mail_is_left_in_time(mailing: Mailing, office: PostOffice) -> None:
    office.faults.still = "sender"
    error = mailing.fails(rows(1), server={"silence": "1s"})
    assert told(error) == (
        Unreachable,
        f"{where(office)}: nothing came within the time limit.",
        "Is the server overloaded? `silence:` says how long it may be.",
    )
    assert mailing.states() == {}


def test_one_of_two_recipients_who_is_refused_is_told_and_the_other_has_the_mail(
    mailing: Mailing, office: PostOffice
) -> None:
    office.faults.recipients = {ZOE: "550 5.1.1 nobody of this name"}
    receipt = mailing.deliver(rows(1))
    assert (receipt.address, receipt.refused, receipt.counts) == (OPS, 1, {"recipients": 1})
    assert mailing.log[1:] == [f"{ZOE} does not have it: 550 5.1.1 nobody of this name"]
    assert [kept.recipients for kept in office.mails] == [[OPS]]
    assert mailing.deliver(rows(1)).refused == 1
    assert len(office.mails) == 1
    office.faults.recipients = {}
    rest = destination(mailing.step(), mailing.directory)  # by a run that does the rest
    assert rest.deliver(rows(1), replace(delivery(mailing.directory), run_id=8)).counts == {"recipients": 2}
    assert [kept.recipients for kept in office.mails] == [[OPS], [ZOE]]


def test_one_of_two_recipients_who_cannot_get_it_now_gets_it_later_and_the_other_only_once(
    mailing: Mailing, office: PostOffice
) -> None:
    office.faults.recipients = {ZOE: "450 4.2.0 greylisted"}
    error = mailing.fails(rows(1))
    assert told(error) == (
        Unreachable,
        f"1 of 2 recipients did not get the mail now: {ZOE}: 450 4.2.0 greylisted.",
        "The others have it. `retry:` of the step sends it to those who do not.",
    )
    office.faults.recipients = {}
    assert mailing.deliver(rows(1)).counts == {"recipients": 2}
    assert [kept.recipients for kept in office.mails] == [[OPS], [ZOE]]
    assert len({str(kept.message["Message-ID"]) for kept in office.mails}) == 1


@pytest.mark.parametrize(("code", "kind"), [("550 5.1.1 no", DeliveryRefused), ("450 4.2.0 later", Unreachable)])
def test_when_no_recipient_is_taken_nothing_is_sent(
    mailing: Mailing, office: PostOffice, code: str, kind: type[IdmsError]
) -> None:
    office.faults.recipients = {OPS: "550 5.1.1 no", ZOE: code}
    error = mailing.fails(rows(1))
    assert told(error)[:2] == (kind, f"{where(office)}: it takes no mail for {OPS}, {ZOE}: {code}.")
    assert office.mails == []


def test_a_server_that_is_not_there_is_told(mailing: Mailing) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    error = mailing.fails(rows(1), server={"port": port})
    assert told(error) == (
        Unreachable,
        f"mail server 127.0.0.1:{port}: no connection: Connection refused.",
        "Is the server up? Are `host:`, `port:` and `tls:` right?",
    )


def test_a_run_that_is_stopped_sends_nothing(mailing: Mailing, office: PostOffice) -> None:
    assert isinstance(mailing.fails(rows(1), stopping=lambda: True), Interrupted)
    assert office.logins == []


def test_a_death_before_the_last_word_costs_nothing_and_one_after_it_is_told(
    mailing: Mailing, office: PostOffice
) -> None:
    with nursery() as child:
        office.faults.still = "sender"
        process = child.start(mailing.step(), mailing.directory, 1)
        until(lambda: office.logins)
        os.kill(process, signal.SIGKILL)
        assert child.ended() == "-9"
        office.faults.still = "end"
        process = child.start(mailing.step(), mailing.directory, 1)
        until(lambda: office.mails)
        os.kill(process, signal.SIGKILL)
        assert child.ended() == "-9"
        office.faults.still = ""
        child.start(mailing.step(), mailing.directory, 1)
        assert child.ended().startswith(f"OutcomeUnknown: Whether {OPS}, {ZOE} got the mail <idms.")
    assert len(office.mails) == 1
