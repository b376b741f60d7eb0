"""The clock of the client: wall time, time since boot, and sleep, so that tests need not wait."""

import time
from typing import Protocol


class Clock(Protocol):
    """What the client needs of time."""

    def now(self) -> float:
        """Seconds since 1970 (UTC), as other processes and the site count them."""

    def ticks(self) -> float:
        """Seconds since boot: the same for all processes of this machine, never set back."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> float:
        """Seconds since 1970 (UTC)."""
        return time.time()

    def ticks(self) -> float:
        """Seconds since boot, with the time asleep where the system counts it (Linux)."""
        return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))

    def sleep(self, seconds: float) -> None:
        """Wait; a signal handler that raises ends the wait."""
        time.sleep(seconds)
