"""One kept-alive HTTP connection: the transport of httpx without its client, which would take half as long again.

What the client does beside it is done here where the site needs it: default headers, cookies (a farm of servers may tie
a session to one of them by a cookie), reading the answer to its end. There are no redirects to follow and no proxies.
"""

import ssl
from collections.abc import Mapping

import httpx

_HEADERS = {"Accept": "application/json", "Accept-Encoding": "gzip, deflate", "User-Agent": "idms"}


class Connection:
    """A connection to one server, opened when it is first needed and again when it was closed. For one thread."""

    def __init__(self, tls: ssl.SSLContext, timeout: httpx.Timeout) -> None:
        limits = httpx.Limits(max_connections=1, max_keepalive_connections=1)
        self._transport = httpx.HTTPTransport(verify=tls, trust_env=False, limits=limits)
        self._extensions = {"timeout": timeout.as_dict()}
        self._cookies = httpx.Cookies()

    def send(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes | None, form: Mapping[str, str] | None
    ) -> httpx.Response:
        """The answer, read to its end. Raises what httpx does."""
        request = httpx.Request(
            method, url, headers={**_HEADERS, **headers}, content=content, data=form, extensions=self._extensions
        )
        if self._cookies:
            self._cookies.set_cookie_header(request)
        response = self._transport.handle_request(request)
        response.request = request
        try:
            response.read()
        finally:
            response.close()
        if "set-cookie" in response.headers:
            self._cookies.extract_cookies(response)
        return response

    def close(self) -> None:
        """End the connection."""
        self._transport.close()
