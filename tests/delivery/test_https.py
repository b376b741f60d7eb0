"""Deliveries to a web server that goes well: what is sent, as which request, with which login."""

import hashlib
import tracemalloc
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from idms_cli.files.writers import Cells
from tests.delivery.cargo import ListRows, SampleCargo, delivery, destination, digest, sample
from tests.delivery.receiver import YES, Receiver, Says, Taken
from tests.delivery.sending import EACH, Sending, rows


@pytest.fixture
def sending(web: Receiver, tmp_path: Path) -> Sending:
    return Sending(web, tmp_path)


def test_a_whole_file_is_sent_in_one_request(sending: Sending, web: Receiver, tmp_path: Path) -> None:
    cargo = sample(tmp_path, size=3_000_000)
    receipt = sending.deliver(cargo, "/in/{{ file }}?run={{ run.id }}", file="members.csv", format="csv")
    (taken,) = web.stored
    assert (taken.method, taken.path) == ("POST", "/in/members.csv?run=7")
    assert hashlib.sha256(taken.body).hexdigest() == digest(cargo.files[0])
    assert taken.headers["Content-Length"] == "3000000"
    assert (receipt.address, receipt.items, receipt.size) == (f"{web.url}/in/members.csv", 1, 3_000_000)


def test_batches_have_so_many_rows_each(sending: Sending, web: Receiver) -> None:
    receipt = sending.deliver(rows(5), batch=2)
    assert [[row["ID"] for row in taken.json()] for taken in web.stored] == [["101", "102"], ["103", "104"], ["105"]]
    assert [taken.headers["Content-Type"] for taken in web.stored] == ["application/json"] * 3
    assert (receipt.items, receipt.refused, receipt.counts) == (3, 0, {"records": 5})


def test_a_row_for_each_request_is_one_object_and_no_list(sending: Sending, web: Receiver) -> None:
    sending.deliver(rows(2), **EACH)
    assert [taken.json() for taken in web.stored] == [
        {"ID": "101", "Name": "Zoë 101"},
        {"ID": "102", "Name": "Zoë 102"},
    ]


def test_an_object_keeps_the_digits_that_the_format_wrote(sending: Sending, web: Receiver) -> None:
    class Exact(SampleCargo):
        def document(self, rows: Any) -> bytes:
            return b'[\n  {"Amount": 12345678901234567890.10}\n]\n'

    sending.deliver(Exact(rows=ListRows(("Amount",), [(Decimal("12345678901234567890.10"),)])), **EACH)
    assert web.stored[0].body == b'{"Amount": 12345678901234567890.10}'


def test_a_document_that_is_no_list_of_one_is_sent_as_it_is(sending: Sending, web: Receiver) -> None:
    class Envelope(SampleCargo):
        def document(self, rows: Any) -> bytes:
            return b'{"members": [1]}'

    sending.deliver(Envelope(rows=ListRows(cells=[("1", "x")])), **EACH)
    assert web.stored[0].body == b'{"members": [1]}'


def test_no_row_is_no_request(sending: Sending, web: Receiver) -> None:
    assert sending.deliver(rows(0), batch=10).items == 0
    assert web.asked == []


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "GET", "put"])
def test_any_method_may_be_used(sending: Sending, web: Receiver, method: str) -> None:
    sending.deliver(rows(1), "/members/{{ row.ID }}", method=method, **EACH)
    (taken,) = web.stored
    assert (taken.method, taken.path) == (method.upper(), "/members/101")
    assert bool(taken.body) == (method.upper() in ("PUT", "PATCH"))


def test_a_delete_has_a_body_when_its_format_is_said(sending: Sending, web: Receiver) -> None:
    sending.deliver(rows(1), method="DELETE", format="json", **EACH)
    assert web.stored[0].json() == {"ID": "101", "Name": "Zoë 101"}


def test_a_get_of_no_row_is_one_request_without_a_body(sending: Sending, web: Receiver) -> None:
    sending.deliver(rows(3), "/go?job={{ job }}&rows={{ count }}", method="GET")
    assert [(taken.path, taken.body) for taken in web.stored] == [("/go?job=feed&rows=3", b"")]


