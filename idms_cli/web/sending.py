"""Requests to one server: each is sent once, and what is told of a lost answer is whether the server may have it."""

import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import httpcore
import httpx

from idms_cli.errors import InputError
from idms_cli.web.bodies import Body
from idms_cli.web.failures import OF_HTTPCORE, Kind, Why, why
from idms_cli.web.tls import trusted
from idms_cli.web.wire import Limit, LimitedBackend

CONNECT_TIMEOUT_S = 10.0
KEPT_ALIVE_S = 1.0
"""An idle connection is used again for so long only: servers close theirs after two seconds or more, and a request
that meets such an end is lost, and nobody knows whether it was read."""
MOST_ANSWER = 1 << 20
"""Bytes of an answer that are read."""
SLOWEST = 10_000
"""Bytes a second at which a server has to take a body, beside the silence that it is allowed."""

_HEADERS = {"User-Agent": "idms", "Accept": "*/*", "Accept-Encoding": "identity"}


@dataclass(frozen=True)
class Call:
    """One request. `url` may hold a key: it is never part of a message, `shown` is."""

    method: str
    url: str = field(repr=False)
    shown: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Printable ASCII only."""
    body: bytes | Path | None = field(default=None, repr=False)
    """A file is read piece by piece."""


@dataclass(frozen=True)
class Answer:
    """What a server said, whatever its status."""

    status: int
    headers: Mapping[str, str]
    """By name, in any letter case."""
    body: bytes = field(repr=False)
    whole: bool = True
    """False when the connection ended in the body, or it is longer than anybody reads."""


class NoAnswer(Exception):
    """The network failed. `sent` tells whether the server may have got all of the request."""

    def __init__(self, reason: Why, *, sent: bool) -> None:
        super().__init__(reason.text)
        self.kind: Kind = reason.kind
        self.hint = reason.hint
        self.sent = sent


class Sender:
    """Sends requests to one server: to addresses with the same scheme, host and port. Use as a context.

    Thread-safe: each thread has a connection of its own. Redirects are never followed, proxies not asked.
    """

    def __init__(
        self, site: str, *, ca_file: Path | None = None, silence_s: float = 60.0, most_answer: int = MOST_ANSWER
    ) -> None:
        """`silence_s` is how long the server may be silent, `most_answer` the bytes of an answer that are read.

        Raises `InputError` for an address that is none.
        """
        try:
            url = httpx.URL(site)
        except httpx.InvalidURL as error:
            raise InputError("the address of the server cannot be used", hint="Check its host and port.") from error
        self._origin = httpcore.Origin(url.raw_scheme, url.raw_host, url.port or (443 if url.scheme == "https" else 80))
        self._host = url.netloc
        self._tls = trusted(ca_file) if url.scheme == "https" else None
        self._silence_s = silence_s
        self._most_answer = most_answer
        self._own = threading.local()
        self._lines: list[_Line] = []
        self._lock = threading.Lock()
        self._is_cut = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections of all threads."""
        with self._lock:
            lines, self._lines = self._lines, []
        for line in lines:
            line.close()
        self._own = threading.local()

    def cut(self) -> None:
        """End all exchanges that are in hand, and begin none any more: for when nobody can wait."""
        self._is_cut = True
        with self._lock:
            for line in self._lines:
                line.cut()

    def send(self, call: Call) -> Answer:
        """One answer, whatever its status.

        Raises `NoAnswer`, `InputError` for what cannot be a request, and `IdmsError` when the body cannot be read.
        """
        if self._is_cut:
            raise NoAnswer(Why("broken", "it was broken off", ""), sent=False)
        body = Body(call.body)
        try:
            return self._line().exchange(self._request(call, body), self._silence_s + body.size / SLOWEST)
        except (httpcore.LocalProtocolError, httpx.InvalidURL) as error:
            raise InputError(f"{call.method} {call.shown} cannot be sent: it is no request of HTTP.") from error
        except OF_HTTPCORE as error:
            raise NoAnswer(why(error), sent=body.left) from error
        finally:
            body.close()

    def _request(self, call: Call, body: Body) -> httpcore.Request:
        given = {name.casefold() for name in call.headers}
        fields = {**{name: text for name, text in _HEADERS.items() if name.casefold() not in given}, **call.headers}
        headers = [
            (b"Host", self._host),
            *((name.encode("ascii"), text.encode("ascii")) for name, text in fields.items()),
        ]
        if call.body is not None or call.method in {"POST", "PUT", "PATCH"}:
            headers.append((b"Content-Length", str(body.size).encode("ascii")))
        url = httpcore.URL(
            scheme=self._origin.scheme,
            host=self._origin.host,
            port=self._origin.port,
            target=httpx.URL(call.url).raw_path,
        )
        timeout = httpx.Timeout(self._silence_s, connect=min(CONNECT_TIMEOUT_S, self._silence_s))
        return httpcore.Request(
            call.method, url, headers=headers, content=body, extensions={"timeout": timeout.as_dict()}
        )

    def _line(self) -> "_Line":
        line: _Line | None = getattr(self._own, "line", None)
        if line is None:
            line = self._own.line = _Line(self._origin, self._tls, self._most_answer)
            with self._lock:
                self._lines.append(line)
        return line


class _Line:
    """The connection of one thread, opened when it is first needed and again when it was closed."""

    def __init__(self, origin: httpcore.Origin, tls: ssl.SSLContext | None, most_answer: int) -> None:
        self._origin = origin
        self._most_answer = most_answer
        self._tls = tls
        self._limit = Limit()
        self._connection: httpcore.HTTPConnection | None = None

    def exchange(self, request: httpcore.Request, limit_s: float) -> Answer:
        """Raises what httpcore does when there is no answer. One whose body is cut off is an answer."""
        self._limit.begin(limit_s)
        response = self._open().handle_request(request)
        try:
            body, whole = _read(response, self._most_answer)
        finally:
            response.close()
        return Answer(response.status, httpx.Headers(response.headers), body, whole)

    def cut(self) -> None:
        self._limit.cut()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()

    def _open(self) -> httpcore.HTTPConnection:
        connection = self._connection
        if connection is not None and not connection.is_closed() and not connection.has_expired():
            return connection
        self.close()
        self._connection = httpcore.HTTPConnection(
            self._origin,
            ssl_context=self._tls,
            keepalive_expiry=KEPT_ALIVE_S,
            network_backend=LimitedBackend(self._limit),
        )
        return self._connection


def _read(response: httpcore.Response, most: int) -> tuple[bytes, bool]:
    pieces: list[bytes] = []
    size = 0
    try:
        for piece in response.iter_stream():
            pieces.append(piece)
            size += len(piece)
            if size > most:
                return b"".join(pieces)[:most], False
    except OF_HTTPCORE:  # the status has come, and that decides
        return b"".join(pieces), False
    return b"".join(pieces), True
