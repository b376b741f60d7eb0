"""A folder on an SSH server, as uploads use it."""

import asyncio
import stat
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import asyncssh

from idms_cli.delivery.uploads.address import Folder
from idms_cli.delivery.uploads.uploading import ONCE_MORE, UNKNOWN, NameTaken
from idms_cli.errors import DeliveryRefused, IdmsError, InputError, Unreachable
from idms_cli.remote.patience import Patience
from idms_cli.remote.ssh import Session, reason

PIECE = 1 << 15
"""Bytes a request: every server takes so many (draft-ietf-secsh-filexfer-02, 3)..."""
AT_A_TIME = 64
"""...and so many requests are on their way, so that a long way to the server costs little."""
FULL = (asyncssh.SFTPNoSpaceOnFilesystem, asyncssh.SFTPQuotaExceeded)
MISSING = (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath)
GONE = (asyncssh.SFTPConnectionLost, asyncssh.SFTPNoConnection)
CLOSING_S = 1.0

T = TypeVar("T")


class SftpFolder:
    """See `RemoteFolder`."""

    def __init__(self, session: Session, where: Folder, patience: Patience) -> None:
        self._session = session
        self._where = where
        self._patience = patience
        self._is_lost = False

    def address(self, name: str = "") -> str:
        return self._where.of(name)

    def make_ready(self, *, create: bool) -> None:
        self._wait(self._make_ready(create), self.address(), patience=self._patience)

    async def _make_ready(self, create: bool) -> None:
        client = await self._session.client()
        path = self._where.on_server()
        try:
            attributes = await client.stat(path)
        except MISSING as error:
            if not create:
                raise _no_folder(self.address()) from error
            await client.makedirs(path, exist_ok=True)
            return
        if attributes.permissions is not None and not stat.S_ISDIR(attributes.permissions):
            raise InputError(
                f"{self.address()} is no folder", hint="`to:` names a folder; `file:` names the file in it."
            )

    def size(self, name: str) -> int | None:
        return self._wait(self._size(name), self.address(name))

    async def _size(self, name: str) -> int | None:
        client = await self._session.client()
        try:
            attributes = await client.lstat(self._where.on_server(name))
        except MISSING:
            return None
        if attributes.permissions is not None and not stat.S_ISREG(attributes.permissions):
            what = "a link" if stat.S_ISLNK(attributes.permissions) else "no regular file"
            raise DeliveryRefused(
                f"{self.address(name)} is {what}, and is not replaced", hint="Remove it, or name the file otherwise."
            )
        return UNKNOWN if attributes.size is None else attributes.size

    def send(self, path: Path, name: str, told: Callable[[int], None]) -> None:
        try:
            self._wait(self._send(path, name, told), self.address(), patience=self._patience)
        except DeliveryRefused as error:
            if room := self._room(path.stat().st_size):
                raise DeliveryRefused(f"{self.address()}: {room}", hint=_make_room()) from error
            raise

    async def _send(self, path: Path, name: str, told: Callable[[int], None]) -> None:
        client = await self._session.client()
        file = await client.open(self._where.on_server(name), "wb", block_size=0)  # one request for each piece
        try:
            await self._write(path, file, told)
            with suppress(asyncssh.SFTPOpUnsupported):
                await file.fsync()
        except BaseException:
            with suppress(Exception):
                await asyncio.wait_for(file.close(), CLOSING_S)
            raise
        await file.close()

    async def _write(self, path: Path, file: asyncssh.SFTPClientFile, told: Callable[[int], None]) -> None:
        """Piece by piece, several of them at a time: what is in memory does not grow with the file."""
        free = asyncio.Semaphore(AT_A_TIME)

        async def write(piece: bytes, offset: int) -> None:
            await file.write(piece, offset)
            self._session.heard()
            told(len(piece))
            free.release()

        offset = 0
        with path.open("rb") as source:
            try:
                async with asyncio.TaskGroup() as writing:
                    while piece := source.read(PIECE):
                        await free.acquire()
                        writing.create_task(write(piece, offset))
                        offset += len(piece)
            except BaseExceptionGroup as errors:
                raise errors.exceptions[0] from None

    def _room(self, wanted: int) -> str:
        """What to say when the disk cannot take a file of that size; empty when it could, or when nobody knows."""

        async def look() -> asyncssh.SFTPVFSAttrs:
            client = await self._session.client()
            return await client.statvfs(self._where.on_server())

        with suppress(IdmsError):
            found = self._wait(look(), self.address())
            free = (found.bavail or 0) * (found.frsize or 0)
            if free < wanted:
                return f"the disk of the server has {free:,} bytes left, and the file has {wanted:,}"
        return ""

    def rename(self, name: str, free: str) -> None:
        """SFTP version 3 never overwrites (draft-ietf-secsh-filexfer-02, 6.5); not every server has read that."""
        if self.size(free) is not None:
            raise NameTaken
        try:
            self._wait(self._rename(name, free), self.address(free))
        except DeliveryRefused as error:
            if self.size(free) is not None and self.size(name) is not None:
                raise NameTaken from error
            raise

    async def _rename(self, name: str, free: str) -> None:
        client = await self._session.client()
        await client.rename(self._where.on_server(name), self._where.on_server(free))

    def replace(self, name: str, final: str) -> None:
        if not self._wait(self._replace(name, final), self.address(final)):
            self.rename(name, final)

    async def _replace(self, name: str, final: str) -> bool:
        client = await self._session.client()
        try:
            await client.posix_rename(self._where.on_server(name), self._where.on_server(final))
        except asyncssh.SFTPOpUnsupported:
            return False
        return True

    def remove(self, name: str) -> None:
        self._wait(self._remove(name), self.address(name))

    async def _remove(self, name: str) -> None:
        client = await self._session.client()
        with suppress(*MISSING):
            await client.remove(self._where.on_server(name))

    def _wait(self, work: Coroutine[Any, Any, T], what: str, *, patience: Patience | None = None) -> T:
        """Its result, with what the server says in our words. What takes a moment is never left half done."""
        if self._is_lost:
            work.close()
            raise _gone(ConnectionError("the server has gone away"), what)
        try:
            return self._session.wait(work, what=what, patience=patience or self._patience.to_the_end())
        except Unreachable:
            self._is_lost = True
            raise
        except IdmsError:
            raise
        except asyncssh.SFTPError as error:
            raise _translated(error, what) from error
        except (asyncssh.Error, OSError) as error:
            raise _gone(error, what) from error


def _translated(error: asyncssh.SFTPError, what: str) -> IdmsError:
    if isinstance(error, GONE):
        return _gone(error, what)
    if isinstance(error, MISSING):
        return _no_folder(what)
    if isinstance(error, asyncssh.SFTPPermissionDenied | asyncssh.SFTPWriteProtect):
        hint = "The account needs the right to write, rename and remove files in this folder."
        return DeliveryRefused(f"{what}: nothing can be written there: {reason(error)}", hint=hint)
    if isinstance(error, FULL):
        return DeliveryRefused(f"{what}: the server does not take it: {reason(error)}", hint=_make_room())
    hint = f"The disk may be full there, or the account's quota used up: ask its owner; {ONCE_MORE}"
    return DeliveryRefused(f"{what}: the server does not take it: {reason(error)}", hint=hint)


def _gone(error: Exception, what: str) -> Unreachable:
    return Unreachable(f"{what}: {reason(error)}.", hint="Is the server up, and `to:` right?")


def _no_folder(what: str) -> Unreachable:
    return Unreachable(f"there is no folder {what}", hint="Make it, say create: true, or correct `to:`.")


def _make_room() -> str:
    return f"Have room made there, or the quota raised; {ONCE_MORE}"
