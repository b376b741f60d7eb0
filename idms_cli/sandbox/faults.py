"""What can go wrong on a real site, made to happen at a chosen rate. To add a fault: one line in `FAULTS`.

A fault acts at one of three moments: before the request is served (it may answer in the site's place), when a page of
rows is cut out, or after a write was stored.
"""

import random
import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from difflib import get_close_matches
from itertools import islice
from typing import Any, NamedTuple, Protocol, TypeVar

from idms_cli.errors import InputError
from idms_cli.sandbox.exchange import ADMINISTRATOR, HTTP_ERROR, Reply, Request
from idms_cli.sandbox.paging import Window, asked_window
from idms_cli.sandbox.tokens import Tokens, denied

T = TypeVar("T")

OVERLAP_ROWS = 3
REMEMBERED_READS = 5_000
GATEWAY_STATUSES = (403, 502, 503)
METADATA = frozenset({"boentitydefinition", "metadata"})
QUERIES = frozenset({"query", "iqa"})


class Site(Protocol):
    """What faults use of the sandbox."""

    tokens: Tokens
    slow_s: float

    def pause(self, seconds: float) -> None: ...


class Fault(NamedTuple):
    """One fault: which requests it can hit, and what it does at its moment."""

    summary: str
    hits: Callable[[Request], bool]
    before: "Callable[[Faults, Site, Request], Reply | None] | None" = None
    page: Callable[[Window], Window] | None = None
    after: Callable[[Reply], Reply] | None = None


class Faults:
    """The rates of all faults, and the dice. The same seed and order of requests give the same faults. Thread-safe."""

    def __init__(self, rates: Mapping[str, float], *, seed: int) -> None:
        self.rates: dict[str, float] = {}
        self.struck: Counter[str] = Counter()
        self._dice = {name: random.Random(f"{seed}/{name}") for name in FAULTS}  # noqa: S311  faults, not secrets
        self._replies: OrderedDict[tuple[Any, ...], Reply] = OrderedDict()
        self._lock = threading.Lock()
        for name, rate in rates.items():
            self.set(name, rate)

    def set(self, name: str, rate: float) -> None:
        """Make `name` happen at this rate, 0 (never) to 1 (always). Raises `InputError`."""
        known_fault(name)
        if not 0 <= rate <= 1:
            raise InputError(f"The rate of {name} is {rate}.", hint="A rate lies between 0 (never) and 1 (always).")
        with self._lock:
            self.rates[name] = rate
            self._replies.clear()

    def before(self, site: Site, request: Request) -> Reply | None:
        """The first answer that a fault gives in the site's place, if any."""
        for name in self._armed(request):
            effect = FAULTS[name].before
            if effect is not None and self._strikes(name):
                reply = effect(self, site, request)
                if reply is not None:
                    return reply
        return None

    def page(self, request: Request, found: Collection[T]) -> tuple[Window, list[T]]:
        """The page that is asked for, or the wrong one that a fault makes of it."""
        window = asked_window(request, len(found))
        for name in self._armed(request):
            effect = FAULTS[name].page
            if effect is not None and self._strikes(name):
                window = effect(window)
        return window, list(islice(found, window.start, window.start + window.size))

    def after(self, request: Request, reply: Reply) -> Reply:
        """The answer that really goes out."""
        if request.method == "GET" and self.rates.get("stale-read"):
            self._remember(request, reply)
        if reply.status >= 300:
            return reply
        for name in self._armed(request):
            effect = FAULTS[name].after
            if effect is not None and self._strikes(name):
                reply = effect(reply)
        return reply

    def remembered(self, request: Request) -> Reply | None:
        """The reply that the same request got before."""
        with self._lock:
            return self._replies.get((request.path, request.query))

    def roll(self, name: str, choices: tuple[int, ...]) -> int:
        """One of the choices, by this fault's dice."""
        with self._lock:
            return self._dice[name].choice(choices)

    def reset_counts(self) -> None:
        """Start counting from nought."""
        with self._lock:
            self.struck.clear()

    def _armed(self, request: Request) -> list[str]:
        return [name for name, rate in list(self.rates.items()) if rate and FAULTS[name].hits(request)]

    def _strikes(self, name: str) -> bool:
        with self._lock:
            struck = self._dice[name].random() < self.rates[name]
            self.struck[name] += struck
            return struck

    def _remember(self, request: Request, reply: Reply) -> None:
        with self._lock:
            self._replies[request.path, request.query] = reply
            if len(self._replies) > REMEMBERED_READS:
                self._replies.popitem(last=False)


