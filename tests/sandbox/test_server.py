"""The server around the site: connections, threads, counters, its own pages, and the file."""

import http.client
import json
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from idms_cli.errors import InputError
from idms_cli.sandbox import Sandbox
from idms_cli.sandbox.definitions import PARTY
from idms_cli.sandbox.queries import Column, Query
from idms_cli.sandbox.server import serve

from .conftest import LOGIN, Start
from .wire import generic, items, person, values


def connect(client: httpx.Client) -> socket.socket:
    """A bare connection to the server that `client` talks to."""
    return socket.create_connection((client.base_url.host, client.base_url.port or 0), timeout=10)


def test_one_connection_serves_many_requests(client: httpx.Client) -> None:
    connection = http.client.HTTPConnection(client.base_url.host, client.base_url.port, timeout=10)
    headers = {"Authorization": client.headers["Authorization"]}
    connection.connect()
    sock = connection.sock
    for path in ("/api/Party/101", "/api/Party/999999", "/api/NoSuchThing", "/api/Party/102"):
        connection.request("GET", path, headers=headers)
        connection.getresponse().read()
        assert connection.sock is sock
    connection.close()


def test_an_answer_that_refuses_a_body_leaves_the_connection_in_order(client: httpx.Client) -> None:
    for _ in range(3):
        assert client.post("/api/ABC_Scores", content=b"{ not json").status_code == 400
        assert client.post("/api/ABC_Scores", content=b"[" * 100_000).status_code == 400
        assert client.get("/api/Party/101").status_code == 200


def test_a_body_without_a_length_is_refused(client: httpx.Client) -> None:
    reply = client.post("/api/ABC_Scores", content=iter([b"{}"]))
    assert reply.status_code == 411
    assert client.get("/api/Party/101").status_code == 200


def test_the_server_ends_with_connections_open() -> None:
    before = threading.active_count()
    with serve(Sandbox(members=0)) as url:
        parts = urlsplit(url)
        connection = socket.create_connection((parts.hostname or "", parts.port or 0), timeout=10)
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.recv(12) == b"HTTP/1.1 200"
    assert threading.active_count() == before
    connection.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((parts.hostname or "", parts.port or 0), timeout=10)


def test_one_site_can_be_served_twice_in_a_row() -> None:
    site = Sandbox(members=1, latency_s=0.001)
    for _ in range(2):
        with serve(site) as url:
            assert httpx.post(f"{url}/token", data=LOGIN).status_code == 200
    assert site.calls["tokens"] == 2


def test_calls_are_counted_by_method_and_kind_refused_ones_too(start: Start) -> None:
    site, client = start()
    client.get("/api/party/101")
    client.get("/api/Party/999999")
    client.get("/api/query?QueryName=$/Idms/Members")
    client.post("/api/ABC_Scores", json=generic("ABC_Scores", ID="101"))
    client.post("/api/ABC_Scores/_validate", json=generic("ABC_Scores", ID="101"))
    client.get("/api/<script>")
    client.get("/")
    assert client.get("/_sandbox/calls").json() == {
        "total": 7,
        "calls": {
            "GET Party": 2,
            "GET other": 1,
            "GET query": 1,
            "POST ABC_Scores": 1,
            "POST ABC_Scores/_validate": 1,
            "POST token": 1,
        },
        "statuses": {"200": 4, "400": 1, "404": 2},
        "writes": 0,
        "peak_concurrent": 1,
        "tokens": 1,
        "refused_logins": 0,
        "faults": {},
    }
    assert client.post("/_sandbox/reset").json()["calls"] == {}
    assert site.calls["total"] == 0


def test_the_peak_of_concurrent_requests_is_told(start: Start) -> None:
    site, client = start(latency_s=0.3)
    with ThreadPoolExecutor(4) as pool:
        replies = list(pool.map(client.get, ["/api/Party/101"] * 4))
    assert [reply.status_code for reply in replies] == [200] * 4
    assert 2 <= site.calls["peak_concurrent"] <= 4


def test_concurrent_writers_get_ordinals_of_their_own(start: Start) -> None:
    site, client = start(members=1)
    before = len(site.rows("ABC_Scores"))

    def post(number: int) -> int:
        body = generic("ABC_Scores", ID="101", Course=f"Course {number}")
        return client.post("/api/ABC_Scores", json=body).status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(post, range(80))) == {201}
    ordinals = [row["Ordinal"] for row in site.rows("ABC_Scores")[before:]]
    assert sorted(int(number or 0) for number in ordinals) == list(range(before + 1, before + 81))


def test_writes_are_listed_in_order(client: httpx.Client) -> None:
    client.post("/api/ABC_Scores", json=generic("ABC_Scores", ID="150", Course="Maths", Score=3))
    client.post("/api/Activity", json=generic("Activity", PartyId="101", ACTIVITY_TYPE="CALL"))
    writes = client.get("/_sandbox/writes").json()
    assert [(write["method"], write["path"], write["entity"]) for write in writes] == [
        ("POST", "/api/ABC_Scores", "ABC_Scores"),
        ("POST", "/api/Activity", "Activity"),
    ]
    assert writes[0]["key"] == "150|1"
    assert writes[0]["summary"] == "ID=150, Ordinal=1, Course=Maths, Score=3"
    assert client.get("/_sandbox/writes?last=1").json() == writes[1:]


