"""What was asked and what was written: the sandbox's own memory, for tests and for people who look."""

import threading
from collections import Counter
from typing import Any, NamedTuple

from idms_cli.sandbox.exchange import Request

LONGEST_SUMMARY = 300


class Write(NamedTuple):
    """One change that was stored."""

    method: str
    path: str
    entity: str
    key: str
    """The real key, its parts joined by `|`."""
    summary: str


class Ledger:
    """Counts of calls and the list of writes, in order. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._now = 0
        self.reset()

    def reset(self) -> None:
        """Forget everything but the requests under way."""
        with self._lock:
            self.calls: Counter[str] = Counter()
            self.statuses: Counter[str] = Counter()
            self.writes: list[Write] = []
            self.peak = self._now

    def begin(self, request: Request, kind: str) -> None:
        """A request came in; `kind` is the endpoint or entity that it is for, as it shall be counted."""
        with self._lock:
            self._now += 1
            self.peak = max(self.peak, self._now)
            self.calls[f"{request.method} {kind}"] += 1

    def end(self, status: int) -> None:
        """The answer to a request that was begun is ready."""
        with self._lock:
            self._now -= 1
            self.statuses[str(status)] += 1

    def wrote(self, request: Request, entity: str, key: tuple[str, ...], summary: str) -> None:
        """A change was stored."""
        path = "/" + "/".join(request.parts)
        with self._lock:
            self.writes.append(Write(request.method, path, entity, "|".join(key), summary[:LONGEST_SUMMARY]))

    def snapshot(self) -> dict[str, Any]:
        """The counts as JSON. `writes` counts what was stored, `calls` what was asked, refused or not."""
        with self._lock:
            return {
                "total": self.calls.total(),
                "calls": dict(sorted(self.calls.items())),
                "statuses": dict(sorted(self.statuses.items())),
                "writes": len(self.writes),
                "peak_concurrent": self.peak,
            }