def test_a_value_in_the_address_stays_in_its_place(sending: Sending, web: Receiver) -> None:
    cargo = SampleCargo(rows=ListRows(cells=[("a/../b?c=d#e%2F&f é", "x&y=z")]))
    sending.deliver(cargo, "/m/{{ row.ID }}/x?name={{ row['Name'] }}", **EACH)
    assert web.stored[0].path == "/m/a%2F..%2Fb%3Fc%3Dd%23e%252F%26f%20%C3%A9/x?name=x%26y%3Dz"


@pytest.mark.parametrize(("value", "reason"), [
    ("", "is blank, and the address would be another one"),
    ("  ", "is blank, and the address would be another one"),
    ("..", "a part of the address would be . or .., which is another address"),
    ("\ud800", "has half a character in it"),
], ids=["blank", "spaces", "dots", "surrogate"])  # fmt: skip
def test_a_value_that_makes_another_address_is_refused_and_the_others_are_sent(
    sending: Sending, web: Receiver, value: str, reason: str
) -> None:
    cargo = SampleCargo(rows=ListRows(cells=[("101", "Zoë"), (value, "Ann"), ("103", "Bo")]))
    receipt = sending.deliver(cargo, "/members/{{ row.ID }}", method="DELETE", **EACH)
    assert [taken.path for taken in web.asked] == ["/members/101", "/members/103"]
    assert (receipt.items, receipt.refused) == (2, 1)
    (told,) = sending.table("undelivered.csv")
    assert told["Name"] == "Ann"
    assert (told["_request"], told["_state"]) == ("2", "refused")
    assert reason in told["_reason"]


def test_headers_are_templates_over_the_run_and_the_row(sending: Sending, web: Receiver) -> None:
    headers = {"X-Run": "{{ run.id }}/{{ record }}", "If-Match": '"{{ row.ID }}"', "accept": "application/json"}
    sending.deliver(rows(2), headers={**headers, "content-type": "text/plain"}, **EACH)
    sent = [{name.casefold(): text for name, text in taken.headers.items()} for taken in web.stored]
    assert [(one["x-run"], one["if-match"]) for one in sent] == [("7/1", '"101"'), ("7/2", '"102"')]
    assert (sent[0]["accept"], sent[0]["content-type"]) == ("application/json", "text/plain")


@pytest.mark.parametrize("name", ["a\r\nX-Evil: 1", "a\nb", "a\x00b", "Zoë"], ids=["crlf", "lf", "nul", "accent"])
def test_a_value_that_no_header_can_have_is_refused(sending: Sending, web: Receiver, name: str) -> None:
    cargo = SampleCargo(rows=ListRows(cells=[("101", name), ("102", "Ann")]))
    assert sending.deliver(cargo, headers={"X-Name": "{{ row.Name }}"}, **EACH).refused == 1
    assert [taken.headers["X-Name"] for taken in web.asked] == ["Ann"]
    assert "not ASCII in it" in sending.table("undelivered.csv")[0]["_reason"]


def test_a_column_that_the_rows_do_not_have_ends_the_delivery_before_anything_is_sent(
    sending: Sending, web: Receiver
) -> None:
    error = sending.fails(rows(2), "/members/{{ row.Id }}", **EACH)
    assert (str(error), error.hint) == ("the rows have no column 'Id'", "did you mean 'ID'?")
    assert web.asked == []


@pytest.mark.parametrize(
    ("auth", "header", "value"),
    [
        ({"user": "zoë", "password": "käse"}, "Authorization", "Basic " + b64encode("zoë:käse".encode()).decode()),
        ({"bearer": "abc.def-123"}, "Authorization", "Bearer abc.def-123"),
        ({"header": "X-Api-Key", "key": "k3y"}, "X-Api-Key", "k3y"),
    ],
    ids=["basic", "bearer", "header"],
)
def test_a_login_is_sent_and_never_told(
    sending: Sending, web: Receiver, auth: dict[str, str], header: str, value: str
) -> None:
    secrets = ("password", "bearer", "key")
    given = {name: sending.secret(text) if name in secrets else text for name, text in auth.items()}
    sending.deliver(rows(1), auth=given, **EACH)
    assert web.stored[0].headers[header] == value
    assert not any(text in "".join(sending.log) for name, text in auth.items() if name in secrets)


