"""One iMIS site: everything that is asked of it goes through here."""

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from idms_cli.errors import OutcomeUnknown, RecordRefused, SiteError
from idms_cli.imis.access import SiteAccess
from idms_cli.imis.answers import Answer
from idms_cli.imis.assumptions import DOORBELL, MAX_PAGE, MIN_PAGE
from idms_cli.imis.breaker import Breaker
from idms_cli.imis.clock import Clock, SystemClock
from idms_cli.imis.counts import CallCounts
from idms_cli.imis.definitions import Definition, Definitions
from idms_cli.imis.getter import Decode, Parameters
from idms_cli.imis.pacing import Pace
from idms_cli.imis.queries import Queries, QueryRows
from idms_cli.imis.querydefinitions import Told
from idms_cli.imis.sending import AnyCall, Sender
from idms_cli.imis.tokens import TokenStore
from idms_cli.imis.transport import Transport

__all__ = ["Site", "SiteAccess"]


def _no_log(line: str) -> None:
    """Where log lines go when nobody wants them."""


class Site:
    """A context manager around one site's connections. Thread-safe.

    Paths are relative to the site and percent-encoded: `/api/Party/12345`. Every method may raise `LoginRefused`,
    `Unreachable` and `SiteError`; `RecordRefused` says that the site refuses this one request.
    """

    def __init__(self, access: SiteAccess, *, log: Callable[[str], None] = _no_log, clock: Clock | None = None) -> None:
        self.access = access
        self.clock: Clock = clock or SystemClock()
        self.log = log
        self.page_size = max(MIN_PAGE, min(access.page_size, MAX_PAGE))
        pace = Pace(access, self.clock)
        self._transport = Transport(access, pace, clock=self.clock, log=log)
        tokens = TokenStore(access, self.clock)
        breaker = Breaker(access, self.clock)
        self._sender = Sender(self._transport, tokens, breaker, clock=self.clock, log=log)
        self._queries = Queries(self)
        self._definitions = Definitions(self)
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections. Token and pace stay for the next run."""
        self._transport.close()

    def knock(self) -> None:
        """Log in if there is no token, and ask for something small: to see whether the site works.

        An answer that refuses this one request is an answer. Raises `LoginRefused` and `Unreachable`.
        """
        with suppress(RecordRefused):
            self.get(DOORBELL, [("limit", "1")])

    @property
    def calls(self) -> CallCounts:
        """How often the site was asked: `calls.snapshot()`."""
        return self._transport.calls

    def get(
        self, path: str, parameters: Parameters = (), *, shrinkable: bool = False, decode: Decode | None = None
    ) -> Any:
        """The JSON at `path`. Repeated with back-off while the site is in trouble.

        `shrinkable` gives up sooner on time-outs and 5xx, for a caller that can ask for less. `decode` makes of the
        body what the caller needs, or None: then the answer is the JSON.
        """
        answer = self._sender.send("GET", path, parameters=parameters, repeat="shrinkable" if shrinkable else "freely")
        found = decode(answer.body) if decode else None
        return answer.json() if found is None else found

    def post(self, path: str, body: Any) -> Any:
        """Create something, once, and give the reply. Repeated only where it was certainly not carried out.

        Raises `OutcomeUnknown` when it may have been: no answer, 5xx, or an answer that cannot be read.
        """
        answer = self._sender.send("POST", path, body=body)
        try:
            reply = answer.json()
        except SiteError as error:
            raise OutcomeUnknown(str(error), status=answer.status) from error
        if reply is None:
            raise OutcomeUnknown(f"{answer.what}: the answer ({answer.status}) is empty.", status=answer.status)
        return reply

    def ask(self, path: str, body: Any) -> Any:
        """The reply to a POST that changes nothing, such as a search by `_execute`; repeated with back-off as a GET."""
        return self._sender.send("POST", path, body=body, repeat="asking").json()

    def put(self, path: str, body: Any, *, once: bool = False) -> Any:
        """Replace a whole object, and give the reply, which may be None. Repeated a few times, unless `once`.

        Raises `OutcomeUnknown` when no try got a clear answer: look at the object.
        """
        answer = self._sender.send("PUT", path, body=body, repeat="once" if once else "freely")
        try:
            return answer.json()
        except SiteError as error:
            raise OutcomeUnknown(str(error), status=answer.status) from error

    def delete(self, path: str) -> None:
        """Remove an object. Raises `RecordRefused` (`not-found` if it is gone) or `OutcomeUnknown`."""
        self._sender.send("DELETE", path)

    def call(self, call: AnyCall) -> Answer:
        """The answer to any call, repeated as the caller wants.

        Raises `OutcomeUnknown` where it may have been carried out, of all verbs but GET.
        """
        return self._sender.call(call)

    def query(self, path: str, parameters: Sequence[str] = (), *, key: str | None = None) -> QueryRows:
        """The rows of the query `$/Folder/Name`, page by page; `parameters` answer its prompts in their order.

        `key` names a column that is unique: rows met twice while the data changes are given once. While they are read,
        raises `InputError` when there is no such query, it is not open to the REST API, or `key` is not unique.
        """
        return self._queries.rows(path, parameters, key=key)

    def query_definition(self, path: str) -> Told:
        """What the site says of the query at a path; asked for once."""
        return self._queries.definition(path)

    def definition(self, entity: str) -> Definition:
        """What the site's metadata says of a business object, by its name in any case; asked for once.

        Raises `NotDescribed` with near matches when there is none of that name.
        """
        return self._definitions.of(entity)
