"""An SFTP session: logged in at a server whose key is known, and waited for with patience."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeVar

import asyncssh

from idms_cli.config.foreign import harmless, shortened
from idms_cli.errors import InputError, Interrupted, LoginRefused, Unreachable
from idms_cli.remote.account import SSH_PORT, Account
from idms_cli.remote.hostkeys import HostKeys

CONNECT_TIMEOUT_S = 20.0
LOOK_EVERY_S = 0.25

T = TypeVar("T")


@dataclass(frozen=True)
class Patience:
    """How long a server is waited for."""

    silence_s: float
    """It may say nothing for so long..."""
    key: str
    """...which is said under this key, for hints: "`timeout:`"."""
    stopping: Callable[[], bool]
    """Whether to give up, because the run is to end."""


@contextmanager
def open_session(account: Account, patience: Patience) -> Iterator["Session"]:
    """Nothing is sent before it is needed."""
    logging.getLogger("asyncssh").setLevel(logging.ERROR)  # what matters is raised, and told with a hint
    with asyncio.Runner() as runner:
        session = Session(account, runner, patience)
        try:
            yield session
        finally:
            session.close()


class Session:
    """One connection, made when it is first used."""

    def __init__(self, account: Account, runner: asyncio.Runner, patience: Patience) -> None:
        self._account = account
        self._runner = runner
        self._patience = patience
        self._silent_s = 0.0
        self._connection: asyncssh.SSHClientConnection | None = None
        self._sftp: asyncssh.SFTPClient | None = None

    async def client(self) -> asyncssh.SFTPClient:
        """Raises `InputError` for a host key that is not the known one, `LoginRefused`, and what asyncssh raises."""
        if self._sftp is None:
            self._connection = await self._connect()
            self._sftp = await self._connection.start_sftp_client()
        return self._sftp

    def wait(self, work: Coroutine[Any, Any, T], *, what: str) -> T:
        """Its result. Raises what it raises, `Unreachable` after too long a silence, and `Interrupted`."""
        return self._runner.run(self._patiently(work, what))

    def heard(self) -> None:
        """The server has answered something, so that what is waited for is on its way."""
        self._silent_s = 0.0

    def close(self) -> None:
        if self._connection is not None:
            self._connection.abort()
            with suppress(Exception):  # the far end may be gone, and nothing is lost by that
                self._runner.run(asyncio.wait_for(self._connection.wait_closed(), 1))

    async def _connect(self) -> asyncssh.SSHClientConnection:
        account = self._account
        keys = HostKeys(account)
        try:
            return await asyncssh.connect(
                account.host,
                account.port or SSH_PORT,
                username=account.user,
                password=account.secret(account.password),
                client_keys=self._keys(),
                client_factory=lambda: _Client(keys),
                known_hosts=keys.known,
                config=None,
                agent_path=None,
                connect_timeout=min(CONNECT_TIMEOUT_S, self._patience.silence_s),
                login_timeout=self._patience.silence_s,
                keepalive_interval=15,
                gss_host=None,
            )
        except asyncssh.HostKeyNotVerifiable as error:
            refusal = keys.refusal or InputError(f"{account.netloc}: its key is not accepted: {error}")
            raise refusal from error
        except asyncssh.PermissionDenied as error:
            raise LoginRefused(
                f"{account.netloc} refuses the login of {account.user}",
                hint=f"Check `auth:` in {account.place}, and whether the server still knows the account.",
            ) from error

    def _keys(self) -> "list[asyncssh.SSHKey] | None":
        account = self._account
        if account.key is None:
            return None
        passphrase = account.secret(account.passphrase)
        try:
            return [asyncssh.import_private_key(f"{account.secret(account.key)}\n", passphrase)]
        except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError) as error:
            raise InputError(
                f"the private key for {account.netloc} cannot be used: {error}",
                hint="It must be a whole private key as ssh-keygen writes it, and `passphrase:` its own.",
            ) from error

    async def _patiently(self, work: Coroutine[Any, Any, T], what: str) -> T:
        task = asyncio.ensure_future(work)
        self.heard()
        try:
            while not (await asyncio.wait({task}, timeout=LOOK_EVERY_S))[0]:
                self._silent_s += LOOK_EVERY_S
                if self._patience.stopping():
                    raise Interrupted("the run was stopped")
                if self._silent_s >= self._patience.silence_s:
                    raise self._too_silent(what)
            return task.result()
        finally:
            if not task.done():
                task.cancel()
                with suppress(asyncio.CancelledError, Exception):
                    await task

    def _too_silent(self, what: str) -> Unreachable:
        patience = self._patience
        return Unreachable(
            f"{what}: nothing came for {patience.silence_s:g} s.",
            hint=f"Is the server overloaded? {patience.key} in {self._account.place} says how long it may be silent.",
        )


class _Client(asyncssh.SSHClient):
    """Asks whether the key of the server is the right one."""

    def __init__(self, keys: HostKeys) -> None:
        self._keys = keys

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        del host, port
        return self._keys.accepts(addr, key)


def reason(error: Exception) -> str:
    """What asyncssh or the system says, harmless and short, without a full stop."""
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error) or type(error).__name__
    return shortened(harmless(text)).rstrip(".")
