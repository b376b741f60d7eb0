"""When to stop trying: a site that fails several records in a row is down, one that fails a single one is not."""

from threading import Lock

LIMIT = 3


class Patience:
    """Counts failures in a row, over all threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._lost = 0

    def lose(self) -> bool:
        """One more record failed for no reason of its own. True when that is one too many in a row."""
        with self._lock:
            self._lost += 1
            return self._lost >= LIMIT

    def regain(self) -> None:
        """The site works."""
        with self._lock:
            self._lost = 0
