"""Files from a web server: with its certificate checked, its redirects limited, and no key ever shown."""

from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from idms_cli.config.problems import ProblemsFound
from idms_cli.errors import IdmsError
from idms_cli.sandbox import Sandbox
from tests.modules.imports.office import Office, found, graded, grades
from tests.sources.servers import WebServer, web_server

PATH = "/out/scores.csv"


def job(web: WebServer, path: str = PATH, **more: Any) -> dict[str, Any]:
    """Course results from the server, whose authority is named."""
    source = {"path": f"{web.url}{path}", "ca_file": str(web.ca_file), **more}
    return graded(source={key: value for key, value in source.items() if value is not None})


def secret(office: Office, text: str) -> dict[str, str]:
    path = office.directory / "token"
    path.write_text(text)
    path.chmod(0o600)
    return {"file": str(path)}


def test_a_file_is_fetched_with_one_request_and_imported(office: Office, web: WebServer, site: Sandbox) -> None:
    web.has(PATH, grades(3))
    assert office.run(job(web)).summary == {"read": 3, "inserted": 3}
    assert len(found(site, "ABC_Scores", Course="Bookbinding")) == 3
    assert [path for path, _ in web.asked] == [PATH]


def test_a_query_is_sent_and_never_shown(office: Office, web: WebServer) -> None:
    web.answers_with(f"{PATH}?key=hunter2", 500)
    error = office.fails(job(web, f"{PATH}?key=hunter2"))
    assert str(error) == f"{web.url}{PATH}: the server answers 500."
    web.has(f"{PATH}?key=hunter2", grades(1))
    done = office.run(job(web, f"{PATH}?key=hunter2"))
    assert done.summary == {"read": 1, "inserted": 1}
    assert "hunter2" not in "".join(done.log) + office.parse(job(web, f"{PATH}?key=hunter2")).describe()


def test_a_user_and_a_password_are_sent(office: Office, web: WebServer) -> None:
    web.has(PATH, grades(1))
    office.run(job(web, auth={"user": "zoë", "password": secret(office, "käse")}))
    assert web.asked[0][1]["Authorization"] == "Basic " + b64encode("zoë:käse".encode()).decode()


def test_a_token_is_sent(office: Office, web: WebServer) -> None:
    web.has(PATH, grades(1))
    office.run(job(web, auth={"bearer": secret(office, "abc.def-123")}))
    assert web.asked[0][1]["Authorization"] == "Bearer abc.def-123"


def test_a_token_with_a_line_end_in_it_is_refused(office: Office, web: WebServer) -> None:
    error = office.fails(job(web, auth={"bearer": secret(office, "hunter2\r\nHost: evil")}))
    assert "characters that no token has" in str(error)
    assert "hunter2" not in str(error)
    assert web.asked == []


@pytest.mark.parametrize(
    ("status", "message", "code"),
    [
        (401, "the server wants a login (401)", 4),
        (403, "the server wants a login (403)", 4),
        (418, "the server answers 418.", 5),
        (204, "the server answers 204.", 5),
        (503, "the server answers 503.", 5),
    ],
)
def test_an_answer_that_is_no_file_is_told(
    office: Office, web: WebServer, status: int, message: str, code: int
) -> None:
    web.answers_with(PATH, status)
    error = office.fails(job(web))
    assert (str(error), error.exit_code) == (f"{web.url}{PATH}: {message}", code)


@pytest.mark.parametrize("status", [404, 410])
def test_a_file_that_is_not_there_is_missing(office: Office, web: WebServer, status: int) -> None:
    web.answers_with(PATH, status)
    error = office.fails(job(web))
    assert str(error) == f"missing: {web.url}{PATH}: there is no such file."
    assert error.exit_code == 5


def test_a_body_that_ends_too_early_is_no_file(office: Office, web: WebServer) -> None:
    web.answers[PATH] = (200, {"Content-Length": "1000"}, b"member,course,grade\n")
    error = office.fails(job(web))
    assert str(error) == f"{web.url}{PATH}: the connection ended before the file was whole."
    assert list((office.directory / "run1").iterdir()) == []


