"""One kept-alive HTTP connection: what httpx stands on, without its client and its pool, which cost as much again.

What they do beside it is done here where the site needs it: default headers, cookies (a farm of servers may tie a
session to one of them by a cookie), opening the connection again, reading the answer to its end and unpacking it. There
are no redirects to follow and no proxies.
"""

import ssl
from collections.abc import Mapping
from urllib.parse import urlencode

import httpcore
import httpx

from idms_cli.web.failures import OF_HTTPCORE, as_of_httpx

KEPT_ALIVE_S = 5.0
"""How long an idle connection is used again; after that it may be about to be closed by the other side."""

_HEADERS = {"Accept": "application/json", "Accept-Encoding": "gzip, deflate", "User-Agent": "idms"}
_FORM = "application/x-www-form-urlencoded"


class Connection:
    """A connection to one server, opened when it is first needed and again when it was closed. For one thread."""

    def __init__(self, site: str, tls: ssl.SSLContext, timeout: httpx.Timeout) -> None:
        """`site` is the URL that all addresses begin with. Raises `httpx.InvalidURL`."""
        url = httpx.URL(site)
        self._site = site
        self._origin = httpcore.Origin(url.raw_scheme, url.raw_host, url.port or (80 if url.scheme == "http" else 443))
        self._headers = {"Host": url.netloc.decode("ascii"), **_HEADERS}
        self._path = url.raw_path.rstrip(b"/")
        self._tls = tls
        self._extensions = {"timeout": timeout.as_dict()}
        self._cookies = httpx.Cookies()
        self._connection: httpcore.HTTPConnection | None = None

    def send(
        self,
        method: str,
        address: str,
        headers: Mapping[str, str],
        content: bytes | None,
        form: Mapping[str, str] | None,
    ) -> httpx.Response:
        """The answer, read to its end. `address` is an encoded path and query. Raises what httpx does."""
        if form is not None:
            content, headers = urlencode(form).encode("ascii"), {"Content-Type": _FORM, **headers}
        whole = {**self._headers, **headers, **self._cookie(address)}
        if content is not None or method not in {"GET", "DELETE"}:
            whole["Content-Length"] = str(len(content or b""))
        answer = self._exchange(method, address, whole, content or b"")
        if any(name.lower() == b"set-cookie" for name, _ in answer.headers):
            self._keep_cookies(address, answer.headers)
        return httpx.Response(answer.status, headers=answer.headers, content=answer.content)

    def close(self) -> None:
        """End the connection."""
        if self._connection is not None:
            self._connection.close()

    def _exchange(self, method: str, address: str, headers: Mapping[str, str], content: bytes) -> httpcore.Response:
        url = httpcore.URL(
            scheme=self._origin.scheme,
            host=self._origin.host,
            port=self._origin.port,
            target=self._path + address.encode("ascii"),
        )
        encoded = [(name.encode("ascii"), value.encode("ascii")) for name, value in headers.items()]
        request = httpcore.Request(method, url, headers=encoded, content=content, extensions=self._extensions)
        try:
            answer = self._open().handle_request(request)
            try:
                answer.read()
            finally:
                answer.close()
        except OF_HTTPCORE as error:
            raise as_of_httpx(error) from error
        return answer

    def _open(self) -> httpcore.HTTPConnection:
        """The connection, or another in its place when it is closed or has been idle for long."""
        connection = self._connection
        if connection is not None and not connection.is_closed() and not connection.has_expired():
            return connection
        self.close()
        self._connection = httpcore.HTTPConnection(self._origin, ssl_context=self._tls, keepalive_expiry=KEPT_ALIVE_S)
        return self._connection

    def _cookie(self, address: str) -> Mapping[str, str]:
        if not self._cookies:
            return {}
        request = httpx.Request("GET", self._site + address)
        self._cookies.set_cookie_header(request)
        cookie = request.headers.get("Cookie")
        return {"Cookie": cookie} if cookie else {}

    def _keep_cookies(self, address: str, headers: list[tuple[bytes, bytes]]) -> None:
        request = httpx.Request("GET", self._site + address)
        self._cookies.extract_cookies(httpx.Response(200, headers=headers, request=request))
