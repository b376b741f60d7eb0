"""Every fault happens when it is asked for, and only then."""

import time

import httpx
import pytest

from idms_cli.errors import InputError
from idms_cli.sandbox import Sandbox
from idms_cli.sandbox.faults import FAULTS, parse_fault

from .conftest import Start, log_in
from .wire import generic, items, values

ADMINISTRATOR = "An error occurred. Please contact the administrator."
MEMBERS = "/api/query?QueryName=$/Idms/Members&limit=10"
WRITE = generic("ABC_Scores", ID="101", Course="Maths")


def ids(reply: httpx.Response) -> list[str]:
    """The members on a page."""
    return [row["ID"] for row in items(reply)]


def numbers(first: int, last: int) -> list[str]:
    """Members from `first` to `last`; none of the first 24 is an organization."""
    return [str(number) for number in range(first, last + 1)]


def stored(site: Sandbox) -> int:
    """How many course results named Maths there are."""
    return sum(row["Course"] == "Maths" for row in site.rows("ABC_Scores"))


@pytest.mark.parametrize("name", FAULTS)
def test_at_rate_0_nothing_happens(start: Start, name: str) -> None:
    _, client = start(faults_at={name: 0})
    assert ids(client.get(MEMBERS)) == numbers(101, 110)
    assert ids(client.get(MEMBERS + "&offset=10")) == numbers(111, 120)
    assert client.post("/api/ABC_Scores", json=WRITE).status_code == 201
    assert client.get("/api/BoEntityDefinition").status_code == 200


def test_a_token_dies_before_its_time(start: Start) -> None:
    site, client = start(faults_at={"token-dies": 1})
    assert client.get(MEMBERS).status_code == 401
    site.set_fault("token-dies", 0)
    assert client.get(MEMBERS).status_code == 401
    log_in(client)
    assert client.get(MEMBERS).status_code == 200


def test_a_page_overlaps_the_one_before(start: Start) -> None:
    _, client = start(faults_at={"page-overlap": 1})
    assert ids(client.get(MEMBERS)) == numbers(101, 110)
    assert ids(client.get(MEMBERS + "&offset=10")) == numbers(108, 117)


def test_a_page_comes_once_more(start: Start) -> None:
    _, client = start(faults_at={"page-repeat": 1})
    assert ids(client.get(MEMBERS + "&offset=10")) == numbers(101, 110)
    assert client.get(MEMBERS + "&offset=10").json()["Offset"] == 10


def test_rows_change_between_two_pages(start: Start) -> None:
    _, client = start(faults_at={"rows-change": 1})
    first, second = client.get(MEMBERS).json(), client.get(MEMBERS + "&offset=10").json()
    assert (first["TotalCount"], second["TotalCount"]) == (48, 47)
    assert [row["ID"] for row in second["Items"]["$values"]] == numbers(112, 121)


def test_a_page_is_empty_although_more_follow(start: Start) -> None:
    _, client = start(faults_at={"empty-page": 1})
    page = client.get(MEMBERS).json()
    assert (page["Items"]["$values"], page["Count"]) == ([], 0)
    assert (page["HasNext"], page["NextOffset"], page["TotalCount"]) == (True, 10, 48)


def test_page_faults_hit_entity_lists_too(start: Start) -> None:
    _, client = start(faults_at={"page-repeat": 1})
    rows = items(client.get("/api/ABC_Membership?limit=2&offset=2"))
    assert [values(row)["ID"] for row in rows] == ["101", "102"]


def test_a_read_that_was_made_before_is_stale(start: Start) -> None:
    _, client = start(faults_at={"stale-read": 1})
    old = client.get("/api/ABC_Membership/101").json()
    client.put("/api/ABC_Membership/101", json=generic("ABC_Membership", Standing="HONORARY"))
    assert client.get("/api/ABC_Membership/101").json() == old
    assert values(client.get("/api/ABC_Membership/~101").json())["Standing"] == "HONORARY"


def test_a_search_before_a_write_is_stale_after_it(start: Start) -> None:
    _, client = start(faults_at={"stale-read": 1})
    search = "/api/ABC_Scores?ID=eq:101&Course=eq:Maths"
    assert items(client.get(search)) == []
    client.post("/api/ABC_Scores", json=WRITE)
    assert items(client.get(search)) == []


@pytest.mark.parametrize(("name", "count"), [("write-500", 0), ("write-500-saved", 1)])
def test_a_write_answers_500_saved_or_not(start: Start, name: str, count: int) -> None:
    site, client = start(faults_at={name: 1})
    reply = client.post("/api/ABC_Scores", json=WRITE)
    assert (reply.status_code, reply.json()["Message"]) == (500, ADMINISTRATOR)
    assert stored(site) == len(site.writes) == count
    assert client.get("/api/ABC_Membership/101").status_code == 200


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_the_connection_is_cut_after_a_write(start: Start, method: str) -> None:
    site, client = start(faults_at={"cut-after-write": 1})
    path, body = "/api/ABC_Scores", WRITE
    if method == "PUT":
        path, body = "/api/ABC_Membership/101", generic("ABC_Membership", Standing="HONORARY")
    with pytest.raises(httpx.RemoteProtocolError):
        client.request(method, path, json=body)
    assert [write.method for write in site.writes] == [method]
    assert client.get(MEMBERS).status_code == 200


