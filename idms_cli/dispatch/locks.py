"""Kernel locks that say who is alive and who holds which data.

flock belongs to the open file, not to the process: a child that inherits the descriptor holds the lock too, and it is
free the moment the last holder is gone, however it went. Lock files are never unlinked while a run may want them.
"""

import fcntl
import os
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

from idms_cli.modules import DataLock


class Lock:
    """A held lock. Hand `fd` to a child to let it hold the lock as well."""

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def release(self) -> None:
        """Give it up here; a child that inherited it holds it on."""
        os.close(self.fd)


def take(path: Path, *, shared: bool = False) -> Lock | None:
    """The lock of a file, made if missing; None when somebody else holds it. Never waits."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(fd, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        return None
    return Lock(fd)


def run_lock(directory: Path) -> Path:
    """The lock file of a run, by the run's directory. Who supervises the run holds it."""
    return directory / "lock"


def data_lock(state: Path, resource: str) -> Path:
    """The lock file of a piece of data."""
    return state / "locks" / sha256(resource.encode()).hexdigest()[:24]


def take_data(state: Path, wanted: Iterable[DataLock]) -> list[Lock] | DataLock:
    """All locks or none: the locks, or the first one that somebody else holds.

    Taken in sorted order and without waiting, so no deadlock is possible.
    """
    held: list[Lock] = []
    for lock in sorted(set(wanted)):
        taken = take(data_lock(state, lock.resource), shared=not lock.write)
        if taken is None:
            for other in held:
                other.release()
            return lock
        held.append(taken)
    return held
