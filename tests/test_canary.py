"""A secret goes to the site and nowhere else: not into files, output, crash files or the arguments of processes."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from idms_cli.config.redaction import forms
from idms_cli.dispatch.processes import descendants
from idms_cli.sandbox import Sandbox
from tests.conftest import Place, until

SECRET = "Kanarienvögel \"9\\%41&+<x>'ß 東"
"""Looks different in JSON, Python, URLs, HTML, a terminal and base64."""

FORMS = sorted(form.encode() for form in forms(SECRET))

BUG = """
from idms_cli.config.secrets import Secret
reveal = Secret.reveal
def crash(self):
    raise LookupError(f"an odd login: {reveal(self)}") from ValueError(reveal(self).encode())
Secret.reveal = crash
"""
NO_MASK = (
    BUG
    + """
from idms_cli.config.redaction import Redactor
Redactor.redact = lambda self, text: text
"""
)


def _hits(data: bytes) -> list[bytes]:
    return [form for form in FORMS if form in data]


def _leaks(folder: Path) -> list[str]:
    """The files below a folder that hold the secret in any form."""
    return [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and _hits(path.read_bytes())]


class Watch:
    """Looks for the secret among the arguments of all processes below this one, over and over, while a block runs."""

    def __init__(self) -> None:
        self.looks = 0
        self.found: set[bytes] = set()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.is_set():
            for pid in descendants():
                with suppress(OSError):  # it has just ended
                    arguments = Path(f"/proc/{pid}/cmdline").read_bytes()
                    self.looks += 1
                    if _hits(arguments):
                        self.found.add(arguments)
            time.sleep(0.02)


class Guarded(Place):
    """An installation whose every command is searched for the secret."""

    def idms(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        with Watch() as watch:
            told = super().idms("--debug", *arguments)
        assert watch.looks > 0
        assert watch.found == set()
        assert _hits(told.stdout.encode()) == _hits(told.stderr.encode()) == []
        assert _leaks(self.state) == []
        return told

    def status_of(self, *arguments: str) -> tuple[str, int]:
        """Status of the newest run, and the command's exit code."""
        code = self.idms(*arguments).returncode
        return self.runs()[-1].status, code


def _from_environment(place: Place) -> str:
    place.environment["CANARY"] = SECRET
    return "{env: CANARY}"


def _from_file(place: Place) -> str:
    place.write("secret.txt", SECRET + "\n").chmod(0o600)
    return "{file: secret.txt}"


def _from_credential(place: Place) -> str:
    place.write("credentials/imis", SECRET)
    place.environment["CREDENTIALS_DIRECTORY"] = str(place.directory / "credentials")
    return "{credential: imis}"


def _from_command(place: Place) -> str:
    place.write("secret.txt", SECRET + "\n").chmod(0o600)
    return "{command: [cat, secret.txt]}"


@pytest.fixture
def site() -> Sandbox:
    return Sandbox(users={"idms-background": SECRET}, members=10)


@pytest.fixture
def place(tmp_path: Path, url: str) -> Place:
    made = Guarded(tmp_path, url)
    del made.environment["IDMS_TEST_PASSWORD"]
    made.job("scores")
    made.scores("scores", 3)
    return made


def _settings(place: Place, url: str, source: str, *, username: str = "idms-background") -> None:
    login = f"username: {username}, password: {source}"
    place.write("idms.yaml", f'connections:\n  test: {{url: "{url}", {login}, rate: 5000/s, settle: 0s}}\n')


@pytest.fixture
def tactless_site() -> Iterator[str]:
    """Refuses every login, and repeats the password in its answer, in JSON and as it came."""

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = self.rfile.read(int(self.headers["Content-Length"]))
            password = parse_qs(asked.decode())["password"][0]
            told = {"error": "invalid_grant", "error_description": f"No '{password}' here. You sent {asked.decode()}"}
            body = json.dumps(told).encode()
            self.send_response(400, "Bad Request")
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("source", [_from_environment, _from_file, _from_credential, _from_command])
def test_a_secret_goes_to_the_site_and_nowhere_else(
    place: Guarded, site: Sandbox, url: str, source: Callable[[Place], str]
) -> None:
    where = source(place)
    _settings(place, url, where, username="stranger")
    assert place.status_of("run", "scores") == ("failed", 4)

    _settings(place, url, where)
    _with_a_bug(place, BUG)
    assert place.status_of("run", "scores") == ("failed", 3)
    (crash,) = (place.state / "crash").iterdir()
    assert "LookupError: an odd login: ***\n" in crash.read_text(encoding="utf-8")
    assert place.runs()[-1].reason == "a bug in idms: LookupError"
    place.environment["PYTHONPATH"] = os.environ.get("PYTHONPATH", "")

    assert place.status_of("run", "scores") == ("completed", 0)
    assert place.runs()[-1].counts["inserted"] == 3

    site.latency_s = 1.2
    path = place.job("scores")
    path.write_text(path.read_text() + "timeout: 1s\n")
    assert place.status_of("run", "scores") == ("failed", 1)
    assert place.runs()[-1].reason == "the time limit of 1s was reached"

    for line in ("status --json", "show 2 --json"):
        assert place.idms(*line.split()).returncode == 0


def test_a_site_that_repeats_the_password_does_not_bring_it_into_the_state(place: Guarded, tactless_site: str) -> None:
    _settings(place, tactless_site, _from_environment(place))
    assert place.status_of("run", "scores") == ("failed", 4)


def _with_a_bug(place: Place, code: str) -> None:
    """Python runs a `sitecustomize` on its path first: so the bug is in each process that the command starts."""
    place.write("bug/sitecustomize.py", code)
    mine = [str(place.directory / "bug"), os.environ.get("PYTHONPATH", "")]
    place.environment["PYTHONPATH"] = os.pathsep.join(filter(None, mine))


def test_the_search_finds_a_secret_that_is_there(place: Guarded, url: str) -> None:
    """The negative control: the same crash without the mask."""
    _settings(place, url, _from_environment(place))
    _with_a_bug(place, NO_MASK)
    with pytest.raises(AssertionError, match="crash/"):
        place.idms("run", "scores")


@pytest.mark.parametrize("form", FORMS, ids=range(len(FORMS)))
def test_every_form_is_found_in_a_file(tmp_path: Path, form: bytes) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run/history.db-wal").write_bytes(b"\0\xff" + form + b"\xfe")
    assert _leaks(tmp_path) == ["run/history.db-wal"]


def test_a_secret_among_the_arguments_of_a_process_is_found() -> None:
    with Watch() as watch:
        process = subprocess.Popen([sys.executable, "-c", "input()", SECRET], stdin=subprocess.PIPE)
        until(lambda: watch.found)
        process.communicate(b"\n")
    assert process.returncode == 0
