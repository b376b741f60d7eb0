"""A web server that takes what transfers send, remembers idempotency keys, and does wrong what it is told to."""

import json
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import trustme


@dataclass(frozen=True)
class Taken:
    """A request as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Says:
    """What the server does with a request."""

    status: int = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] = field(default_factory=dict)
    stores: bool = True
    reads: int | None = None
    """Bytes of the body that are read; all, if unset."""
    then: str = "answer"
    """answer; `cut`: the connection ends instead; `still`: nothing ever comes; `drip`: a byte at a time, for ever."""


YES = Says()


def refuses(status: int, message: str = "", **headers: str) -> Says:
    """Says no, and has done nothing."""
    body = json.dumps({"detail": message}).encode() if message else b""
    return Says(status, body, {name.replace("_", "-"): value for name, value in headers.items()}, stores=False)


@dataclass
class Receiver:
    """The running server."""

    url: str
    ca_file: Path
    decide: Callable[[Taken], Says] = lambda _: YES
    """What becomes of a request; its body has been read as far as `early` says."""
    early: Callable[[str, Mapping[str, str]], Says | None] = lambda _path, _headers: None
    """What becomes of a request before its body is read."""
    asked: list[Taken] = field(default_factory=list)
    """All requests that came whole."""
    stored: list[Taken] = field(default_factory=list)
    """Those that had an effect."""
    answered: dict[str, Says] = field(default_factory=dict)
    """By idempotency key."""
    remembers: bool = True
    """Whether it keeps what came."""
    lock: threading.Lock = field(default_factory=threading.Lock)
    over: threading.Event = field(default_factory=threading.Event)

    def script(self, *answers: Says) -> None:
        """These, one after the other; then yes."""
        waiting = list(answers)
        self.decide = lambda _: waiting.pop(0) if waiting else YES

    def effects(self, member: str = "ID") -> Counter[str]:
        """How often each record had an effect; records are JSON objects, or lists of them."""
        found: Counter[str] = Counter()
        for taken in self.stored:
            content = taken.json()
            found.update(str(one[member]) for one in (content if isinstance(content, list) else [content]))
        return found


@contextmanager
def receiver(folder: Path, *, tls: bool = True, host: str = "127.0.0.1") -> Iterator[Receiver]:
    """With a certificate for `host` by an authority of its own, whose certificate is in `ca_file`."""
    authority = trustme.CA()
    ca_file = folder / f"receiver-{host}.pem"
    authority.cert_pem.write_to_path(str(ca_file))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def handle_one(self) -> None:
            length = int(self.headers.get("Content-Length", "0"))
            says = site.early(self.path, dict(self.headers))
            wanted = length if says is None or says.reads is None else says.reads
            if says is not None and says.reads is None and says.then == "answer":
                wanted = 0
            body = self.rfile.read(wanted)
            if says is None:
                if len(body) < length:
                    self.close_connection = True
                    return
                says = self.settled(Taken(self.command, self.path, dict(self.headers), body))
            self.act(says)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_one  # noqa: N815 - their names

        def settled(self, taken: Taken) -> Says:
            with site.lock:
                if site.remembers:
                    site.asked.append(taken)
                key = taken.headers.get("Idempotency-Key")
                if key and key in site.answered:
                    return site.answered[key]
                says = site.decide(taken)
                if says.stores:
                    site.stored.append(taken)
                    if key:
                        site.answered[key] = Says(says.status if says.status < 500 else 200, says.body, says.headers)
                return says

        def act(self, says: Says) -> None:
            if says.then == "cut":
                self.close_connection = True
                return
            if says.then == "still":
                site.over.wait(60)
                self.close_connection = True
                return
            if says.then == "drip":
                self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Drip: ")
                while not site.over.wait(0.02):
                    self.wfile.write(b"x")
                return
            self.send_response(says.status)
            for name, value in {"Content-Length": str(len(says.body)), **says.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(says.body)
            if int(says.headers.get("Content-Length", len(says.body))) != len(says.body):
                self.close_connection = True

        def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - its name
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.request_queue_size = 64
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(host).configure_cert(context)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    site = Receiver(f"{'https' if tls else 'http'}://127.0.0.1:{server.server_address[1]}", ca_file)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        site.over.set()
        server.shutdown()
        server.server_close()
        thread.join(30)