def test_a_key_in_the_query_is_sent_and_never_told(sending: Sending, web: Receiver) -> None:
    web.decide = lambda taken: Says(500, stores=False)
    auth = {"query": "api key", "key": sending.secret("s3cr3t&x")}
    error = sending.fails(rows(1), "/in?mode=all", auth=auth, **EACH)
    assert web.asked[0].path == "/in?mode=all&api%20key=s3cr3t%26x"
    assert "s3cr3t" not in f"{error}{error.hint}{sending.log}"
    assert "mode" not in str(error)


def test_a_secret_that_no_header_can_have_is_refused_and_not_shown(sending: Sending, web: Receiver) -> None:
    error = sending.fails(rows(1), auth={"bearer": sending.secret("hunter2\r\nHost: evil")}, **EACH)
    assert str(error) == "the bearer token has characters that no header can have"
    assert web.asked == []


def test_only_expected_statuses_mean_yes(sending: Sending, web: Receiver) -> None:
    web.script(Says(404, stores=False), Says(202), Says(200, stores=False))
    receipt = sending.deliver(rows(3), "/m/{{ row.ID }}", method="DELETE", expect=["202", 204, 404], **EACH)
    assert (receipt.items, receipt.refused) == (2, 1)
    assert sending.table("undelivered.csv")[0]["_reason"] == "200"


def test_fields_of_the_answers_are_kept_beside_their_rows(sending: Sending, web: Receiver) -> None:
    def decide(taken: Taken) -> Says:
        number = taken.json()["ID"]
        if number == "103":
            return Says(200, b"<html>")
        return Says(200, b'{"id": 9%s.50, "data": {"tags": ["a", "b"], "new": true, "f": "=1+1"}}' % number.encode())

    web.decide = decide
    sending.deliver(rows(3), answer={"store": ["id", "data.tags", "data.tags.1", "data.new", "data.f", "no"]}, **EACH)
    found = sending.table("answers.csv")
    assert found[0] == {
        "ID": "101", "Name": "Zoë 101", "_request": "1", "_status": "200", "answer.id": "9101.50",
        "answer.data.tags": '["a", "b"]', "answer.data.tags.1": "b", "answer.data.new": "true",
        "answer.data.f": "'=1+1", "answer.no": "",
    }  # fmt: skip
    assert (found[2]["ID"], found[2]["answer.id"]) == ("103", "")
    assert (sending.directory / "step" / "answers.csv").stat().st_mode & 0o777 == 0o600


def test_answers_of_batches_are_kept_too(sending: Sending, web: Receiver) -> None:
    web.decide = lambda taken: Says(200, b'{"took": %d}' % len(taken.json()))
    sending.deliver(rows(3), batch=2, answer={"store": ["took"]})
    assert [(one["_request"], one["answer.took"]) for one in sending.table("answers.csv")] == [("1", "2"), ("2", "1")]


def test_several_requests_are_on_their_way_at_the_same_time_and_each_is_sent_once(
    sending: Sending, web: Receiver
) -> None:
    receipt = sending.deliver(rows(60), concurrency=8, **EACH)
    assert receipt.items == 60
    assert set(web.effects().values()) == {1}
    assert sending.states() == ["done"] * 60


def test_a_rate_is_kept(sending: Sending, web: Receiver) -> None:
    sending.deliver(rows(5), rate="50/s", concurrency=4, **EACH)
    assert len(web.stored) == 5


def test_keys_of_our_own_are_the_same_at_each_attempt_and_differ_between_rows_and_runs(
    sending: Sending, web: Receiver, tmp_path: Path
) -> None:
    sending.deliver(rows(3), idempotency_key=True, **EACH)
    other = Sending(web, tmp_path / "other")
    other.directory.mkdir()
    other.deliver(rows(3), idempotency_key=True, **EACH)
    keys = [taken.headers["Idempotency-Key"] for taken in web.asked]
    assert len(set(keys[:3])) == 3
    assert keys[:3] == keys[3:]  # of the same run and step
    assert len(web.stored) == 3


