"""How fast a connection may be used: a rate and a number of requests at once, over all processes of this machine."""

import fcntl
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from idms_cli.imis.access import SiteAccess
from idms_cli.imis.clock import Clock
from idms_cli.imis.statefiles import exclusive, file_stem, open_private

BURST_S = 0.5
"""Requests that were not made in this time may be made up for at once."""
POLL_S = 0.005
"""How often a free place is looked for, by the one process that is first in the queue."""

_DUE = struct.Struct("<36sd")


class Pace:
    """Lets `concurrency` requests at a time through, and `rate_per_s` of them a second.

    The places are lock files, so the kernel frees the place of a process that dies. The rate is one number in a file:
    the time at which the next request is due (the "generic cell rate algorithm", ITU-T I.371).
    """

    def __init__(self, access: SiteAccess, clock: Clock) -> None:
        directory, stem = access.state / "pace", file_stem(access.name)
        self._places = [directory / f"{stem}.place{number}" for number in range(max(1, access.concurrency))]
        self._queue = directory / f"{stem}.queue"
        self._rate = directory / f"{stem}.rate"
        self._interval_s = 1 / access.rate_per_s if access.rate_per_s else 0.0
        self._clock = clock

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a place and for the rate; hold the place during one request."""
        place = self._take_place()
        try:
            self._wait_for_rate()
            yield
        finally:
            os.close(place)

    def _take_place(self) -> int:
        if len(self._places) == 1:
            return _locked(self._places[0])
        place = self._free_place()
        if place is not None:
            return place
        with exclusive(self._queue):
            while (place := self._free_place()) is None:
                self._clock.sleep(POLL_S)
        return place

    def _free_place(self) -> int | None:
        for path in self._places:
            descriptor = open_private(path)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
            else:
                return descriptor
        return None

    def _wait_for_rate(self) -> None:
        if not self._interval_s:
            return
        with exclusive(self._rate) as descriptor:
            now = self._clock.ticks()
            due = max(_due(descriptor), now - BURST_S)
            os.pwrite(descriptor, _DUE.pack(_boot(), due + self._interval_s), 0)
        if due > now:
            self._clock.sleep(due - now)


def _locked(path: Path) -> int:
    descriptor = open_private(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _due(descriptor: int) -> float:
    """The time the file names, or 0 when it is new or from before the last start of the machine."""
    content = os.pread(descriptor, _DUE.size, 0)
    if len(content) != _DUE.size:
        return 0.0
    boot, due = _DUE.unpack(content)
    return float(due) if boot == _boot() else 0.0


@cache
def _boot() -> bytes:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_bytes().strip().ljust(36)[:36]
    except OSError:
        return b" " * 36
