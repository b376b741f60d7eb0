"""The step `http`: one request to a real server, its answer, and what becomes of it when things go wrong."""

import json
from decimal import Decimal
from pathlib import Path

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
from idms_cli.modules.workflows.onceonly import Once
from tests.delivery.receiver import Receiver, Says, receiver, refuses
from tests.modules.steps.doing import killed_when
from tests.modules.steps.stand import Stand


def answers(content: object, status: int = 200, **headers: str) -> Says:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Says(status, json.dumps(content).encode(), {"Content-Type": "application/json", **named})


def test_an_address_alone_is_a_get_and_the_output_has_status_headers_and_json(web: Receiver, stand: Stand) -> None:
    web.script(answers({"total": 12.50, "items": [1]}, X_Page="2", Set_Cookie="session=1"))
    result = stand.run({"http": f"{web.url}/orders?since={{{{ today }}}}"})
    assert (web.asked[0].method, web.asked[0].path) == ("GET", "/orders?since=2026-11-29")
    assert result.output["status"] == 200
    assert result.output["json"] == {"total": Decimal("12.5"), "items": [1]}
    assert result.output["headers"]["x-page"] == "2"
    assert "set-cookie" not in result.output["headers"]


def test_json_keeps_the_types_of_templates_and_rows_are_a_list(web: Receiver, stand: Stand) -> None:
    stand.rows("members", [{"ID": "101", "Dues": Decimal("12.50")}, {"ID": "102", "Dues": None}])
    body = {"count": "{{ members|length }}", "members": "{{ members }}", "at": "{{ slot }}", "text": "n={{ 1 }}"}
    result = stand.run({"http": {"url": f"{web.url}/in", "json": body}})
    assert web.asked[0].method == "POST"
    assert web.asked[0].headers["Content-Type"] == "application/json"
    assert web.asked[0].json() == {
        "count": 2,
        "members": [{"ID": "101", "Dues": 12.50}, {"ID": "102", "Dues": None}],
        "at": "2026-11-29T21:00:00-05:00",
        "text": "n=1",
    }
    assert result.output["json"] == {}


def test_many_rows_are_sent_from_disk(web: Receiver, stand: Stand) -> None:
    stand.rows("members", [{"ID": str(number), "Name": "x" * 100} for number in range(20_000)])
    stand.run({"http": {"url": f"{web.url}/in", "json": "{{ members }}"}})
    assert [row["ID"] for row in web.asked[0].json()] == [str(number) for number in range(20_000)]
    assert not (stand.folder / "body").exists()


def test_a_form_and_a_text_are_bodies_too(web: Receiver, stand: Stand) -> None:
    stand.run({"http": {"url": f"{web.url}/form", "form": {"q": "a b&c", "n": [1, 2]}}})
    assert web.asked[0].body == b"q=a+b%26c&n=1&n=2"
    stand.beside("other").run({"http": {"url": f"{web.url}/text", "body": "Zoë {{ run.id }}", "method": "put"}})
    assert (web.asked[1].method, web.asked[1].body.decode()) == ("PUT", "Zoë 7")


def test_a_value_never_becomes_another_address_or_header(web: Receiver, stand: Stand) -> None:
    stand.inputs = {"id": "../../admin?x=1#y", "evil": "a\r\nX-Evil: 1"}
    stand.run({"http": f"{web.url}/members/{{{{ input.id }}}}"})
    assert web.asked[0].path == "/members/..%2F..%2Fadmin%3Fx%3D1%23y"
    stand.inputs = {"id": "..", "evil": "a\r\nX-Evil: 1"}
    with pytest.raises(InputError, match=r"http: a part of the address would be \. or \.\."):
        stand.beside("b").run({"http": f"{web.url}/members/{{{{ input.id }}}}/x"})
    with pytest.raises(InputError, match=r"http\.headers\.X-Note would have a line end"):
        stand.beside("c").run({"http": {"url": f"{web.url}/", "headers": {"X-Note": "{{ input.evil }}"}}})
    assert len(web.asked) == 1


