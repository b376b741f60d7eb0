"""A local file opened for reading: what it is, its fingerprint, and whether it stayed the same."""

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

from idms_cli.errors import IdmsError, InputError, Unreachable


@dataclass(frozen=True)
class Fingerprint:
    """Tells whether a file is still the one that a run began with."""

    sha256: str
    """In hexadecimal."""
    size: int
    """In bytes."""


@dataclass(frozen=True)
class Source:
    """An open regular file."""

    path: Path
    stream: BufferedReader
    """Its bytes; those that were packed, where the file is packed (see `packing.py`)."""
    fingerprint: Fingerprint
    modified_ns: int
    descriptor: int
    """Of the file itself."""

    def check_unchanged(self) -> None:
        """Raise `InputError` when the file was written to since it was opened."""
        now = os.fstat(self.descriptor)
        if (now.st_size, now.st_mtime_ns) != (self.fingerprint.size, self.modified_ns):
            raise changed(self.path)


@contextmanager
def open_source(path: Path, *, shown: Path | None = None) -> Iterator[Source]:
    """Open a regular file and take its fingerprint. Messages name it as `shown`: what the operator knows it by.

    Raises `InputError` when it is not there, not a file or not ours to read, `Unreachable` when the disk fails.
    """
    try:
        # Not blocking: opening a named pipe would otherwise wait for somebody to write into it.
        stream = os.fdopen(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK), "rb")
    except (OSError, ValueError) as error:
        raise unreadable(shown or path, error) from error
    with stream:
        yield _identified(shown or path, stream)


def changed(path: Path) -> InputError:
    """The error for a file that somebody writes to while it is read."""
    return InputError(
        f"{path}: the file changed while it was being read.",
        hint="Let its writer finish first: have it write under another name and rename the file when it is complete.",
    )


def unreadable(path: Path, error: Exception) -> IdmsError:
    """An error of the operating system in words that say what to do about it."""
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return InputError(f"{path}: there is no such file.", hint="Check the path, and whether the file has arrived.")
    if isinstance(error, PermissionError):
        return InputError(f"{path}: not allowed to read this file.", hint="Give the account of idms read permission.")
    if isinstance(error, IsADirectoryError):
        return _no_file(path)
    if isinstance(error, ValueError):
        return InputError(f"{str(path)!r} is no path: {error}.", hint="Check the path for stray characters.")
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return Unreachable(f"{path}: the file cannot be read: {reason}.", hint="Check the disk or share it lies on.")


def _identified(path: Path, stream: BufferedReader) -> Source:
    status = os.fstat(stream.fileno())
    if not stat.S_ISREG(status.st_mode):
        raise _no_file(path)
    try:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
        stream.seek(0)
    except OSError as error:
        raise unreadable(path, error) from error
    source = Source(path, stream, Fingerprint(digest, status.st_size), status.st_mtime_ns, stream.fileno())
    source.check_unchanged()
    return source


def _no_file(path: Path) -> InputError:
    return InputError(f"{path}: this is not a regular file.", hint="Name a file, not a folder, pipe or device.")