def test_keys_of_our_own_stay_the_same_when_another_run_does_the_rest(sending: Sending, web: Receiver) -> None:
    web.script(*[Says(500, stores=False)] * 3)
    sending.fails(rows(1), idempotency_key=True, **EACH)
    made = destination(sending.step(idempotency_key=True, **EACH), sending.directory)
    made.deliver(rows(1), replace(delivery(sending.directory), run_id=8))
    assert len({taken.headers["Idempotency-Key"] for taken in web.asked}) == 1
    assert len(web.stored) == 1


def test_a_key_by_template_is_sent_in_the_header_that_is_named(sending: Sending, web: Receiver) -> None:
    sending.deliver(rows(1), idempotency_key="{{ row.ID }}-{{ job }}", idempotency_header="X-Request-Id", **EACH)
    assert web.stored[0].headers["X-Request-Id"] == "101-feed"


def test_a_row_with_the_key_of_another_one_is_refused_and_not_swallowed(sending: Sending, web: Receiver) -> None:
    cargo = SampleCargo(rows=ListRows(cells=[("101", "a"), ("102", "b"), ("101", "c")]))
    receipt = sending.deliver(cargo, idempotency_key="{{ row.ID }}", concurrency=3, **EACH)
    assert (receipt.items, receipt.refused, len(web.asked)) == (2, 1, 2)
    assert "its idempotency key is that of number 1" in sending.table("undelivered.csv")[0]["_reason"]


def test_a_rehearsal_says_what_would_be_sent_and_asks_nobody(sending: Sending, web: Receiver, tmp_path: Path) -> None:
    def told(cargo: SampleCargo, path: str, **keys: Any) -> str:
        return destination(sending.step(path, **keys), tmp_path).rehearse(cargo, delivery(tmp_path))

    assert told(rows(5), "/in", batch=2) == f"would POST 3 requests of up to 2 rows, the first to {web.url}/in"
    each = told(rows(1), "/m/{{ row.ID }}", method="PUT", **EACH)
    assert each == f"would PUT 1 request, one for each row to {web.url}/m/101"
    assert told(rows(0), "/in", batch=2) == f"would send nothing to {web.url}/in: there are no rows"
    assert web.asked == []


def test_a_dead_line_between_two_requests_costs_nothing(sending: Sending, web: Receiver) -> None:
    web.decide = lambda taken: Says(headers={"Connection": "close"})
    assert sending.deliver(rows(4), **EACH).items == 4
    assert len(web.stored) == 4


def test_what_it_changes_is_the_address_up_to_the_first_template(sending: Sending, web: Receiver) -> None:
    made = destination(sending.step("/m/{{ row.ID }}?key=hunter2", **EACH), sending.directory)
    assert (made.resource(), made.describe()) == (f"{web.url}/m/", f"POST {web.url}/m/{{{{ row.ID }}}}")


def test_the_answer_of_yes_may_be_long_or_cut_off(sending: Sending, web: Receiver) -> None:
    web.script(Says(200, b"x" * 3_000_000), Says(200, b"{", {"Content-Length": "100"}), YES)
    assert sending.deliver(rows(3), answer={"store": ["id"]}, **EACH).items == 3
    assert len(web.asked) == 3


def test_memory_stays_flat_however_many_rows_there_are(sending: Sending, web: Receiver) -> None:
    class Many(ListRows):
        """Rows that are never all in memory."""

        @property
        def count(self) -> int:
            return 20_000

        def __iter__(self) -> Iterator[Cells]:
            return ((f"{number:09}", f"Zoë {number}") for number in range(self.count))

    web.decide = lambda taken: Says(stores=False)
    web.remembers = False
    warm = Sending(web, sending.directory / "warm")
    warm.directory.mkdir()
    warm.deliver(rows(1), batch=100)
    tracemalloc.start()
    try:
        assert sending.deliver(SampleCargo(rows=Many()), batch=100, concurrency=2).items == 200
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()
