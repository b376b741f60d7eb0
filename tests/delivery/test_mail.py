"""Mails that go well: who gets them, what is in them, and how the server is spoken to."""

from email.message import EmailMessage
from pathlib import Path
from typing import Any, cast

import pytest

from idms_cli.config.settings import read_settings
from idms_cli.delivery import BadStep, load_destination, open_step
from idms_cli.errors import InputError
from tests.delivery.cargo import SampleCargo, delivery, destination, sample
from tests.delivery.mailing import OPS, ZOE, Mailing
from tests.delivery.postoffice import PASSWORD, TOKEN, USER, PostOffice, post_office
from tests.delivery.receiver import Receiver, Says
from tests.delivery.sending import rows


@pytest.fixture
def mailing(office: PostOffice, tmp_path: Path) -> Mailing:
    return Mailing(office, tmp_path)


def attachment(message: EmailMessage) -> EmailMessage:
    (found,) = message.iter_attachments()
    return cast(EmailMessage, found)


def words(part: EmailMessage) -> str:
    return cast(str, part.get_content()).replace("\r\n", "\n")


def test_a_mail_brings_the_file_to_all_who_are_named(mailing: Mailing, office: PostOffice, tmp_path: Path) -> None:
    cargo = sample(tmp_path, name="Mitglieder é.csv", size=100_000)
    receipt = mailing.deliver(
        cargo,
        file="x.csv",
        cc=["Cee <cc@example.org>"],
        bcc=["bcc@example.org"],
        reply_to="desk@example.org",
        subject="Grüße von {{ job }}",
        body="Für {{ count }} Leute:\n.\n{{ files|join(', ') }}\n",
    )
    (kept,) = office.mails
    message = kept.message
    assert (kept.sender, kept.recipients) == ("members@example.org", [OPS, ZOE, "cc@example.org", "bcc@example.org"])
    assert {name: str(message[name]) for name in ("From", "To", "Cc", "Reply-To", "Subject", "Auto-Submitted")} == {
        "From": "Members <members@example.org>",
        "To": f"{OPS}, {ZOE}",
        "Cc": "Cee <cc@example.org>",
        "Reply-To": "desk@example.org",
        "Subject": "Grüße von feed",
        "Auto-Submitted": "auto-generated",
    }
    assert "bcc@" not in kept.content.decode("ascii")
    body = cast(EmailMessage, message.get_body(("plain",)))
    assert words(body) == "Für 2 Leute:\n.\nMitglieder é.csv\n"
    found = attachment(message)
    assert (found.get_filename(), found.get_content()) == (cargo.files[0].name, cargo.files[0].read_bytes())
    assert (receipt.address, receipt.items, receipt.refused) == (", ".join(kept.recipients), 1, 0)
    assert receipt.size == len(kept.content)
    assert office.logins == [USER]


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
@pytest.mark.parametrize("ways", ["PLAIN", "LOGIN"])
def test_the_line_is_encrypted_and_the_login_goes_by_what_the_server_offers(
    tmp_path: Path, tls: str, ways: str
) -> None:
    with post_office(tmp_path, tls=tls, ways=ways) as office:
        Mailing(office, tmp_path).deliver(rows(1), server={"tls": tls})
        assert (len(office.mails), office.logins) == (1, [USER])


def test_without_a_login_and_without_tls_on_this_machine(tmp_path: Path) -> None:
    with post_office(tmp_path, tls="none") as office:
        server = {"tls": "none", "user": None, "password": None, "ca_file": None}
        Mailing(office, tmp_path).deliver(rows(1), server=server)
        assert (len(office.mails), office.logins) == (1, [])


def test_a_token_takes_the_place_of_a_password(tmp_path: Path, web: Receiver) -> None:
    web.decide = lambda taken: Says(200, b'{"access_token": "%s", "expires_in": 3600}' % TOKEN.encode())
    with post_office(tmp_path, ways="XOAUTH2") as office:
        mailing = Mailing(office, tmp_path)
        oauth = {"token_url": f"{web.url}/token", "client_id": "a", "client_secret": mailing.secret("b")}
        mailing.deliver(rows(1), server={"password": None, "oauth2": oauth})
        assert (len(office.mails), office.logins) == (1, [USER])


def test_a_mail_without_a_file_is_only_words(mailing: Mailing, office: PostOffice) -> None:
    mailing.deliver(rows(3))
    message = office.mails[0].message
    assert list(message.iter_attachments()) == []
    assert (str(message["Subject"]), words(message)) == ("feed", "feed: 3 rows.\n")


def test_names_and_domains_may_have_any_letters(mailing: Mailing, office: PostOffice) -> None:
    mailing.deliver(rows(1), to={"mail": ['"Müller, Zoë" <zoe@bücher.example>']})
    assert office.mails[0].recipients == ["zoe@xn--bcher-kva.example"]
    (person,) = office.mails[0].message["To"].addresses
    assert (person.display_name, person.addr_spec) == ("Müller, Zoë", "zoe@xn--bcher-kva.example")


def test_a_local_part_beyond_ascii_is_sent_where_the_server_takes_it(mailing: Mailing, office: PostOffice) -> None:
    mailing.deliver(rows(1), to={"mail": ["zoë@example.org"]})
    assert office.mails[0].recipients == ["zoë@example.org"]
    assert "SMTPUTF8" in office.mails[0].options
    assert "zoë@example.org" in office.mails[0].content.decode()


