"""The door to the site: one exchange with it, paced and counted; nothing above knows httpx."""

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httpx

from idms_cli.errors import IdmsError, InputError, Unreachable
from idms_cli.imis.access import SiteAccess
from idms_cli.imis.answers import Answer
from idms_cli.imis.clock import Clock
from idms_cli.imis.connection import Connection
from idms_cli.imis.counts import CallCounts
from idms_cli.imis.pacing import Pace
from idms_cli.web.tls import certificate_fault, trusted

CONNECT_TIMEOUT_S = 10.0

SLOW_S = 5.0
"""A call that took longer is told in the log."""


@dataclass(frozen=True)
class Exchange:
    """One request as it goes out. `address` is the path with its encoded query, which is never logged."""

    method: str
    address: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    content: bytes | None = field(default=None, repr=False)
    form: Mapping[str, str] | None = field(default=None, repr=False)

    @property
    def what(self) -> str:
        """The request for logs and messages: verb and path, no data."""
        return f"{self.method} {self.address.partition('?')[0]}"


class NoAnswer(Exception):
    """The network failed. `sent` tells whether the site may have got the request."""

    def __init__(self, text: str, *, sent: bool) -> None:
        super().__init__(text)
        self.sent = sent


class Transport:
    """Sends requests to one site. Thread-safe: each thread has a connection of its own.

    (The connection pool of httpx 0.28 looks through all its connections for each request: encode/httpx#3215.)
    """

    def __init__(self, access: SiteAccess, pace: Pace, *, clock: Clock, log: Callable[[str], None]) -> None:
        self.calls = CallCounts()
        self._url = access.site_url()
        self._pace = pace
        self._clock = clock
        self._log = log
        self._tls = trusted(access.ca_file)
        self._timeout = httpx.Timeout(access.timeout_s, connect=min(CONNECT_TIMEOUT_S, access.timeout_s))
        self._own = threading.local()
        self._connections: list[Connection] = []
        self._lock = threading.Lock()

    def send(self, exchange: Exchange, *, count_as: str) -> Answer:
        """One answer, whatever its status. Raises `NoAnswer`, and `Unreachable` when trying again cannot help."""
        with self._pace.turn():
            started = self._clock.ticks()
            outcome = "no answer"
            try:
                response = self._connection().send(
                    exchange.method, exchange.address, exchange.headers, exchange.content, exchange.form
                )
                outcome = str(response.status_code)
            except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
                raise _translate(error, exchange.what, self._url) from error
            finally:
                seconds = self._clock.ticks() - started
                self.calls.sent(count_as, seconds)
                if count_as == "token" or seconds > SLOW_S or not _is_ordinary(exchange.method, outcome):
                    self._log(f"{exchange.what} {outcome} {seconds * 1000:.0f} ms")
        return Answer(exchange.what, response.status_code, response.headers, response.content)

    def close(self) -> None:
        """Close the connections of all threads."""
        with self._lock:
            connections, self._connections = self._connections, []
        for connection in connections:
            connection.close()
        self._own = threading.local()

    def _connection(self) -> Connection:
        connection: Connection | None = getattr(self._own, "connection", None)
        if connection is None:
            connection = self._own.connection = Connection(self._url, self._tls, self._timeout)
            with self._lock:
                self._connections.append(connection)
        return connection


def _is_ordinary(method: str, outcome: str) -> bool:
    """Done, or a look for a record that is not there: not worth a line among 100,000 of its kind."""
    return outcome.startswith("2") or (method == "GET" and outcome == "404")


def _translate(error: Exception, what: str, url: str) -> NoAnswer | IdmsError:
    """What a failure of httpx means to us. Its text is not used where it could hold data."""
    host = urlsplit(url).netloc
    if refused := certificate_fault(error):
        return Unreachable(
            f"The certificate of {host} is not trusted: {refused}.",
            hint="If the site has a private authority, name its certificate in `ca_file:` of the connection.",
        )
    if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol | httpx.LocalProtocolError):
        return InputError(f"{what} cannot be sent to {host}: {type(error).__name__}.")
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout):
        late = isinstance(error, httpx.TimeoutException)
        text = "not within the time limit" if late else re.sub(r"^\[Errno -?\d+\] ", "", str(error))
        return NoAnswer(f"{what}: no connection to {host}: {text}", sent=False)
    if isinstance(error, httpx.TimeoutException):
        return NoAnswer(f"{what}: {host} did not answer within the time limit", sent=True)
    return NoAnswer(f"{what}: the connection to {host} broke ({type(error).__name__})", sent=True)
