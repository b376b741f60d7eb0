"""Files on an SSH server, by SFTP."""

import asyncio
import logging
import stat
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any, TypeVar, cast

import asyncssh

from idms_cli.config.foreign import harmless, shortened
from idms_cli.errors import IdmsError, InputError, Interrupted, LoginRefused, Unreachable
from idms_cli.files.origins import Access, FileChanged, Found, NameTaken, Origin
from idms_cli.files.origins.address import Address
from idms_cli.files.origins.hostkeys import SSH_PORT, HostKeys

CONNECT_TIMEOUT_S = 20.0
LOOK_EVERY_S = 0.25
CHUNK = 1 << 20
"""Read in parallel pieces of 16 KiB, so that a long way to the server costs little."""

T = TypeVar("T")


@contextmanager
def open_sftp(access: Access) -> Iterator[Origin]:
    """The folder of an sftp:// address. Raises `InputError` for a host key that is not the known one."""
    logging.getLogger("asyncssh").setLevel(logging.ERROR)  # what matters is raised, and told with a hint
    with asyncio.Runner() as runner:
        origin = _Sftp(access, runner)
        try:
            yield origin
        finally:
            origin.close()


class _Client(asyncssh.SSHClient):
    """Asks whether the key of the server is the right one."""

    def __init__(self, keys: HostKeys) -> None:
        self._keys = keys

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        del host, port
        return self._keys.accepts(addr, key)


class _Sftp:
    """See `Origin`."""

    def __init__(self, access: Access, runner: asyncio.Runner) -> None:
        self._access = access
        self._address = access.address
        self._runner = runner
        self._archive = access.address.archive(access.options.archive)
        self._connection: asyncssh.SSHClientConnection | None = None
        self._sftp: asyncssh.SFTPClient | None = None

    def find(self) -> Sequence[Found]:
        if not self._address.is_pattern:
            one = self.look(self._address.name)
            return [] if one is None else [one]
        return self._wait(self._find(), what=self._address.of(""))

    async def _find(self) -> list[Found]:
        client = await self._client()
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
        client = await self._client()
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
        client = await self._client()
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
        client = await self._client()
        if await client.exists(target):
            raise NameTaken(target)
        await client.makedirs(target.rpartition("/")[0] or ".", exist_ok=True)
        await client.rename(source, target)

    def finish(self, found: Found, name: str) -> None:
        """A rename leaves nothing behind."""

    def close(self) -> None:
        if self._connection is not None:
            self._connection.abort()
            with suppress(Exception):  # the far end may be gone, and nothing is lost by that
                self._runner.run(asyncio.wait_for(self._connection.wait_closed(), 1))

    async def _client(self) -> asyncssh.SFTPClient:
        if self._sftp is None:
            self._connection = await self._connect()
            self._sftp = await self._connection.start_sftp_client()
        return self._sftp

    async def _connect(self) -> asyncssh.SSHClientConnection:
        auth = self._access.options.auth
        keys = HostKeys(self._access)
        password = self._access.secret(auth.password) if auth and auth.password else None
        try:
            return await asyncssh.connect(
                self._address.host,
                self._address.port or SSH_PORT,
                username=self._address.user,
                password=password,
                client_keys=self._keys(),
                client_factory=lambda: _Client(keys),
                known_hosts=keys.known,
                config=None,
                agent_path=None,
                connect_timeout=min(CONNECT_TIMEOUT_S, self._access.timeout_s),
                login_timeout=self._access.timeout_s,
                keepalive_interval=15,
                gss_host=None,
            )
        except asyncssh.HostKeyNotVerifiable as error:
            refusal = keys.refusal or InputError(f"{self._address.netloc}: its key is not accepted: {error}")
            raise refusal from error
        except asyncssh.PermissionDenied as error:
            raise LoginRefused(
                f"{self._address.netloc} refuses the login of {self._address.user}",
                hint="Check `auth:` of the source, and whether the server still knows the account.",
            ) from error

    def _keys(self) -> "list[asyncssh.SSHKey] | None":
        auth = self._access.options.auth
        if auth is None or auth.key is None:
            return None
        passphrase = self._access.secret(auth.passphrase) if auth.passphrase else None
        try:
            return [asyncssh.import_private_key(f"{self._access.secret(auth.key)}\n", passphrase)]
        except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError) as error:
            raise InputError(
                f"the private key for {self._address.netloc} cannot be used: {error}",
                hint="It must be a whole private key as ssh-keygen writes it, and `passphrase:` its own.",
            ) from error

    def _wait(self, work: Coroutine[Any, Any, T], *, what: str) -> T:
        """Its result; given up after the source's `timeout` of silence, or when the run is to end."""
        try:
            return self._runner.run(self._patiently(work, what))
        except (NameTaken, IdmsError):
            raise
        except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath) as error:
            raise Unreachable(f"missing: {what}: it is not there.", hint="Check `path:`.") from error
        except asyncssh.SFTPPermissionDenied as error:
            hint = "The server does not let this account do that."
            raise Unreachable(f"{what}: not allowed.", hint=hint) from error
        except (asyncssh.Error, OSError) as error:
            raise Unreachable(f"{what}: {_reason(error)}.", hint="Is the server up, and `path:` right?") from error

    async def _patiently(self, work: Coroutine[Any, Any, T], what: str) -> T:
        task = asyncio.ensure_future(work)
        waited_s = 0.0
        try:
            while not (await asyncio.wait({task}, timeout=LOOK_EVERY_S))[0]:
                waited_s += LOOK_EVERY_S
                if self._access.stopping():
                    raise Interrupted("the run was stopped")
                if waited_s >= self._access.timeout_s:
                    hint = "Is the server overloaded? `timeout:` of the source says how long it may be silent."
                    raise Unreachable(f"{what}: nothing came for {self._access.timeout_s:g} s.", hint=hint)
            return task.result()
        finally:
            if not task.done():
                task.cancel()
                with suppress(asyncio.CancelledError, Exception):
                    await task


def _path(where: Address, name: str = "") -> str:
    """On the server. As in curl, /~/ is the home of the user."""
    return f"{where.folder}{name}".removeprefix("/~/")


def _is_file(attributes: asyncssh.SFTPAttrs) -> bool:
    """A server need not say what it is; then it is opened, and shows it."""
    return attributes.permissions is None or stat.S_ISREG(attributes.permissions)


def _found(name: str, attributes: asyncssh.SFTPAttrs) -> Found:
    modified = None if attributes.mtime is None else datetime.fromtimestamp(attributes.mtime, UTC)
    return Found(name, attributes.size, modified)


def _reason(error: Exception) -> str:
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error) or type(error).__name__
    return shortened(harmless(text)).rstrip(".")
