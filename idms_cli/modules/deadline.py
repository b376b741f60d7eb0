"""A limit of time for one piece of work: first it is asked to end, then it is broken off."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from types import FrameType

GRACE_S = 10.0
"""So long after the limit work that does not look is broken off, wherever it is."""


class BrokenOff(BaseException):
    """Work did not end when it was asked to; what it did last is not known. Not an `Exception`: nobody catches it."""


class Deadline:
    """See `within`."""

    def __init__(self, limit: timedelta | None) -> None:
        self._end = None if limit is None else time.monotonic() + limit.total_seconds()

    @property
    def is_over(self) -> bool:
        return self._end is not None and time.monotonic() >= self._end

    def left_s(self, wanted: float) -> float:
        """`wanted` seconds, or what is left."""
        return wanted if self._end is None else max(0.0, min(wanted, self._end - time.monotonic()))

    def also(self, stopping: Callable[[], bool]) -> Callable[[], bool]:
        """Whether to end: for that reason, or because the time is over."""
        return lambda: stopping() or self.is_over


@contextmanager
def within(deadline: Deadline, *, grace_s: float = GRACE_S) -> Iterator[None]:
    """Raises `BrokenOff` in the block so long after the deadline; in the main thread only, since a signal does it."""
    left = deadline.left_s(float("inf"))
    if left == float("inf") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def break_off(number: int, frame: FrameType | None) -> None:
        del number, frame
        raise BrokenOff

    before = signal.signal(signal.SIGALRM, break_off)
    began = time.monotonic()
    other_s, _ = signal.setitimer(signal.ITIMER_REAL, left + grace_s)
    try:
        yield
    finally:
        took_s = time.monotonic() - began
        signal.setitimer(signal.ITIMER_REAL, max(other_s - took_s, 0.001) if other_s else 0)
        signal.signal(signal.SIGALRM, before)