def test_rows_are_loaded_in_bulk(client: httpx.Client) -> None:
    rows = [{"ID": str(number), "Course": "Maths", "Score": number} for number in range(5000, 6000)]
    reply = client.post("/_sandbox/load", json={"entity": "abc_scores", "rows": rows})
    assert reply.json() == {"entity": "abc_scores", "loaded": 1000}
    (row,) = items(client.get("/api/ABC_Scores?ID=5999"))
    assert values(row)["Score"] == {"$type": "System.Int32", "$value": 5999}
    assert client.get("/_sandbox/writes").json() == []


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"entity": "ABC_Nothing", "rows": []}, "There is no entity named 'ABC_Nothing'."),
        ({"entity": "ABC_Scores", "rows": [{"Kurs": 1}]}, "ABC_Scores has no property 'Kurs'."),
        ({"entity": "ABC_Scores", "rows": [{"Score": "x"}]}, "ABC_Scores cannot hold 'x' as Score."),
        ({"entity": "Party", "rows": []}, "Contacts cannot be loaded as rows."),
        ({"rows": []}, "Nothing was loaded."),
        ([], "The request body is not a JSON object."),
    ],
)
def test_a_wrong_load_is_refused(client: httpx.Client, body: object, said: str) -> None:
    reply = client.post("/_sandbox/load", json=body)
    assert reply.status_code == 400
    assert reply.json()["Message"].startswith(said)


def test_an_unknown_page_of_the_sandbox_tells_those_that_are_there(client: httpx.Client) -> None:
    reply = client.get("/_sandbox/nothing")
    assert reply.status_code == 404
    assert "GET calls" in reply.json()["Message"]


def test_the_page_for_people_shows_what_was_written_and_escapes_it(client: httpx.Client) -> None:
    client.post("/api/Person", json=person(LastName="<script>alert(1)"))
    page = client.get("/")
    assert page.status_code == 200
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "&lt;script&gt;alert(1)" in page.text
    assert "<script" not in page.text
    for text in ("ABC_Membership", "$/Idms/Lapsed members", "POST Person"):
        assert text in page.text


def test_text_of_the_world_comes_back_as_it_was_sent(client: httpx.Client) -> None:
    text = "日本 🎓 ß\ud800"
    body = json.dumps(generic("ABC_Scores", ID="101", Course=text))
    assert client.post("/api/ABC_Scores", content=body.encode()).status_code == 201
    assert client.get("/_sandbox/writes").status_code == 200
    (row,) = items(client.get("/api/ABC_Scores?Course=startsWith:日本"))
    assert str(values(row)["Course"]).startswith("日本 🎓 ß")


def test_a_bug_in_the_sandbox_is_told_and_ends_nothing(start: Start, capsys: pytest.CaptureFixture[str]) -> None:
    site, client = start()
    site.add_query(Query("$/Broken", PARTY, (Column("X", "NoSuchProperty"),)))
    reply = client.get("/api/query?QueryName=$/Broken")
    assert (reply.status_code, reply.json()["Message"]) == (500, "The sandbox has a bug; see its own output.")
    assert "KeyError" in capsys.readouterr().err
    assert client.get("/api/ABC_Membership/101").status_code == 200


def test_records_outlive_the_server_in_a_file(tmp_path: Path, start: Start) -> None:
    path = tmp_path / "site.json"
    with serve(Sandbox(members=30, data=path)) as url:
        token = httpx.post(f"{url}/token", data=LOGIN).json()["access_token"]
        client = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"})
        with client:
            client.post("/api/Person", json=person(LastName="Brontë"))
            client.post("/api/ABC_Codes", json=generic("ABC_Codes", Code="X"))
            client.delete("/api/ABC_Codes/6")
    site, client = start(data=path, members=1)
    assert (len(site.rows("Party")), site.rows("Party")[-1]["Name"]) == (31, "Brontë")
    assert client.get("/api/Party/131").json()["PersonName"]["LastName"] == "Brontë"
    assert client.post("/api/Person", json=person(LastName="Byron")).json()["Id"] == "132"
    client.post("/api/ABC_Codes", json=generic("ABC_Codes", Code="Y"))
    assert site.rows("ABC_Codes")[-1]["Ordinal"] == 7
    assert client.post("/_sandbox/save").json() == {"saved": str(path)}
    assert len(Sandbox(data=path).rows("Party")) == 32


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"format": 9}', '{"format": 1, "parties": [{}], "tables": {}}', "\udcff"], ids=ascii
)
def test_a_file_of_another_kind_is_refused_and_left_alone(tmp_path: Path, text: str) -> None:
    path = tmp_path / "site.json"
    path.write_text(text, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(InputError, match="does not hold a sandbox's records"):
        Sandbox(data=path)
    assert path.read_text(encoding="utf-8", errors="surrogateescape") == text


def test_the_inbox_keeps_what_was_sent_to_it(client: httpx.Client) -> None:
    assert client.post("/_sandbox/inbox", json=[{"ID": "101"}]).json() == {"received": 1}
    client.post("/_sandbox/inbox", json={"ID": "102"})
    assert client.get("/_sandbox/inbox").json() == [[{"ID": "101"}], {"ID": "102"}]
