"""A web server that answers what a test tells it to, for answers that no sandbox gives."""

import json
import ssl
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

LOGIN = {"access_token": "token-1", "token_type": "bearer", "expires_in": 1209599, "userName": "idms-background"}


@dataclass(frozen=True)
class Reply:
    """One answer. `cut` closes the connection instead; `hang` waits for the end of the test."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: bool = False
    hang: bool = False


@dataclass(frozen=True)
class Asked:
    """One request that came."""

    method: str
    target: str
    headers: Mapping[str, str]
    content: bytes

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> list[tuple[str, str]]:
        return parse_qsl(self.target.partition("?")[2], keep_blank_values=True)

    @property
    def json(self) -> Any:
        return json.loads(self.content)


class Stub:
    """What is to be answered, in order, and what was asked. Logins have their own answers."""

    def __init__(self) -> None:
        self.url = ""
        self.replies: deque[Reply] = deque()
        self.logins: deque[Reply] = deque()
        self.asked: list[Asked] = []
        self.over = threading.Event()

    def will(self, *replies: Reply) -> None:
        """Answer so to the next requests."""
        self.replies.extend(replies)

    @property
    def api(self) -> list[Asked]:
        """Requests other than logins."""
        return [one for one in self.asked if not one.path.endswith("/token")]

    @property
    def login_count(self) -> int:
        return len(self.asked) - len(self.api)

    def next_reply(self, asked: Asked) -> Reply:
        self.asked.append(asked)
        if asked.path.endswith("/token"):
            return self.logins.popleft() if self.logins else Reply(200, LOGIN)
        return self.replies.popleft() if self.replies else Reply(404, {"Message": "The test told no more answers."})


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are part of the tests."""


@contextmanager
def stub_site(certificate: Path | None = None) -> Iterator[Stub]:
    """A stub on a free port of this machine, over TLS if there is a certificate (with its key in the same file)."""
    stub = Stub()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def answer(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            reply = stub.next_reply(Asked(self.command, self.path, dict(self.headers), content))
            if reply.hang:
                stub.over.wait(20)
            if reply.cut or reply.hang:
                self.close_connection = True
                return
            body = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
            body = b"" if reply.body is None else body
            self.send_response(reply.status)
            for name, value in {"Content-Length": str(len(body)), **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815

        def log_message(self, *args: Any) -> None:
            pass

    server = _Server(("127.0.0.1", 0), Handler)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    stub.url = f"{'https' if certificate else 'http'}://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield stub
    finally:
        stub.over.set()
        server.shutdown()
        server.server_close()
        thread.join()
