"""How often the site was asked, and how long it took to answer."""

import threading
from collections import Counter
from dataclasses import astuple, dataclass
from operator import add


@dataclass(frozen=True)
class Calls:
    """Requests sent since the start of the run; a repeat counts as a request and as a retry."""

    get: int = 0
    post: int = 0
    put: int = 0
    delete: int = 0
    token: int = 0
    retries: int = 0
    seconds: float = 0.0
    """Spent waiting for the site to answer, over all threads."""

    def __add__(self, other: "Calls") -> "Calls":
        """Of two sites."""
        return Calls(*map(add, astuple(self), astuple(other)))


class CallCounts:
    """Counts calls from several threads; `snapshot()` gives the figures so far."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._seconds = 0.0

    def sent(self, name: str, seconds: float) -> None:
        """One request called `name` (`get`, `post`, `put`, `delete`, `token`) took `seconds`."""
        with self._lock:
            self._counts[name] += 1
            self._seconds += seconds

    def retried(self) -> None:
        """A request is about to be sent again."""
        with self._lock:
            self._counts["retries"] += 1

    def snapshot(self) -> Calls:
        """The figures so far."""
        with self._lock:
            return Calls(**self._counts, seconds=round(self._seconds, 3))
