"""An SFTP session: logged in at a server whose key is known, and waited for with patience."""

import asyncio
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import asyncssh

from idms_cli.config.foreign import harmless, shortened
from idms_cli.errors import InputError, LoginRefused
from idms_cli.remote.account import SSH_PORT, Account
from idms_cli.remote.hostkeys import HostKeys
from idms_cli.remote.patience import Patience
from idms_cli.remote.waiting import Waiter

CONNECT_TIMEOUT_S = 20.0
TOO_MANY = "authentication failures"
"""How OpenSSH ends a connection on which one more wrong key or password is one too many."""


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


class Session(Waiter):
    """One connection, made when it is first used."""

    def __init__(self, account: Account, runner: asyncio.Runner, patience: Patience) -> None:
        super().__init__(runner, patience)
        self._account = account
        self._connection: asyncssh.SSHClientConnection | None = None
        self._sftp: asyncssh.SFTPClient | None = None

    async def client(self) -> asyncssh.SFTPClient:
        """Raises `InputError` for a host key that is not the known one, `LoginRefused`, and what asyncssh raises."""
        if self._sftp is None:
            self._connection = await self._connect()
            self._sftp = await self._connection.start_sftp_client()
        return self._sftp

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
            raise self._refused() from error
        except asyncssh.DisconnectError as error:
            if TOO_MANY in error.reason.casefold():
                raise self._refused() from error
            raise

    def _refused(self) -> LoginRefused:
        return LoginRefused(
            f"{self._account.netloc} refuses the login of {self._account.user}",
            hint=f"Check `auth:` in {self._account.place}, and whether the server still knows the account.",
        )

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
    if isinstance(error, OSError) and error.errno and text.startswith("Connect call failed"):
        text = os.strerror(error.errno)  # asyncio says to whom, and not why
    return shortened(harmless(text)).rstrip(".")