def test_logins_are_those_of_deliveries(web: Receiver, stand: Stand) -> None:
    secret = stand.directory / "token"
    secret.write_text("s3cret-token")
    secret.chmod(0o600)
    stand.run({"http": {"url": f"{web.url}/", "auth": {"bearer": {"file": "token"}}}})
    assert web.asked[0].headers["Authorization"] == "Bearer s3cret-token"
    web.script(refuses(401, "who are you"))
    with pytest.raises(LoginRefused, match="401, who are you"):
        stand.beside("again").run({"http": {"url": f"{web.url}/", "method": "POST"}})


def test_a_certificate_of_a_private_authority_is_named_or_refused(tmp_path: Path, stand: Stand) -> None:
    with receiver(tmp_path) as web:
        with pytest.raises(Unreachable, match="the certificate of the server is not trusted"):
            stand.run({"http": f"{web.url}/"})
        assert stand.run({"http": {"url": f"{web.url}/", "ca_file": str(web.ca_file)}}).output["status"] == 200


def test_a_status_that_is_expected_is_no_failure(web: Receiver, stand: Stand) -> None:
    web.script(refuses(404, "no such member"))
    result = stand.run({"http": {"url": f"{web.url}/members/1", "expect": ["2xx", 404]}})
    assert (result.output["status"], result.output["json"]) == (404, {"detail": "no such member"})


@pytest.mark.parametrize(
    ("says", "error", "told"),
    [
        (refuses(422, "no such course"), DeliveryRefused, "refused: 422, no such course"),
        (refuses(403), LoginRefused, "the server lets nobody in like this"),
        (Says(500, stores=True), OutcomeUnknown, "500; it may have been carried out"),
        (Says(then="cut"), OutcomeUnknown, "the connection ended before the answer was whole; it may have been"),
        (Says(302, headers={"Location": "/login"}), OutcomeUnknown, "the server redirects (302) to"),
        (refuses(301, Location="https://elsewhere.example/"), DeliveryRefused, "the server redirects (301)"),
    ],
    ids=["refused", "forbidden", "server error", "cut", "redirected after", "moved"],
)
def test_a_post_that_goes_wrong_is_sent_once(
    web: Receiver, stand: Stand, says: Says, error: type[IdmsError], told: str
) -> None:
    web.script(says)
    with pytest.raises(error) as caught:
        stand.run({"http": {"url": f"{web.url}/done", "json": {"ok": True}}})
    assert told in str(caught.value)
    assert caught.value.hint
    assert len(web.asked) == 1


def test_a_post_that_may_have_been_done_is_not_sent_by_a_later_attempt_either(web: Receiver, stand: Stand) -> None:
    web.script(Says(then="cut"))
    step = {"http": {"url": f"{web.url}/done", "json": {"ok": True}}}
    for _ in range(3):
        with pytest.raises(OutcomeUnknown, match="it may have been carried out"):
            stand.run(step)
    assert len(web.asked) == 1


def test_what_was_certainly_not_done_is_sent_again_and_so_is_what_may_come_twice(web: Receiver, stand: Stand) -> None:
    web.script(refuses(429, Retry_After="0"), refuses(503, Retry_After="0"))
    assert stand.run({"http": {"url": f"{web.url}/done", "json": 1}}).output["status"] == 200
    assert len(web.asked) == 3
    web.script(Says(then="cut"))
    again = stand.beside("put")
    assert again.run({"http": {"url": f"{web.url}/done", "method": "PUT", "json": 1}}).output["status"] == 200
    assert len(web.asked) == 5


def test_an_idempotency_key_is_the_same_at_each_attempt(web: Receiver, stand: Stand) -> None:
    web.script(Says(500, stores=True))
    step = {"http": {"url": f"{web.url}/done", "json": {"ID": 1}, "idempotency_key": True}}
    assert stand.run(step).output["status"] == 200
    keys = [taken.headers["Idempotency-Key"] for taken in web.asked]
    assert len(keys) == 2
    assert len(set(keys)) == 1
    assert len(web.stored) == 1


def test_a_step_that_is_done_is_not_sent_again_by_a_run_that_goes_on(web: Receiver, stand: Stand) -> None:
    web.script(answers({"id": 7}))
    step = {"http": {"url": f"{web.url}/done", "json": {"ok": True}}}
    assert stand.run(step).output == stand.run(step).output
    assert len(web.asked) == 1


