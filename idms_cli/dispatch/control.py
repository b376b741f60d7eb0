"""A pipe in the run's directory by which the run's supervisor is woken: what it is to do stands in the history."""

import os
from contextlib import suppress
from pathlib import Path

FILE_NAME = "control"


class Control:
    """The supervisor's end. `fd` is None where the pipe cannot be made: it then looks from time to time."""

    def __init__(self, directory: Path) -> None:
        path = directory / FILE_NAME
        self._path = path
        self.fd: int | None = None
        with suppress(OSError):
            if not path.is_fifo():
                path.unlink(missing_ok=True)
                os.mkfifo(path, 0o600)
            # Open for both, so that it does not end when the first writer closes it (fifo(7)).
            self.fd = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)

    def close(self) -> None:
        """Listen no more; the pipe goes, so that what copies the directory later meets plain files."""
        if self.fd is not None:
            os.close(self.fd)
            self.fd = None
            with suppress(OSError):
                self._path.unlink()


def wake(directory: Path) -> bool:
    """Have the supervisor of a run look at what was asked of it. False when nobody listens."""
    try:
        fd = os.open(directory / FILE_NAME, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:  # ENXIO: no reader, so no supervisor
        return False
    try:
        with suppress(BlockingIOError):  # it is full of calls that were not heard yet
            os.write(fd, b"\n")
    finally:
        os.close(fd)
    return True
