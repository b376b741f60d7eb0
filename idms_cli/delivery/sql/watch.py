"""An eye on a delivery while the database works: a run that is to end, and a server that says nothing any more."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Literal, Self

LOOK_EVERY_S = 0.25


class Watch:
    """Breaks off what the database does, from a thread of its own, once for one reason.

    Used as a context; `alive` says that something moved. What was broken off fails with an error of the driver, and
    `reason` tells why.
    """

    def __init__(self, stopping: Callable[[], bool], *, silence_s: float) -> None:
        self.silence_s = silence_s
        self.reason: Literal["", "stopped", "silent"] = ""
        self._stopping = stopping
        self._break_off: Callable[[threading.Event], None] | None = None
        self._may_stop = True
        self._moved = time.monotonic()
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True, name="watch of a database")

    def over(self, break_off: Callable[[threading.Event], None]) -> None:
        """From now on `break_off` ends what the database does; it is given what is set when it has ended.

        Before that there is no connection, and the driver has a time limit of its own.
        """
        self.alive()
        self._break_off = break_off

    def alive(self) -> None:
        self._moved = time.monotonic()

    @property
    def is_asked_to_end(self) -> bool:
        """Whether the run is to end: look at it wherever nothing is half done."""
        return self.reason == "stopped" or (self._may_stop and self._stopping())

    def is_left_alone(self) -> bool:
        """From now on the run waits for the answer, whoever wants it to end; unless it has been broken off already."""
        with self._lock:
            self._may_stop = False
        self.alive()
        return not self.reason

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(LOOK_EVERY_S):
            if self._break_off is None:
                continue
            with self._lock:
                self.reason = self._found()
            if self.reason:
                with suppress(Exception):  # a connection that is gone already needs no breaking off
                    self._break_off(self._over)
                return

    def _found(self) -> Literal["", "stopped", "silent"]:
        if self._may_stop and self._stopping():
            return "stopped"
        return "silent" if time.monotonic() - self._moved > self.silence_s else ""