def test_values_in_html_stay_text(mailing: Mailing, office: PostOffice) -> None:
    values = {"job": "<script>&", "run": {"id": "<b>"}}
    mailing.deliver(rows(1), html="<p>{{ job }} {{ run.id }}</p>", values=values)
    html = cast(EmailMessage, office.mails[0].message.get_body(("html",)))
    assert words(html) == "<p>&lt;script&gt;&amp; &lt;b&gt;</p>\n"


def test_a_subject_cannot_become_a_header(mailing: Mailing, office: PostOffice) -> None:
    error = mailing.fails(rows(1), subject="{{ job }}", values={"job": "x\r\nBcc: evil@example.org"})
    assert isinstance(error, InputError)
    assert str(error) == "`subject:` would have a line end or another control character in it"
    assert office.mails == []


def test_a_mail_has_the_same_name_at_each_attempt_and_another_in_each_step(
    mailing: Mailing, office: PostOffice, tmp_path: Path
) -> None:
    office.faults.content = "451 later"
    mailing.fails(rows(1))
    office.faults.content = ""
    told = mailing.log[0].split()[1]
    mailing.deliver(rows(1))
    assert str(office.mails[0].message["Message-ID"]) == told
    other = Mailing(office, tmp_path / "other")
    other.directory.mkdir()
    other.deliver(rows(1), values={"job": "other"})
    assert str(office.mails[1].message["Message-ID"]) != told


def test_a_mail_that_was_sent_is_not_sent_again(mailing: Mailing, office: PostOffice) -> None:
    mailing.deliver(rows(1))
    assert mailing.deliver(rows(1)).counts == {"recipients": 2}
    assert len(office.mails) == 1


def test_a_rehearsal_says_who_would_get_what_and_asks_nobody(mailing: Mailing, tmp_path: Path) -> None:
    made = destination(mailing.step(file="members.csv"), tmp_path)
    where = f"127.0.0.1:{mailing.office.port}"
    assert made.rehearse(sample(tmp_path), delivery(tmp_path)) == f"would mail members.csv to {OPS}, {ZOE}, by {where}"
    assert mailing.office.logins == []
    assert made.describe() == f"mail to {OPS}, {ZOE}"


def test_what_is_larger_than_the_step_allows_is_refused_and_nobody_is_asked(mailing: Mailing, tmp_path: Path) -> None:
    for size in (90_000, 200_000):  # the first one is too large only as it travels
        error = mailing.fails(sample(tmp_path, size=size), file="x.csv", max_size="100KB")
        assert "`max_size:` allows 100,000" in str(error)
        assert "`compress: zip`" in error.hint
    assert mailing.office.logins == []


SETTINGS = """
mail:
  server: {{host: 127.0.0.1, port: {port}, ca_file: {ca_file}, user: {user}, password: {{file: {secret}}}}}
  from: idms <idms@example.org>
"""


def test_server_and_sender_may_be_those_of_the_site(mailing: Mailing, office: PostOffice, tmp_path: Path) -> None:
    secret = mailing.secret(PASSWORD)["file"]
    text = SETTINGS.format(port=office.port, ca_file=office.ca_file.name, user=USER, secret=secret)
    path = tmp_path / "idms.yaml"
    path.write_text(text)
    options = options_of({"to": {"mail": [OPS]}})
    with pytest.raises(BadStep, match="no mail server is named"):
        load_destination("mail").open_destination(options, tmp_path)
    made = open_step("mail", options, read_settings(path))
    made.deliver(SampleCargo(), delivery(tmp_path))
    assert office.mails[0].sender == "idms@example.org"
    own = open_step("mail", options_of({"to": {"mail": [OPS]}, "from": "own@example.org"}), read_settings(path))
    (tmp_path / "step" / "mail.json").unlink()
    own.deliver(SampleCargo(), delivery(tmp_path))
    assert office.mails[1].sender == "own@example.org"


def options_of(step: dict[str, Any]) -> Any:
    return load_destination("mail").Options.model_validate(step, by_alias=True, by_name=False)


PLACE = {"file": "x"}


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"to": {"mail": []}}, "nobody is named"),
        ({"to": {"mail": ["ops"]}}, "this is no address of mail"),
        ({"to": {"mail": ["a b@example.org"]}}, "this is no address of mail"),
        ({"to": {"mail": ["a@example.org, b@example.org"]}}, "this is no address of mail"),
        ({"to": {"mail": ["a@exa mple.org"]}}, "what stands behind the @ is no name of a domain"),
        ({"to": {"mail": ["a@-x-.example"]}}, "what stands behind the @ is no name of a domain"),
        ({"cc": ["x\r\nBcc: y@example.org"]}, "an address cannot have control characters in it"),
        ({"from": "Zoë <zoe@example.org>\n"}, "an address cannot have control characters in it"),
        ({"subject": "a\nb"}, "a subject is one line"),
        ({"server": {"host": "mail.example.org", "tls": "none"}},
         "mail without TLS can be read on its way; it is for this machine only"),
        ({"server": {"host": "mail.example.org:25"}}, "this is no name of a server"),
        ({"server": {"user": None}}, "this is no way to log in"),
        ({"server": {"password": None}}, "this is no way to log in"),
        ({"server": {"password": "hunter2"}}, "a secret cannot stand here itself"),
        ({"body": "{{ rows }}"}, "body: there is no 'rows' here"),
        ({"from": None}, "to: nobody is said to send this mail"),
    ],
)  # fmt: skip
def test_a_step_that_cannot_be_is_refused(mailing: Mailing, keys: dict[str, Any], message: str) -> None:
    assert mailing.refused(**keys) == message
