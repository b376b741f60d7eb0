"""A folder on an FTP server, as uploads use it."""

import ftplib
import re
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from idms_cli.config.foreign import shortened
from idms_cli.delivery.uploads.address import Folder
from idms_cli.delivery.uploads.ftpclient import Client
from idms_cli.delivery.uploads.uploading import ONCE_MORE, NameTaken
from idms_cli.errors import DeliveryRefused, IdmsError, InputError, LoginRefused, Unreachable
from idms_cli.web.tls import certificate_fault

PORT = 21
IMPLICIT_PORT = 990
REASON = 120
# What the first digits of an answer mean: RFC 959, 4.2.
FULL = ("452", "552")
SAYS_FULL = re.compile("no space|disk full|quota|insufficient|writ(e|ing) to (local )?file", re.IGNORECASE)
"""What servers say that have only a general digit for it: pyftpdlib 426, vsftpd and Pure-FTPd 451."""
NO_SUCH_COMMAND = ("500", "501", "502", "503", "504")
NO_LOGIN = ("430", "530", "532", "535")


class FtpFolder:
    """See `RemoteFolder`."""

    def __init__(self, client: Client, where: Folder, *, password: str, implicit: bool) -> None:
        self._client = client
        self._where = where
        self._password = password
        self._implicit = implicit

    def address(self, name: str = "") -> str:
        return self._where.of(name)

    def make_ready(self, *, create: bool) -> None:
        self._connect()
        self._log_in()
        with self._clearly(self.address()):
            self._client.settle()
        if not self._enter():
            if not create:
                hint = "Make it, say create: true, or correct `to:`."
                raise Unreachable(f"there is no folder {self.address()}", hint=hint)
            self._make()

    def size(self, name: str) -> int | None:
        with self._clearly(self.address(name)):
            try:
                answer = self._client.sendcmd(f"SIZE {name}")
            except ftplib.error_perm as error:
                if _code(error) in NO_SUCH_COMMAND:
                    raise DeliveryRefused(
                        f"{self.address()}: the server does not tell the size of a file: {_reason(error)}",
                        hint="Without SIZE (RFC 3659) nobody can know whether a file is whole; choose another way.",
                    ) from error
                return None
            return int(answer[3:].split()[0])

    def send(self, path: Path, name: str, told: Callable[[int], None]) -> None:
        with path.open("rb") as source, self._clearly(self.address()):
            self._client.store(source, name, told)

    def rename(self, name: str, free: str) -> None:
        """Most servers replace what is there, so it is looked for just before."""
        if self.size(free) is not None:
            raise NameTaken
        self.replace(name, free)

    def replace(self, name: str, final: str) -> None:
        with self._clearly(self.address(final)):
            self._client.sendcmd(f"RNFR {name}")
            try:
                self._client.voidcmd(f"RNTO {final}")
            except ftplib.error_perm as error:
                if self.size(final) is not None and self.size(name) is not None:
                    raise NameTaken from error
                raise

    def remove(self, name: str) -> None:
        with self._clearly(self.address(name)):
            try:
                self._client.voidcmd(f"DELE {name}")
            except ftplib.error_perm:
                if self.size(name) is not None:
                    raise

    def _connect(self) -> None:
        port = self._where.port or (IMPLICIT_PORT if self._implicit else PORT)
        with self._clearly(self._where.netloc):
            try:
                self._client.open(self._where.host, port, implicit=self._implicit)
            except ssl.SSLError as error:
                raise self._not_encrypted(error) from error
            except Unreachable as error:
                if self._implicit or self._client.welcome is not None:
                    raise
                raise Unreachable(str(error), hint=f"{error.hint} Or does it want implicit: true?") from error
            except ftplib.error_perm as error:
                hint = "Ask its owner for FTP over TLS; where it is on at once (port 990), say implicit: true."
                raise InputError(f"{self._where.netloc} speaks no TLS: {_reason(error)}", hint=hint) from error

    def _not_encrypted(self, error: ssl.SSLError) -> Unreachable:
        if fault := certificate_fault(error):
            return Unreachable(
                f"{self._where.netloc}: the certificate of the server is not trusted: {fault}.",
                hint="If it has a private authority, name its certificate in `ca_file:`.",
            )
        wrong = "Leave implicit: true out?" if self._implicit else "Does it want implicit: true?"
        return Unreachable(f"{self._where.netloc}: no encrypted connection: {_reason(error)}.", hint=wrong)

    def _log_in(self) -> None:
        with self._clearly(self._where.netloc):
            try:
                self._client.login(self._where.user, self._password)
            except (ftplib.error_perm, ftplib.error_temp) as error:
                if _code(error) not in NO_LOGIN:
                    raise
                raise LoginRefused(
                    f"{self._where.netloc} refuses the login of {self._where.user}",
                    hint="Check `auth:` in the step, and whether the server still knows the account.",
                ) from error

    def _enter(self) -> bool:
        with self._clearly(self.address()):
            try:
                self._client.voidcmd(f"CWD {self._where.on_server()}")
            except ftplib.error_perm as error:
                if _code(error) == "550":
                    return False
                raise
            return True

    def _make(self) -> None:
        path = self._where.on_server()
        ends = [place for place in range(1, len(path)) if path[place] == "/"]
        with self._clearly(self.address()):
            for part in [*(path[:end] for end in ends), path]:
                with suppress(ftplib.error_perm):  # it is there, or the next step says why not
                    self._client.voidcmd(f"MKD {part}")
            self._client.voidcmd(f"CWD {path}")

    @contextmanager
    def _clearly(self, what: str) -> Iterator[None]:
        """What the server says, in our words. A session that broke in the middle of something is at its end."""
        try:
            yield
        except (ftplib.error_temp, ftplib.error_perm) as error:
            raise _translated(error, what) from error
        except (ftplib.Error, EOFError, OSError, ValueError) as error:
            self._client.close()
            hint = "Is the server up, and `to:` right? Are its ports for files (passive mode) open as well?"
            raise Unreachable(f"{what}: {_reason(error) or 'the server has gone away'}.", hint=hint) from error
        except Unreachable:
            self._client.close()
            raise


def _translated(error: ftplib.Error, what: str) -> IdmsError:
    reason = _reason(error)
    if _code(error) in FULL or SAYS_FULL.search(reason):
        return DeliveryRefused(
            f"{what}: the server does not take it: {reason}",
            hint=f"Have room made there, or the quota raised; {ONCE_MORE}",
        )
    if isinstance(error, ftplib.error_temp):
        return Unreachable(f"{what}: {reason}.", hint="That may pass. If it stays: is the disk full there?")
    hint = "The account needs the right to write, rename and remove files in this folder."
    return DeliveryRefused(f"{what}: the server does not take it: {reason}", hint=hint)


def _code(error: Exception) -> str:
    return str(error)[:3]


def _reason(error: Exception) -> str:
    """In the server's own words, harmless and short, without a full stop."""
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return shortened(text.replace("\n", " "), REASON).rstrip(".")