def known_fault(name: str) -> None:
    """Raise `InputError` with a near match unless there is such a fault."""
    if name in FAULTS:
        return
    near = get_close_matches(name, FAULTS, n=1)
    hint = f"Did you mean {near[0]}?" if near else f"Faults are: {', '.join(FAULTS)}."
    raise InputError(f"There is no fault named {name!r}.", hint=hint)


def parse_fault(text: str) -> tuple[str, float]:
    """`NAME=RATE` -> name and rate. Raises `InputError`."""
    name, equals, rate = text.partition("=")
    known_fault(name)
    try:
        return name, float(rate)
    except ValueError:
        what = f"The rate in {text!r} is not a number." if equals else f"{text!r} has no rate."
        raise InputError(what, hint=f"Write --fault {name}=0.05 for five in a hundred.") from None


def _api(request: Request) -> bool:
    return request.wants_api


def _write(request: Request) -> bool:
    return request.writes


def _unsafe_write(request: Request) -> bool:
    return request.writes and request.method in {"POST", "PUT"}


def _read(request: Request) -> bool:
    return request.wants_api and request.method == "GET" and request.entity.lower() not in METADATA


def _query(request: Request) -> bool:
    return request.method == "GET" and request.entity.lower() in QUERIES


def _metadata(request: Request) -> bool:
    return request.method == "GET" and request.entity.lower() in METADATA


def _page(request: Request) -> bool:
    return _read(request) and len(request.parts) == 2


def _later_page(request: Request) -> bool:
    return _page(request) and request.first("offset") not in {"", "0"}


def _kill_token(_faults: Faults, site: Site, request: Request) -> Reply:
    site.tokens.revoke(request.authorization)
    return denied().reply


def _sleep(_faults: Faults, site: Site, _request: Request) -> None:
    site.pause(site.slow_s)


def _says(status: int, message: str, **headers: str) -> Reply:
    return Reply(status, {"$type": HTTP_ERROR, "Message": message}, headers)


def _gateway(faults: Faults, _site: Site, _request: Request) -> Reply:
    status = faults.roll("not-json", GATEWAY_STATUSES)
    return Reply(status, f"<html><head><title>{status}</title></head><body><h1>Error {status}</h1></body></html>")


def _query_gone(_faults: Faults, _site: Site, request: Request) -> Reply:
    return _says(400, f"Query: {request.first('QueryName')} not found.")


FAULTS: dict[str, Fault] = {
    "token-dies": Fault("401: a token that was still good is dead", _api, before=_kill_token),
    "too-many": Fault("429 without Retry-After", _api, before=lambda *_: _says(429, "Too many requests.")),
    "too-many-retry": Fault(
        "429 with Retry-After: 1", _api, before=lambda *_: _says(429, "Too many requests.", **{"Retry-After": "1"})
    ),
    "not-json": Fault("403, 502 or 503 with an HTML page, as a proxy in front sends it", _api, before=_gateway),
    "metadata-501": Fault("501 for entity definitions", _metadata, before=lambda *_: _says(501, "Not implemented.")),
    "query-not-found": Fault("400 'not found' for a query that is there", _query, before=_query_gone),
    "slow-page": Fault("a page that takes --slow seconds", _page, before=_sleep),
    "stale-read": Fault(
        "a read that was made before gets its old answer again, from a cache",
        _read,
        before=lambda faults, _, request: faults.remembered(request),
    ),
    "page-overlap": Fault(
        "a page begins with the last rows of the page before, and its own last ones are lost",
        _later_page,
        page=lambda window: window.shifted(-OVERLAP_ROWS),
    ),
    "page-repeat": Fault(
        "the page before comes once more", _later_page, page=lambda window: window.shifted(-window.limit)
    ),
    "rows-change": Fault(
        "a row of an earlier page is gone: the rest moves up, and one row is in no page",
        _later_page,
        page=lambda window: window.shifted(1, missing=1),
    ),
    "empty-page": Fault(
        "a page without rows although more follow", _page, page=lambda window: replace(window, empty=True)
    ),
    "write-500": Fault("500 for a write, which is not stored", _write, before=lambda *_: _says(500, ADMINISTRATOR)),
    "write-500-saved": Fault(
        "500 for a write, which is stored all the same", _write, after=lambda _: _says(500, ADMINISTRATOR)
    ),
    "cut-after-write": Fault(
        "the write is stored, and the connection closes without an answer",
        _unsafe_write,
        after=lambda reply: replace(reply, cut=True),
    ),
}
