"""What a step to a web server may say, and what is told of one that cannot be."""

from pathlib import Path
from typing import Any

import pytest

from idms_cli.delivery import DESTINATIONS, destination_of
from tests.delivery.receiver import Receiver
from tests.delivery.sending import Sending

PLACE = {"file": "x"}


@pytest.fixture
def sending(tmp_path: Path) -> Sending:
    return Sending(Receiver("https://partner.example.net", tmp_path / "ca.pem"), tmp_path)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"to": "https://{{ row.ID }}.example.net/", "each": True},
         "the address has to begin with a server, written out"),
        ({"to": "https://partner.example.net{{ job }}"}, "the address has to begin with a server, written out"),
        ({"to": "http://partner.example.net/in"},
         "http:// can be read and changed on its way; it is for this machine only"),
        ({"to": "https://u:hunter2@partner.example.net/in"}, "user and password do not belong in the address"),
        ({"to": "https://partner.example.net/in#x"}, "what follows '#' is never sent to a server"),
        ({"to": "https://partner.example.net/a b"}, "an address has no blanks"),
        ({"to": "https://partner.example.net/a/../b"}, "a part of the address is . or .."),
        ({"to": "https://partner.example.net:0/in"}, "this is no name of a server, or no port"),
        ({"to": "https://partner.example.net/{% if job %}x{% endif %}"}, "only {{ }} can stand in an address"),
        ({"method": "CONNECT"}, "'CONNECT' is no method for this"),
        ({"method": "PO ST"}, "'PO ST' is no method for this"),
        ({"headers": {"X Y": "1"}}, "this cannot be the name of a header"),
        ({"headers": {"X-A\r\nB": "1"}}, "this cannot be the name of a header"),
        ({"headers": {"Authorization": "x"}}, "the header Authorization is not set here"),
        ({"headers": {"content-length": "1"}}, "the header content-length is not set here"),
        ({"headers": {"X-A": "1", "x-a": "2"}}, "a header is here twice"),
        ({"expect": "6xx"}, "this is no status of HTTP"),
        ({"expect": []}, "no status is named"),
        ({"auth": {"user": "a"}}, "this is no way to log in"),
        ({"auth": {"bearer": PLACE, "key": PLACE}}, "this is no way to log in"),
        ({"auth": {"user": "a:b", "password": PLACE}}, "a user name with ':' in it cannot be sent"),
        ({"auth": {"bearer": "hunter2"}}, "a secret cannot stand here itself"),
        ({"auth": {"oauth2": {"token_url": "http://x.example.net/t", "client_id": "a", "client_secret": PLACE}}},
         "http:// sends passwords in the open; it is for this machine only"),
        ({"batch": 2, "each": True}, "batch: `batch:` and `each:` are two ways to cut rows"),
        ({"batch": 2, "compress": "gzip"}, "compress: `compress:` is for whole files, and here rows are sent"),
        ({"to": "https://partner.example.net/{{ row.ID }}"}, "to: there is no 'row' here"),
        ({"each": True, "headers": {"X-File": "{{ file }}"}}, "headers.X-File: there is no 'file' here"),
        ({"headers": {"X-Run": "{{ runn.id }}"}}, "headers.X-Run: there is no 'runn' here"),
        ({"each": True, "method": "DELETE"}, "each: nothing of the row would be in its request"),
        ({"batch": 2, "method": "DELETE"}, "batch: nothing of the rows would be in a DELETE"),
        ({"each": True, "idempotency_key": "{{ run.id }}"},
         "idempotency_key: each request would have the same key, so only the first counts"),
        ({"batch": 9, "idempotency_key": "{{ run.id }}"},
         "idempotency_key: each request would have the same key, so only the first counts"),
        ({"idempotency_header": "X-Key"}, "idempotency_header: there is no key to send"),
        ({"idempotency_key": True, "headers": {"idempotency-key": "1"}},
         "idempotency_header: the header Idempotency-Key is under `headers:` too"),
        ({"auth": {"header": "X-Key", "key": PLACE}, "headers": {"x-key": "1"}},
         "auth.header: the header X-Key is under `headers:` too"),
        ({"answer": {"store": []}}, "this must not be empty"),
        ({"concurrency": 0}, "the number must be at least 1"),
    ],
)  # fmt: skip
def test_a_step_that_cannot_be_is_refused(sending: Sending, keys: dict[str, Any], message: str) -> None:
    told = sending.refused(**keys)
    assert told == message
    assert "hunter2" not in told


@pytest.mark.parametrize("keys", [
    {"to": "https://partner.example.net"},
    {"to": "https://partner.example.net?x={{ job }}"},
    {"to": "https://müller.example/bücher/{{ file }}", "file": "x.csv"},
    {"to": "HTTPS://partner.example.net/in"},
    {"expect": 201}, {"expect": [200, "202-204", "3xx"]},
    {"batch": 9, "idempotency_key": "{{ run.id }}-{{ batch }}"},
    {"batch": 2, "headers": {"X-Rows": "{{ count }}"}},
])  # fmt: skip
def test_a_step_that_can_be_is_taken(sending: Sending, keys: dict[str, Any]) -> None:
    with pytest.raises(AssertionError, match="the step is right"):
        sending.refused(**keys)


def test_addresses_of_both_schemes_mean_this_destination() -> None:
    assert [destination_of(f"{scheme}://host/x") for scheme in ("https", "http", "HTTPS")] == ["https"] * 3
    assert DESTINATIONS["https"].takes == "files"
