"""The door of a connection: whoever comes first tries it, and the others learn from that."""

import threading
from collections.abc import Callable
from typing import TypeVar

from idms_cli.errors import LoginRefused, OutcomeUnknown, SiteError, Unreachable
from idms_cli.imis.access import SiteAccess
from idms_cli.imis.answers import SiteSlow
from idms_cli.imis.clock import Clock
from idms_cli.imis.outages import Outage, OutageFile
from idms_cli.imis.tokens import SecretRefused

LOST_IN_A_ROW = 2
"""A site that did answer this run before is down when so many requests in a row failed, each with its repeats."""

T = TypeVar("T")


class Breaker:
    """Watches what becomes of one `Site`'s requests, and keeps the connection's `OutageFile`. Thread-safe.

    The first request of each process holds the door until it has its answer, so that of many runs that start at once
    one finds out that the site is down or the login refused, and the others are told without a request.
    """

    def __init__(self, access: SiteAccess, clock: Clock) -> None:
        self._file = OutageFile(access.state, access.name, url=access.url, username=access.username)
        self._patient = access.patient
        self._name = access.name
        self._clock = clock
        self._is_in = False
        self._lost = 0
        self._shut = False
        self._lock = threading.Lock()

    def watch(self, request: Callable[[], T]) -> T:
        """Make a request, or raise what is known already: `Unreachable` or `LoginRefused`."""
        if not self._is_in:
            with self._lock, self._file.door():
                if not self._is_in:
                    return self._first(request)
        return self._later(request)

    def _first(self, request: Callable[[], T]) -> T:
        outage = self._file.current()
        if outage and self._patient:
            raise known(self._name, outage)
        try:
            answer = request()
        except (SiteSlow, OutcomeUnknown):
            raise
        except (Unreachable, SecretRefused) as error:
            self._file.failed(error, self._clock.now())
            raise
        except (SiteError, LoginRefused):
            self._enter()  # it refuses this one request, so it is there
            raise
        self._enter()
        return answer

    def _enter(self) -> None:
        self._is_in = True
        self._file.works(self._clock.now())

    def _later(self, request: Callable[[], T]) -> T:
        try:
            answer = request()
        except (SiteSlow, OutcomeUnknown):
            raise
        except (Unreachable, SecretRefused) as error:
            self._lose(error)
            raise
        except (SiteError, LoginRefused):
            self._regain()
            raise
        self._regain()
        return answer

    def _lose(self, error: Unreachable | LoginRefused) -> None:
        with self._lock:
            self._lost += 1
            if self._shut or (self._lost < LOST_IN_A_ROW and not isinstance(error, SecretRefused)):
                return
            self._shut = True
            self._file.failed(error, self._clock.now())

    def _regain(self) -> None:
        if not self._lost:
            return
        with self._lock:
            self._lost = 0
            if self._shut:
                self._shut = False
                self._file.works(self._clock.now())


def known(connection: str, outage: Outage) -> Unreachable | LoginRefused:
    """The error for a request that is not made, since it is known how it would end."""
    if outage.kind == "refused":
        return LoginRefused(outage.reason, hint=outage.hint)
    return Unreachable(
        f"Connection {connection} is down, and was not asked again: {outage.reason}",
        hint=outage.hint or f"`idms connection try {connection}` tries it now.",
    )
