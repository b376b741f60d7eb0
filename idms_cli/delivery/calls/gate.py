"""When the next request may leave: a rate, and the pauses that a server asks for."""

import time


class Gate:
    """For one thread. Times are monotonic seconds."""

    def __init__(self, rate_per_s: float | None) -> None:
        self._interval_s = 1 / rate_per_s if rate_per_s else 0.0
        self._opens_at = 0.0

    def wait_s(self) -> float:
        """How long it is still closed; 0 when a request may leave."""
        return max(0.0, self._opens_at - time.monotonic())

    def passed(self) -> None:
        """A request leaves now."""
        if self._interval_s:
            self._opens_at = max(self._opens_at, time.monotonic()) + self._interval_s

    def pause(self, seconds: float) -> None:
        """Nothing leaves for so long."""
        self._opens_at = max(self._opens_at, time.monotonic() + seconds)
