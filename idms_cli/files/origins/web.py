"""A file that a web server hands out: one GET tells what it is and brings it."""

from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import quote

from idms_cli.errors import InputError, LoginRefused, Unreachable
from idms_cli.files.origins import Access, FileChanged, Found, Origin
from idms_cli.web.download import Download, Request, download


@contextmanager
def open_web(access: Access) -> Iterator[Origin]:
    """The place that a web address names."""
    with ExitStack() as stack:
        yield _Web(access, stack)


class _Web:
    """See `Origin`. The answer that told of a file is kept open, so that reading it needs no second request."""

    def __init__(self, access: Access, stack: ExitStack) -> None:
        self._access = access
        self._address = access.address
        self._stack = stack
        self._waiting: tuple[Found, Download] | None = None

    def find(self) -> Sequence[Found]:
        one = self.look(self._address.name)
        return [] if one is None else [one]

    def look(self, name: str) -> Found | None:
        self._let_go()
        answer = self._stack.enter_context(download(self._request(name)))
        if answer.status in (404, 410):
            return None
        self._refuse(answer)
        found = _found(name, answer)
        self._waiting = (found, answer)
        return found

    def read(self, found: Found) -> Iterator[bytes]:
        if self._waiting is None or self._waiting[0] != found:
            again = self.look(found.name)
            if again is None or not again.is_like(found):
                raise FileChanged
        assert self._waiting is not None  # noqa: S101 - `look` has just set it
        _, answer = self._waiting
        try:
            yield from answer.chunks()
        finally:
            self._let_go()

    def move(self, found: Found, name: str) -> None:
        raise NotImplementedError("`misfits` refuses `after:` for web addresses")

    def archived(self, name: str) -> Found | None:
        del name
        return None

    def archive_address(self, name: str) -> str:
        return self._address.of(name)

    def finish(self, found: Found, name: str) -> None:
        """Nothing is ever moved."""

    def _let_go(self) -> None:
        self._waiting = None
        self._stack.close()

    def _request(self, name: str) -> Request:
        address = self._address
        whole = f"{address.scheme}://{address.netloc}{address.folder}{name}"
        return Request(
            url=f"{whole}?{address.query}" if address.query else whole,
            shown=address.of(name),
            authorization=self._authorization(),
            ca_file=self._access.path(self._access.options.ca_file),
            timeout_s=self._access.timeout_s,
        )

    def _authorization(self) -> str:
        auth = self._access.options.auth
        if auth is None:
            return ""
        if auth.bearer:
            return f"Bearer {_header(self._access.secret(auth.bearer))}"
        password = self._access.secret(auth.password) if auth.password else ""
        return "Basic " + b64encode(f"{auth.user}:{password}".encode()).decode()  # RFC 7617, in UTF-8

    def _refuse(self, answer: Download) -> None:
        if answer.status in (401, 403):
            raise LoginRefused(
                f"{answer.shown}: the server refuses the login ({answer.status})"
                if self._access.options.auth
                else f"{answer.shown}: the server wants a login ({answer.status})",
                hint="Check `auth:` of the source: {bearer: ...} or {user: ..., password: ...}.",
            )
        if answer.status != 200:
            hint = "Try again later." if answer.status >= 500 else "Check the address."
            raise Unreachable(f"{answer.shown}: the server answers {answer.status}.", hint=hint)


def _found(name: str, answer: Download) -> Found:
    length = answer.headers.get("content-length", "")
    packed = answer.headers.get("content-encoding", "identity") != "identity"
    size = int(length) if length.isascii() and length.isdigit() and not packed else None
    return Found(name, size, _moment(answer.headers.get("last-modified")), answer.headers.get("etag", ""))


def _moment(text: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text) if text else None
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment


def _header(token: str) -> str:
    if not token.isascii() or not token.isprintable() or quote(token, safe="!#$%&'*+-.^_`|~/=:,;") != token:
        raise InputError("the bearer token has characters that no token has", hint="It must be one word.")
    return token
