"""A limit of time for one piece of work: first it is asked to end, then it is broken off."""

import ctypes
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
    """Raises `BrokenOff` in the block so long after the deadline.

    In the main thread a signal does it, wherever the block is; in another one, the interpreter, between two of its own
    steps: not while it waits for a server, which has a limit of its own.
    """
    left = deadline.left_s(float("inf"))
    if left == float("inf"):
        yield
        return
    if threading.current_thread() is not threading.main_thread():
        with _within_thread(left + grace_s):
            yield
        return

    def break_off(number: int, frame: FrameType | None) -> None:
        del number, frame
        raise BrokenOff

    before = signal.signal(signal.SIGALRM, break_off)
    began = time.monotonic()
    other_s, _ = signal.setitimer(signal.ITIMER_REAL, max(left + grace_s, 0.001))
    try:
        yield
    finally:
        took_s = time.monotonic() - began
        signal.setitimer(signal.ITIMER_REAL, max(other_s - took_s, 0.001) if other_s else 0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def _within_thread(seconds: float) -> Iterator[None]:
    """See https://docs.python.org/3/c-api/init.html#c.PyThreadState_SetAsyncExc."""
    raise_in, thread = ctypes.pythonapi.PyThreadState_SetAsyncExc, ctypes.c_ulong(threading.get_ident())
    lock, ended = threading.Lock(), False

    def break_off() -> None:
        with lock:
            if not ended:
                raise_in(thread, ctypes.py_object(BrokenOff))

    timer = threading.Timer(seconds, break_off)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        with lock:
            ended = True
            raise_in(thread, None)  # what came too late is taken back
        timer.cancel()
