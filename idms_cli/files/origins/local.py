"""Files of this machine, and of whatever is mounted on it."""

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from idms_cli.errors import InputError, Unreachable
from idms_cli.files.moving import finish, move
from idms_cli.files.origins import Access, FileChanged, Found, Origin
from idms_cli.files.origins.address import DEFAULT_ARCHIVE
from idms_cli.files.source import unreadable

CHUNK = 1 << 20


@contextmanager
def open_local(access: Access) -> Iterator[Origin]:
    """The folder of a local address."""
    yield _Local(access)


class _Local:
    """See `Origin`."""

    def __init__(self, access: Access) -> None:
        self._address = access.address
        self._folder = Path(access.address.folder)
        archive = access.options.archive
        self._archive = access.directory / archive if archive else self._folder / DEFAULT_ARCHIVE

    def find(self) -> Sequence[Found]:
        if not self._address.is_pattern:
            one = self.look(self._address.name)
            return [] if one is None else [one]
        try:
            names = sorted(filter(self._address.fits, os.listdir(self._folder)))  # noqa: PTH208 - names are wanted
        except (FileNotFoundError, NotADirectoryError):
            hint = "Make it, or correct `path:`; is something not mounted?"
            raise Unreachable(f"missing: there is no folder {self._folder}", hint=hint) from None
        except OSError as error:
            raise unreadable(self._folder, error) from error
        found = [self._look(name, named=False) for name in names]
        return [one for one in found if one is not None]

    def look(self, name: str) -> Found | None:
        return self._look(name, named=True)

    def _look(self, name: str, *, named: bool) -> Found | None:
        """What is no file is an error where it is named, and passed over among others."""
        path = self._folder / name
        try:
            status = path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError) as error:
            raise unreadable(path, error) from error
        if not stat.S_ISREG(status.st_mode):
            if named:
                raise InputError(
                    f"{path}: this is not a regular file.", hint="Name a file, not a folder, pipe or device."
                )
            return None
        return _found(name, status)

    def read(self, found: Found) -> Iterator[bytes]:
        path = self._folder / found.name
        try:
            # Not blocking: opening a named pipe would otherwise wait for somebody to write into it.
            with os.fdopen(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK), "rb") as stream:
                yield from iter(lambda: stream.read(CHUNK), b"")
                if not _found(found.name, os.fstat(stream.fileno())).is_like(found):
                    raise FileChanged
        except OSError as error:
            raise unreadable(path, error) from error

    def move(self, found: Found, name: str) -> None:
        source, target = self._folder / found.name, self._archive / name
        if source.is_symlink():
            raise InputError(f"{source}: a link is not archived.", hint="Name the file itself in `path:`.")
        try:
            target.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
            if not move(source, target):
                raise FileChanged
        except OSError as error:
            reason = error.strerror or str(error)
            hint = "The account of idms needs the right to write in both folders."
            raise Unreachable(f"{source}: cannot be archived as {target}: {reason}.", hint=hint) from error

    def archive_address(self, name: str) -> str:
        return str(self._archive / name)

    def archived(self, name: str) -> Found | None:
        path = self._archive / name
        try:
            status = path.lstat()
        except OSError:
            return None
        return _found(name, status) if stat.S_ISREG(status.st_mode) else None

    def finish(self, found: Found, name: str) -> None:
        path = self._folder / found.name
        try:
            finish(path, self._archive / name)
        except OSError as error:
            raise Unreachable(f"{path}: is archived, but cannot be removed: {error.strerror}.") from error


def _found(name: str, status: os.stat_result) -> Found:
    # in microseconds, which is what a datetime holds
    modified = datetime.fromtimestamp(status.st_mtime_ns // 1000 / 1e6, UTC)
    return Found(name, status.st_size, modified)
