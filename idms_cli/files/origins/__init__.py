"""Where files come from. To add a place: one new file here and one line in `ORIGINS`."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol, cast

from idms_cli.config.secret_sources import SecretSource, resolve
from idms_cli.files.origins.address import Address

if TYPE_CHECKING:
    from idms_cli.files.origins.options import OriginOptions

MOST_FILES = 1000
"""More files at once are a mistake somewhere."""


class Entry(NamedTuple):
    """Where the opener of one kind of address lives, imported on first use, and what a job may say about it."""

    module: str
    opener: str
    summary: str
    keys: tuple[str, ...] = ()
    """The keys of `OriginOptions` that mean something only for it, and for others that name them too."""
    logins: tuple[frozenset[str], ...] = (frozenset(),)
    """What `auth:` may consist of."""
    moves: bool = True
    """Whether files can be archived there."""
    library: str = ""
    """What has to be installed beside idms, as the extra of the scheme's name."""


_NONE: frozenset[str] = frozenset()
_SSH = (frozenset({"password"}), frozenset({"key"}), frozenset({"key", "passphrase"}), frozenset({"key", "password"}))
_WEB = (_NONE, frozenset({"bearer"}), frozenset({"user", "password"}))
_AWS = (_NONE, frozenset({"access_key", "secret_key"}), frozenset({"access_key", "secret_key", "session_token"}))
_FOLDER = "idms_cli.files.origins"

ORIGINS: dict[str, Entry] = {
    "file": Entry(f"{_FOLDER}.local", "open_local", "files of this machine"),
    "sftp": Entry(
        f"{_FOLDER}.sftp",
        "open_sftp",
        "files on an SSH server",
        ("auth", "host_key", "known_hosts", "timeout"),
        _SSH,
        library="asyncssh",
    ),
    "https": Entry(f"{_FOLDER}.web", "open_web", "a web address", ("auth", "ca_file", "timeout"), _WEB, moves=False),
    "s3": Entry(
        f"{_FOLDER}.s3",
        "open_s3",
        "objects in a bucket",
        ("auth", "endpoint", "region", "timeout"),
        _AWS,
        library="obstore",
    ),
}


@dataclass(frozen=True)
class Found:
    """A file at its place, as it is now."""

    name: str
    """In its folder."""
    size: int | None
    """In bytes; None when nobody says."""
    modified: datetime | None
    etag: str = ""
    """What the place calls this very version; empty where it has no name for it."""

    def is_like(self, other: "Found") -> bool:
        """Whether this is still the same version, as far as can be told from outside."""
        if self.size is not None and other.size is not None and self.size != other.size:
            return False
        return self.etag == other.etag if self.etag and other.etag else self.modified == other.modified


class FileChanged(Exception):
    """The file is no longer the one that was found."""


class NameTaken(Exception):
    """There is a file of that name in the archive already."""


class Origin(Protocol):
    """An open place. Everything may raise `Unreachable`, `LoginRefused`, and `InputError` for a mistake of the job."""

    def find(self) -> Sequence[Found]:
        """The files that the address means, in any order; empty when there are none."""

    def look(self, name: str) -> Found | None:
        """The file of that name in the same folder; None when there is none."""

    def read(self, found: Found) -> Iterator[bytes]:
        """The bytes of one version of a file, in pieces. Raises `FileChanged` when it is not, or no longer, `found`."""

    def move(self, found: Found, name: str) -> None:
        """Put a file into the archive under this name.

        Raises `NameTaken`, and `FileChanged` when it is no longer `found`. The file is never lost: it is at the old
        place or at the new one, whenever this ends.
        """

    def archived(self, name: str) -> Found | None:
        """The file of that name in the archive; None when there is none."""

    def archive_address(self, name: str) -> str:
        """The whole address of an archived file, as people know it."""

    def finish(self, found: Found, name: str) -> None:
        """Remove what is left at its old place of a file that is whole in the archive: its move was cut off."""


@dataclass(frozen=True)
class Access:
    """What an opener is given."""

    address: Address
    """Local ones are absolute."""
    options: "OriginOptions"
    directory: Path
    """Where relative paths start."""
    stopping: Callable[[], bool] = lambda: False
    """Whether to give up, because the run is to end."""

    @property
    def timeout_s(self) -> float:
        return self.options.timeout.total_seconds()

    def secret(self, source: SecretSource) -> str:
        """Raises `InputError` when it cannot be had."""
        return resolve(source, self.directory).reveal()

    def path(self, relative: Path | None) -> Path | None:
        return None if relative is None else self.directory / relative


class Opener(Protocol):
    """What a file in this folder offers."""

    def __call__(self, access: Access) -> AbstractContextManager[Origin]: ...


def entry_of(scheme: str) -> Entry:
    """Plain http is what https is, on this machine."""
    return ORIGINS["https" if scheme == "http" else scheme]


def to_install(scheme: str) -> str:
    """What to do before files can come from there; empty when nothing is missing."""
    library = entry_of(scheme).library
    if not library or find_spec(library) is not None:
        return ""
    return f"Install what reads them: pip install 'idms-cli[{scheme}]'"


def open_origin(access: Access) -> AbstractContextManager[Origin]:
    """The place that an address names, ready to be asked."""
    entry = entry_of(access.address.scheme)
    return cast("Opener", getattr(import_module(entry.module), entry.opener))(access)