def test_a_redirect_is_followed_without_the_login_to_another_server(
    office: Office, web: WebServer, tmp_path: Path
) -> None:
    with web_server(tmp_path, host="localhost") as other:
        both = tmp_path / "both.pem"
        both.write_text(web.ca_file.read_text() + other.ca_file.read_text())
        elsewhere = other.url.replace("127.0.0.1", "localhost")
        other.has("/moved.csv", grades(1))
        web.answers_with(PATH, 302, Location="/here.csv")
        web.answers_with("/here.csv", 307, Location=f"{elsewhere}/moved.csv")
        auth = {"bearer": secret(office, "abc")}
        assert office.run(job(web, ca_file=str(both), auth=auth)).summary == {"read": 1, "inserted": 1}
        assert ["Authorization" in headers for _, headers in web.asked] == [True, True]
        assert ["Authorization" in headers for _, headers in other.asked] == [False]


def test_a_loop_of_redirects_ends(office: Office, web: WebServer) -> None:
    web.answers_with(PATH, 302, Location=PATH)
    error = office.fails(job(web))
    assert str(error) == f"{web.url}{PATH}: the server redirects more than 5 times."
    assert len(web.asked) == 6


@pytest.mark.parametrize("where", ["http://127.0.0.1:1/x.csv", "http://partner.example.net/x.csv", "file:///etc/x.csv"])
def test_a_redirect_to_an_open_line_is_refused(office: Office, web: WebServer, where: str) -> None:
    web.answers_with(PATH, 302, Location=where)
    error = office.fails(job(web))
    assert "the server redirects to" in str(error)
    assert error.exit_code == 5


def test_http_on_this_machine_is_not_redirected_to_others(office: Office, tmp_path: Path) -> None:
    with web_server(tmp_path, tls=False) as plain:
        plain.answers_with(PATH, 302, Location="http://partner.example.net/x.csv")
        assert "the server redirects to" in str(office.fails(job(plain, ca_file=None)))
        plain.has(PATH, grades(1))
        assert office.run(job(plain, ca_file=None)).summary == {"read": 1, "inserted": 1}


def test_a_certificate_of_nobody_who_is_trusted_is_refused(office: Office, web: WebServer) -> None:
    web.has(PATH, grades(1))
    error = office.fails(job(web, ca_file=None))
    assert "the certificate of the server is not trusted" in str(error)
    assert "`ca_file:`" in error.hint
    assert web.asked == []


def test_a_certificate_for_another_name_is_refused(office: Office, tmp_path: Path) -> None:
    with web_server(tmp_path, host="partner.example.net") as other:
        other.has(PATH, grades(1))
        error = office.fails(job(other))
        assert "the certificate of the server is not trusted" in str(error)
        assert other.asked == []


@pytest.mark.parametrize("told", [True, False], ids=["in the header", "while it comes"])
def test_a_file_that_is_too_large_is_refused(office: Office, web: WebServer, told: bool) -> None:
    web.has(PATH, grades(100))
    if not told:
        web.answers[PATH] = (200, {"Connection": "close"}, grades(100).encode())
    error = office.fails(job(web, max_size="1KB"))
    assert str(error) == f"{web.url}{PATH} is larger than 1,000 bytes"


def test_nothing_can_be_archived_at_a_web_server(office: Office, web: WebServer) -> None:
    with pytest.raises(ProblemsFound) as found_problems:
        office.parse(job(web, after={"success": "archive"}))
    assert [problem.message for problem in found_problems.value.problems] == ["nothing can be archived at https://"]


def _error(office: Office, options: dict[str, Any]) -> IdmsError:
    return office.fails(options)


def test_what_is_too_old_by_its_header_is_late(office: Office, web: WebServer) -> None:
    web.has(PATH, grades(1), Last_Modified="Wed, 21 Oct 2015 07:28:00 GMT")
    error = _error(office, job(web, expect={"newer_than": "1d"}))
    assert str(error) == "late: the newest, scores.csv, is from 2015-10-21 07:28 UTC, older than 1d"
    web.has(PATH, grades(1))
    assert str(_error(office, job(web, expect={"newer_than": "1d"}))) == "late: nobody says how old scores.csv is"
