"""One file fetched from a web server, as a stream; redirects are followed with care."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from idms_cli.config.addresses import is_loopback
from idms_cli.errors import Unreachable
from idms_cli.web.failures import why
from idms_cli.web.tls import trusted

CONNECT_TIMEOUT_S = 10.0
MOST_REDIRECTS = 5
CHUNK = 1 << 16


@dataclass(frozen=True)
class Request:
    """What to fetch. `url` may hold a key: it is never part of a message, `shown` is."""

    url: str = field(repr=False)
    shown: str
    authorization: str = field(default="", repr=False)
    """Sent to the server that is named, and to no other that it redirects to."""
    ca_file: Path | None = None
    timeout_s: float = 60.0
    """The longest silence."""


@dataclass(frozen=True)
class Download:
    """An answer whose body has yet to be read."""

    status: int
    headers: Mapping[str, str]
    shown: str
    _response: httpx.Response = field(repr=False)

    def chunks(self) -> Iterator[bytes]:
        """The body. Raises `Unreachable` when it ends before it is whole, or stands still."""
        with _translated(self.shown):
            yield from self._response.iter_bytes(CHUNK)


@contextmanager
def download(request: Request) -> Iterator[Download]:
    """The answer to a GET, whatever its status. Raises `Unreachable`."""
    with httpx.Client(
        verify=trusted(request.ca_file),
        timeout=httpx.Timeout(request.timeout_s, connect=min(CONNECT_TIMEOUT_S, request.timeout_s)),
        trust_env=False,
        follow_redirects=False,
        headers={"User-Agent": "idms", "Accept-Encoding": "identity"},
    ) as client:
        response = _followed(client, request)
        try:
            yield Download(response.status_code, response.headers, request.shown, response)
        finally:
            response.close()


def _followed(client: httpx.Client, request: Request) -> httpx.Response:
    url = httpx.URL(request.url)
    own = _place(url)
    with _translated(request.shown):
        for _ in range(MOST_REDIRECTS + 1):
            login = {"Authorization": request.authorization} if request.authorization and _place(url) == own else {}
            response = client.send(client.build_request("GET", url, headers=login), stream=True)
            if not response.has_redirect_location:
                return response
            response.close()
            url = url.join(response.headers["location"])
            if not _is_safe(url, own[0]):
                hint = "What comes over http:// can be read and changed on its way. Name the right https:// address."
                raise Unreachable(f"{request.shown}: the server redirects to {_bare(url)}.", hint=hint)
    hint = f"The last one was to {_bare(url)}. Name the right address."
    raise Unreachable(f"{request.shown}: the server redirects more than {MOST_REDIRECTS} times.", hint=hint)


def _place(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _is_safe(url: httpx.URL, scheme: str) -> bool:
    return url.scheme == "https" or (scheme == url.scheme == "http" and is_loopback(url.host))


def _bare(url: httpx.URL) -> str:
    """Without what may be secret in it."""
    return f"{url.scheme}://{urlsplit(str(url)).hostname or ''}/..."


@contextmanager
def _translated(shown: str) -> Iterator[None]:
    """Failures of httpx in our words. Its own text is not used where it could hold the address."""
    try:
        yield
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
        raise _failure(error, shown) from error


def _failure(error: Exception, shown: str) -> Unreachable:
    kind, text, hint = why(error)
    if kind == "cut":
        text = "the connection ended before the file was whole"
    if kind == "silence":
        hint = f"{hint} `timeout:` says how long it may be silent."
    return Unreachable(f"{shown}: {text}.", hint=hint)
