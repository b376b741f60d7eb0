"""Files on an SSH server, by SFTP."""

import stat
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any, TypeVar, cast

import asyncssh

from idms_cli.errors import IdmsError, InputError, Unreachable
from idms_cli.files.origins import Access, FileChanged, Found, NameTaken, Origin
from idms_cli.files.origins.address import Address
from idms_cli.remote.account import Account
from idms_cli.remote.patience import Patience
from idms_cli.remote.ssh import Session, open_session, reason

CHUNK = 1 << 20
"""Read in parallel pieces of 16 KiB, so that a long way to the server costs little."""

T = TypeVar("T")


@contextmanager
def open_sftp(access: Access) -> Iterator[Origin]:
    """The folder of an sftp:// address. Raises `InputError` for a host key that is not the known one."""
    patience = Patience(access.timeout_s, "`timeout:` in `source:`", access.stopping)
    with open_session(_account(access), patience) as session:
        yield _Sftp(access, session)


def _account(access: Access) -> Account:
    address, options = access.address, access.options
    auth = options.auth
    return Account(
        host=address.host,
        port=address.port,
        user=address.user,
        directory=access.directory,
        place="`source:`",
        password=auth.password if auth else None,
        key=auth.key if auth else None,
        passphrase=auth.passphrase if auth else None,
        host_key=options.host_key,
        known_hosts=options.known_hosts,
    )


class _Sftp:
    """See `Origin`."""

    def __init__(self, access: Access, session: Session) -> None:
        self._access = access
        self._address = access.address
        self._session = session
        self._archive = access.address.archive(access.options.archive)

    def find(self) -> Sequence[Found]:
        if not self._address.is_pattern:
            one = self.look(self._address.name)
            return [] if one is None else [one]
        return self._wait(self._find(), what=self._address.of(""))

    async def _find(self) -> list[Found]:
        client = await self._session.client()
        found = []
        async for entry in client.scandir(_path(self._address) or "."):
            name = str(entry.filename)
            if not self._address.fits(name):
                continue
            attributes = entry.attrs
            if stat.S_ISLNK(attributes.permissions or 0):
                attributes = await client.stat(_path(self._address, name))
            if _is_file(attributes):
                found.append(_found(name, attributes))
        return found

    def look(self, name: str) -> Found | None:
        return self._wait(self._look(self._address, name), what=self._address.of(name))

    def archived(self, name: str) -> Found | None:
        return self._wait(self._look(self._archive, name), what=self._archive.of(name))

    async def _look(self, where: Address, name: str) -> Found | None:
        client = await self._session.client()
        try:
            attributes = await client.stat(_path(where, name))
        except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
            return None
        if not _is_file(attributes):
            raise InputError(f"{where.of(name)}: this is not a file.", hint="Name a file, not a folder.")
        return _found(name, attributes)

    def read(self, found: Found) -> Iterator[bytes]:
        what = self._address.of(found.name)
        file = self._wait(self._open(found.name), what=what)
        try:
            left = found.size if found.size is not None else self._access.options.max_size
            while chunk := self._wait(file.read(min(CHUNK, left + 1)), what=what):
                left -= len(chunk)
                if left < 0:
                    raise FileChanged
                yield cast("bytes", chunk)  # opened without an encoding
            if not _found(found.name, self._wait(file.stat(), what=what)).is_like(found):
                raise FileChanged
        finally:
            with suppress(IdmsError):
                self._wait(file.close(), what=what)

    async def _open(self, name: str) -> asyncssh.SFTPClientFile:
        client = await self._session.client()
        return await client.open(_path(self._address, name), "rb")

    def move(self, found: Found, name: str) -> None:
        source, target = _path(self._address, found.name), _path(self._archive, name)
        what = f"{self._address.of(found.name)}: archiving it as {self._archive.of(name)}"
        self._wait(self._rename(source, target), what=what)
        after = self.archived(name)
        if after is None or not after.is_like(found):  # another file came in that moment: back
            self._wait(self._rename(target, source), what=what)
            raise FileChanged

    def archive_address(self, name: str) -> str:
        return self._archive.of(name)

    async def _rename(self, source: str, target: str) -> None:
        """Never overwrites: draft-ietf-secsh-filexfer-02 (SFTP version 3), 6.5."""
        client = await self._session.client()
        if await client.exists(target):
            raise NameTaken(target)
        await client.makedirs(target.rpartition("/")[0] or ".", exist_ok=True)
        await client.rename(source, target)

    def finish(self, found: Found, name: str) -> None:
        """A rename leaves nothing behind."""

    def _wait(self, work: Coroutine[Any, Any, T], *, what: str) -> T:
        """Its result; given up after the source's `timeout` of silence, or when the run is to end."""
        try:
            return self._session.wait(work, what=what)
        except (NameTaken, IdmsError):
            raise
        except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath) as error:
            raise Unreachable(f"missing: {what}: it is not there.", hint="Check `path:`.") from error
        except asyncssh.SFTPPermissionDenied as error:
            hint = "The server does not let this account do that."
            raise Unreachable(f"{what}: not allowed.", hint=hint) from error
        except (asyncssh.Error, OSError) as error:
            raise Unreachable(f"{what}: {reason(error)}.", hint="Is the server up, and `path:` right?") from error


def _path(where: Address, name: str = "") -> str:
    """On the server. As in curl, /~/ is the home of the user."""
    return f"{where.folder}{name}".removeprefix("/~/")


def _is_file(attributes: asyncssh.SFTPAttrs) -> bool:
    """A server need not say what it is; then it is opened, and shows it."""
    return attributes.permissions is None or stat.S_ISREG(attributes.permissions)


def _found(name: str, attributes: asyncssh.SFTPAttrs) -> Found:
    modified = None if attributes.mtime is None else datetime.fromtimestamp(attributes.mtime, UTC)
    return Found(name, attributes.size, modified)
