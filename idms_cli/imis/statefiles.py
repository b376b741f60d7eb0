"""Small files below the state directory that all processes of one connection share."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from idms_cli.config import replacing
from idms_cli.errors import IdmsError


def file_stem(connection: str) -> str:
    """The connection's name as a safe file name: no slash, no leading dot."""
    stem = quote(connection, safe=" ")
    return "%2E" + stem[1:] if stem.startswith(".") else stem


def private_directory(path: Path) -> Path:
    """`path`, created readable by its owner alone if it was not there."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise unusable(path, error) from error
    return path


def open_private(path: Path) -> int:
    """A descriptor of `path` for reading and writing; created 0600, not inherited, never through a link."""
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        try:
            return os.open(path, flags, 0o600)
        except FileNotFoundError:
            private_directory(path.parent)
            return os.open(path, flags, 0o600)
    except OSError as error:
        raise unusable(path, error) from error


@contextmanager
def exclusive(path: Path) -> Iterator[int]:
    """Hold the lock file `path` against all threads and processes; yields its descriptor.

    The file stays: whoever removed it would let two in, one on the old file and one on the new.
    """
    descriptor = open_private(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def replace_file(path: Path, content: bytes) -> None:
    """Write `path` so that readers and crashes meet either the old or the new content, whole; 0600."""
    try:
        replacing.replace_file(path, content)
    except OSError as error:
        raise unusable(path, error) from error


def unusable(path: Path, error: OSError) -> IdmsError:
    """The error for a state file that cannot be read or written."""
    return IdmsError(
        f"The state file {path} cannot be used: {error.strerror or error}.",
        hint="Check `state:` in idms.yaml: the directory must belong to the account that runs idms, with free space.",
    )