def test_a_write_that_is_refused_is_not_cut(start: Start) -> None:
    _, client = start(faults_at={"cut-after-write": 1})
    assert client.post("/api/ABC_Scores", json=generic("ABC_Scores", ID="101")).status_code == 400


@pytest.mark.parametrize("endpoint", ["query", "iqa"])
def test_a_good_query_is_not_found(start: Start, endpoint: str) -> None:
    _, client = start(faults_at={"query-not-found": 1})
    reply = client.get(f"/api/{endpoint}?QueryName=$/Idms/Members")
    assert (reply.status_code, reply.json()["Message"]) == (400, "Query: $/Idms/Members not found.")


def test_a_page_is_slow(start: Start) -> None:
    _, client = start(faults_at={"slow-page": 1}, slow_s=0.2)
    began = time.monotonic()
    assert client.get(MEMBERS).status_code == 200
    assert time.monotonic() - began >= 0.2


def test_a_slow_page_does_not_hold_up_others(start: Start) -> None:
    _, client = start(faults_at={"slow-page": 1}, slow_s=600)
    with pytest.raises(httpx.ReadTimeout):
        client.get(MEMBERS, timeout=0.2)
    assert client.get("/api/Party/101").status_code == 200


@pytest.mark.parametrize(("name", "after"), [("too-many", None), ("too-many-retry", "1")])
def test_there_are_too_many_requests(start: Start, name: str, after: str | None) -> None:
    site, client = start(faults_at={name: 1})
    reply = client.post("/api/ABC_Scores", json=WRITE)
    assert (reply.status_code, reply.headers.get("Retry-After")) == (429, after)
    assert site.writes == []
    assert client.get(MEMBERS).status_code == 429


@pytest.mark.parametrize("path", ["/api/BoEntityDefinition", "/api/metadata/Party"])
def test_metadata_is_not_implemented(start: Start, path: str) -> None:
    _, client = start(faults_at={"metadata-501": 1})
    assert client.get(path).status_code == 501
    assert client.get(MEMBERS).status_code == 200


def test_a_proxy_answers_in_html(start: Start) -> None:
    _, client = start(faults_at={"not-json": 1})
    replies = [client.get(MEMBERS) for _ in range(30)]
    assert {reply.status_code for reply in replies} == {403, 502, 503}
    assert {reply.headers["Content-Type"] for reply in replies} == {"text/html; charset=utf-8"}
    assert all(reply.text.startswith("<html>") for reply in replies)


def test_faults_leave_the_login_and_the_sandboxs_own_pages_alone(start: Start) -> None:
    _, client = start(faults_at=dict.fromkeys(("too-many", "not-json", "token-dies"), 1))
    log_in(client)
    assert client.get("/_sandbox/calls").status_code == 200


def test_the_same_seed_gives_the_same_faults(start: Start) -> None:
    runs = []
    for _ in range(2):
        site, client = start(faults_at={"too-many": 0.3}, seed=5)
        runs.append([client.get("/api/Party/101").status_code for _ in range(40)])
        assert site.calls["faults"] == {"too-many": runs[-1].count(429)}
    assert runs[0] == runs[1]
    assert 0 < runs[0].count(429) < 40


def test_a_fault_is_switched_over_the_wire(client: httpx.Client) -> None:
    reply = client.post("/_sandbox/fault", json={"too-many": 1})
    assert reply.json()["too-many"]["rate"] == 1
    assert client.get(MEMBERS).status_code == 429
    client.post("/_sandbox/fault", json={"too-many": 0})
    assert client.get(MEMBERS).status_code == 200


@pytest.mark.parametrize(
    ("rates", "said"),
    [
        ({"too-mny": 1}, "There is no fault named 'too-mny'. Did you mean too-many?"),
        ({"too-many": 1.5}, "The rate of too-many is 1.5. A rate lies between 0 (never) and 1 (always)."),
        ({"too-many": "often"}, "The rate of too-many is 'often'. Send a number from 0 to 1."),
    ],
)
def test_a_wrong_switch_is_refused(client: httpx.Client, rates: dict[str, object], said: str) -> None:
    reply = client.post("/_sandbox/fault", json=rates)
    assert (reply.status_code, reply.json()["Message"]) == (400, said)


def test_a_fault_is_written_name_equals_rate() -> None:
    assert parse_fault("page-overlap=0.25") == ("page-overlap", 0.25)


@pytest.mark.parametrize(
    ("text", "said", "hint"),
    [
        ("page-overlop=1", "There is no fault named 'page-overlop'.", "Did you mean page-overlap?"),
        ("too-many", "'too-many' has no rate.", "Write --fault too-many=0.05 for five in a hundred."),
        (
            "too-many=x",
            "The rate in 'too-many=x' is not a number.",
            "Write --fault too-many=0.05 for five in a hundred.",
        ),
    ],
)
def test_a_fault_that_is_written_wrong_is_refused(text: str, said: str, hint: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_fault(text)
    assert (str(caught.value), caught.value.hint) == (said, hint)


@pytest.mark.parametrize("rate", [-0.1, 1.1, float("nan")])
def test_a_rate_lies_between_0_and_1(rate: float) -> None:
    with pytest.raises(InputError):
        Sandbox(members=0, faults_at={"too-many": rate})
