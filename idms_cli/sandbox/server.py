"""The sandbox on a port of this machine: HTTP/1.1 with keep-alive, one thread for each connection."""

import json
import socket
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any
from urllib.parse import parse_qsl, unquote

from idms_cli.sandbox.exchange import RefusedError, Reply, Request, http_error
from idms_cli.sandbox.routes import answer, kind_of
from idms_cli.sandbox.site import Sandbox

LARGEST_BODY = 256 * 1024 * 1024
LOOPBACK = "127.0.0.1"


@contextmanager
def serve(site: Sandbox, *, host: str = LOOPBACK, port: int = 0) -> Iterator[str]:
    """Serve `site` while the block runs, and give its URL. Port 0 takes a free one.

    At the end every connection is closed, every thread has ended and the records are saved, if the site has a file.
    Raises `OSError` when the port is taken.
    """
    with _Server((host, port), site) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        site.stop_pauses(stop=False)
        thread.start()
        try:
            yield f"http://{_printable(host)}:{server.server_address[1]}"
        finally:
            site.stop_pauses()
            server.shutdown()
            thread.join()
            server.hang_up()
            site.save()


def _printable(host: str) -> str:
    return f"[{host}]" if ":" in host else host


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, address: tuple[str, int], site: Sandbox) -> None:
        self.site = site
        self._open: dict[socket.socket, threading.Thread] = {}
        self._open_lock = threading.Lock()
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        TCPServer.server_bind(self)  # HTTPServer would look up the host's full name as well, which can take seconds
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        thread = threading.Thread(target=self.process_request_thread, args=(request, client_address), daemon=True)
        with self._open_lock:
            self._open[request] = thread
        thread.start()

    def shutdown_request(self, request: Any) -> None:
        with self._open_lock:
            self._open.pop(request, None)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """Close all connections and wait for their threads."""
        with self._open_lock:
            connections = list(self._open.items())
        for connection, _thread in connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # the client was quicker
        for _connection, thread in connections:
            thread.join(timeout=5)

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def _handle(self) -> None:
        site = self.server.site
        request, refused = self._read()
        kind = kind_of(site, request)
        if not kind:
            self._send(refused or self._answer(request))
            return
        site.ledger.begin(request, kind)
        if site.latency_s:
            site.pause(site.latency_s)
        reply = refused or self._answer(request)
        site.ledger.end(reply.status)
        self._send(reply)

    def _answer(self, request: Request) -> Reply:
        try:
            return answer(self.server.site, request)
        except Exception:
            traceback.print_exc()
            return http_error(500, "The sandbox has a bug; see its own output.").reply

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = do_OPTIONS = _handle  # noqa: N815  the library's names

    def _read(self) -> tuple[Request, Reply | None]:
        """The request, and the refusal of a body that cannot be read."""
        path, _, query = self.path.partition("?")
        request = Request(
            self.command,
            path,
            tuple(unquote(part) for part in path.split("/") if part),
            tuple(parse_qsl(query, keep_blank_values=True)),
            self.headers.get("Authorization", ""),
        )
        try:
            return replace(request, content=self._content(request)), None
        except RefusedError as refusal:
            return request, refusal.reply

    def _content(self, request: Request) -> Any:
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isdigit() or int(length) > LARGEST_BODY:
            self.close_connection = True
            raise http_error(411, "The sandbox wants a Content-Length, and not more than 256 MB.")
        body = self.rfile.read(int(length))
        if not body:
            return None
        try:
            if request.asks_token:
                return dict(parse_qsl(body.decode(), keep_blank_values=True))
            return json.loads(body)
        except (ValueError, RecursionError):
            raise http_error(400, "The request body cannot be read.") from None

    def _send(self, reply: Reply) -> None:
        if reply.cut:
            self.close_connection = True
            return
        html = isinstance(reply.content, str)
        body = b"" if reply.content is None else str(reply.content).encode() if html else _json(reply.content)
        head = [
            f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}",
            f"Content-Type: {'text/html' if html else 'application/json'}; charset=utf-8",
            f"Content-Length: {len(body)}",
            *(f"{name}: {text}" for name, text in reply.headers.items()),
            *(["Connection: close"] if self.close_connection else []),
        ]
        text = "\r\n".join(head).encode("latin-1") + b"\r\n\r\n"
        self.wfile.write(text if self.command == "HEAD" else text + body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the library's name
        """Stay quiet: what was asked is at `/_sandbox/calls`."""


def _json(content: Any) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")
