"""Why an exchange failed: what httpx and httpcore raise, in our words, which hold no address and no secret."""

import re
from typing import Literal, NamedTuple

import httpcore
import httpx

from idms_cli.web.tls import certificate_fault

Kind = Literal["certificate", "connect", "silence", "cut", "broken"]

OF_HTTPCORE = (
    httpcore.TimeoutException,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.UnsupportedProtocol,
    httpcore.ConnectionNotAvailable,
)


class Why(NamedTuple):
    """A failure as the end of a sentence, and what to do."""

    kind: Kind
    text: str
    hint: str


def why(error: Exception) -> Why:
    """What an exception of httpx or httpcore means."""
    if refused := certificate_fault(error):
        return Why(
            "certificate",
            f"the certificate of the server is not trusted: {refused}",
            "If it has a private authority, name its certificate in `ca_file:`.",
        )
    known = as_of_httpx(error) if isinstance(error, OF_HTTPCORE) else error
    if isinstance(known, httpx.ConnectError | httpx.ConnectTimeout):
        late = isinstance(known, httpx.TimeoutException)
        text = "not within the time limit" if late else re.sub(r"^\[Errno -?\d+\] ", "", str(known))
        return Why("connect", f"no connection: {text}", "Is the server up, and the address right?")
    if isinstance(known, httpx.TimeoutException):
        return Why("silence", "nothing came within the time limit", "Is the server overloaded?")
    if isinstance(known, httpx.RemoteProtocolError):
        return Why("cut", "the connection ended before the answer was whole", "Try again later.")
    return Why("broken", f"the connection broke ({type(known).__name__})", "Try again later.")


def as_of_httpx(error: Exception) -> httpx.TransportError:
    """The exception of the same name: httpx names its own after those of httpcore."""
    kind: type[httpx.TransportError] = getattr(httpx, type(error).__name__, httpx.TransportError)
    return kind(str(error))
