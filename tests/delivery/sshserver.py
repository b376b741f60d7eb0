"""An SSH server that files are sent to: asyncssh's own, with the faults that servers have when they are written to."""

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncssh

from tests.sources.servers import PASSWORD, SshServer, ssh_server


@dataclass
class Faults:
    """What the server does wrong from now on."""

    room: int | None = None
    """Bytes that its disk takes of a file; then every write fails as OpenSSH tells it: `Failure`."""
    tells_room: bool = True
    """Whether it says how much is free."""
    cut_after: int | None = None
    """Bytes of a file after which the connection is gone."""
    stands_still_after: int | None = None
    """Bytes of a file after which nothing is answered any more."""
    slow_s: float = 0
    """For every piece of a file."""
    loses: int = 0
    """Bytes at the end of a file that it acknowledges and never writes."""
    takes_away: bool = False
    """Whether somebody fetches every file as soon as it is closed."""
    replaces: bool = True
    """Whether it has OpenSSH's posix-rename, and fsync; else it is a plain server of SFTP version 3."""
    refuses_renames: bool = False
    hangs_before: str = ""
    """The operation that is never done, nor answered: `rename` or `remove`."""
    hangs_after: str = ""
    """The operation that is done and never answered."""
    mute: Callable[[str], bool] = field(default=lambda _: True)
    """For which path of the operation that hangs."""


@dataclass
class Partner:
    """A running server, and where its files are."""

    server: SshServer
    faults: Faults
    reached: list[str] = field(default_factory=list)
    """What was asked for, in order: `write`, `fsync`, `rename`..."""

    @property
    def inbox(self) -> Path:
        return self.server.folder / "in"

    def names(self) -> list[str]:
        return sorted(path.name for path in self.inbox.iterdir())

    def step(self, directory: Path, more: str = "") -> str:
        """A step that delivers into the inbox, with the right password and key."""
        secret = directory / "partner-password"
        if not secret.exists():
            secret.write_text(PASSWORD)
            secret.chmod(0o600)
        keys = f"auth: {{password: {{file: {secret}}}}}\nhost_key: {self.server.fingerprint}\n"
        return f"to: {self.server.url('in/')}\n{keys}silence: 3s\n{more}\n"


@contextmanager
def partner(folder: Path, *, user_key: asyncssh.SSHKey | None = None) -> Iterator[Partner]:
    """A server with an empty folder `in`."""
    (folder / "in").mkdir(parents=True)
    faults = Faults()
    asked: list[str] = []

    class Files(asyncssh.SFTPServer):
        def __init__(self, channel: "asyncssh.SSHServerChannel[bytes]") -> None:
            super().__init__(channel, chroot=str(folder))
            self._connection = channel.get_connection()
            self._names: dict[int, bytes] = {}

        async def _done(self, operation: str, path: bytes, work: Callable[[], object]) -> None:
            asked.append(operation)
            hangs = faults.mute(path.decode())
            if hangs and faults.hangs_before == operation:
                await asyncio.sleep(3600)
            work()
            if hangs and faults.hangs_after == operation:
                await asyncio.sleep(3600)

        def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
            found = super().open(path, pflags, attrs)
            self._names[id(found)] = path
            opened.append(found)
            return found

        async def write(self, file_obj: object, offset: int, data: bytes) -> int:
            asked.append("write")
            end = offset + len(data)
            if faults.room is not None and end > faults.room:
                raise asyncssh.SFTPFailure("Failure")
            if faults.cut_after is not None and end > faults.cut_after:
                self._connection.abort()
            if faults.stands_still_after is not None and end > faults.stands_still_after:
                asked.append("still")
                await asyncio.sleep(3600)
            await asyncio.sleep(faults.slow_s)
            if faults.loses:
                data = data[: -faults.loses] if len(data) > faults.loses else data
            done = super().write(file_obj, offset, data)
            assert isinstance(done, int)
            return done

        def fsync(self, file_obj: object) -> None:
            asked.append("fsync")
            if not faults.replaces:
                raise asyncssh.SFTPOpUnsupported("unsupported")
            super().fsync(file_obj)

        def close(self, file_obj: object) -> None:
            super().close(file_obj)
            path = self._names.pop(id(file_obj), b"")
            if faults.takes_away and path:
                Path(os.fsdecode(self.map_path(path))).unlink()

        def statvfs(self, path: bytes) -> os.statvfs_result:
            if not faults.tells_room:
                raise asyncssh.SFTPOpUnsupported("unsupported")
            free = 1 << 40 if faults.room is None else faults.room // 1024
            return os.statvfs_result((1024, 1024, 1 << 40, free, free, 0, 0, 0, 0, 255))

        async def rename(self, oldpath: bytes, newpath: bytes) -> None:
            if faults.refuses_renames:
                raise asyncssh.SFTPPermissionDenied("Permission denied")
            await self._done("rename", newpath, lambda: super(Files, self).rename(oldpath, newpath))

        async def posix_rename(self, oldpath: bytes, newpath: bytes) -> None:
            if not faults.replaces:
                raise asyncssh.SFTPOpUnsupported("unsupported")
            if faults.refuses_renames:
                raise asyncssh.SFTPPermissionDenied("Permission denied")
            await self._done("rename", newpath, lambda: super(Files, self).posix_rename(oldpath, newpath))

        async def remove(self, path: bytes) -> None:
            await self._done("remove", path, lambda: super(Files, self).remove(path))

    opened: list[object] = []
    with ssh_server(folder, user_key=user_key, files=Files) as server:
        server.opened = opened
        yield Partner(server, faults, asked)