def test_killed_between_sending_and_the_note_a_post_is_unknown(web: Receiver, stand: Stand) -> None:
    web.script(Says(then="still"))
    step = {"http": {"url": f"{web.url}/done", "json": {"ok": True}}}
    killed_when(lambda: web.stored, stand, step)
    with pytest.raises(
        OutcomeUnknown, match="the run died while it was on its way; it may have been carried out"
    ) as it:
        stand.run(step)
    assert "idempotency_key" in it.value.hint
    assert len(web.asked) == 1


def test_killed_on_its_way_a_put_is_sent_again(web: Receiver, stand: Stand) -> None:
    web.script(Says(then="still"))
    step = {"http": {"url": f"{web.url}/done", "method": "PUT", "json": {"ok": True}}}
    killed_when(lambda: web.stored, stand, step)
    assert stand.run(step).output["status"] == 200
    assert len(web.asked) == 2


def test_an_answer_is_bounded_and_json_where_that_is_wanted(web: Receiver, stand: Stand) -> None:
    web.script(Says(200, b"x" * 3000), Says(200, b"<html>", {"Content-Type": "text/html"}))
    with pytest.raises(IdmsError, match="it was done \\(200\\), but the answer is longer than 2,000 bytes"):
        stand.run({"http": {"url": f"{web.url}/big", "json": 1, "max_answer": "2KB"}})
    with pytest.raises(IdmsError, match="it was done \\(200\\), but the answer is longer"):
        stand.run({"http": {"url": f"{web.url}/big", "json": 1, "max_answer": "2KB"}})
    assert len(web.asked) == 1
    other = stand.beside("other")
    with pytest.raises(IdmsError, match="but the answer is no JSON"):
        other.run({"http": {"url": f"{web.url}/page", "answer": "json"}})
    web.script(Says(200, b"<html>", {"Content-Type": "text/html"}))
    assert other.run({"http": f"{web.url}/page"}).output["text"] == "<html>"


def test_a_stopped_step_sends_nothing(web: Receiver, stand: Stand) -> None:
    stand.stopping = lambda: True
    with pytest.raises(Interrupted):
        stand.run({"http": f"{web.url}/"})
    assert not web.asked
    assert Once.of(stand.folder).state == "new"


def test_a_dry_run_gets_and_posts_nothing(web: Receiver, stand: Stand) -> None:
    web.script(answers({"n": 1}))
    assert stand.rehearse({"http": f"{web.url}/n"}).output["json"] == {"n": 1}
    told = stand.rehearse({"http": {"url": f"{web.url}/done", "json": [1, 2]}})
    assert (told.status, told.unknown) == ("rehearsed", True)
    assert told.reason == f"would POST 5 bytes to {web.url}/done"
    assert stand.rehearse({"http": f"{web.url}/n"}, offline=True).unknown
    assert [taken.method for taken in web.asked] == ["GET"]


def test_mistakes_are_told_with_their_place_before_the_run(stand: Stand) -> None:
    stand.rows("members", [{"ID": 1}])
    assert "no 'membrs' here" in stand.refused("http:\n  url: https://x.example/in\n  json: '{{ membrs }}'")
    assert "there is no step 'nobody'" in stand.refused("http: 'https://x.example/{{ steps.nobody.status }}'")
    assert "for this machine only" in stand.refused("http: http://x.example/")
    assert "has to begin with a server" in stand.refused("http: '{{ input.base }}/x'")
    assert "a request has one body" in stand.refused("http: {url: 'https://x.example/', json: 1, body: a}")
    assert "a GET has no body" in stand.refused("http: {url: 'https://x.example/', method: GET, json: 1}")
    assert "the header Authorization is not set here" in stand.refused(
        "http: {url: 'https://x.example/', headers: {Authorization: x}}"
    )
    assert "there is no key for" in stand.refused("http: {url: 'https://x.example/', idempotency_header: X-Key}")
    assert stand.step("http: 'https://x.example/in?k=1'").action.describe() == "GET https://x.example/in"
