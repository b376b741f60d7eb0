"""FTP as it is spoken today: over TLS, passively, and with patience. ftplib knows the rest of the protocol."""

import ftplib
import socket
import ssl
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any, BinaryIO, TypeVar

from idms_cli.errors import IdmsError
from idms_cli.remote.patience import LOOK_EVERY_S, MOMENT_S, Patience

CONNECT_TIMEOUT_S = 20.0
KEEP_ALIVE_S = 60
"""The connection for commands is idle while a file goes over another one; nothing in between must forget it."""
GOODBYE_S = 2.0
PIECE = 1 << 16
READ = 1 << 13
BUSY = (TimeoutError, BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)

T = TypeVar("T")


class Client(ftplib.FTP):
    """One session. Raises what ftplib raises, OSError, EOFError, and what `Patience` raises."""

    def __init__(self, patience: Patience, *, what: str, context: ssl.SSLContext | None) -> None:
        """Without a `context` nothing is encrypted. `what` is asked for, in messages."""
        super().__init__(timeout=min(CONNECT_TIMEOUT_S, patience.silence_s))
        self._patience = patience
        self._what = what
        self._context = context

    def open(self, host: str, port: int, *, implicit: bool) -> None:
        """Connect, and encrypt: at once (implicit), or after asking for it (RFC 4217, 4)."""
        self.host, self.port = host, port
        self.sock = socket.create_connection((host, port), self.timeout)
        self.af = self.sock.family
        _keep_alive(self.sock)
        if self._context and implicit:
            self._encrypt()
        else:
            self._listen()
        self.welcome = self.getresp()
        if self._context and not implicit:
            self.voidcmd("AUTH TLS")
            self._encrypt()

    def settle(self) -> None:
        """Files are encrypted as well (RFC 4217, 9) and go as they are; names are UTF-8 (RFC 2640)."""
        if self._context:
            self.voidcmd("PBSZ 0")
            self.voidcmd("PROT P")
        self.voidcmd("TYPE I")
        with suppress(ftplib.error_perm, ftplib.error_temp):
            if "UTF8" in self.sendcmd("FEAT").upper():
                self.sendcmd("OPTS UTF8 ON")

    def store(self, source: BinaryIO, name: str, told: Callable[[int], None]) -> None:
        """All that is left of `source`, as it is."""
        with self.transfercmd(f"STOR {name}") as connection:
            try:
                while piece := source.read(PIECE):
                    self._send(connection, piece)
                    told(len(piece))
                _say_goodbye(connection)
            except (OSError, IdmsError) as error:
                _cut(connection)
                reason = self._answer()
                if reason is not None and isinstance(error, OSError):
                    raise reason from error  # it comes over the connection for commands
                raise
        self.voidresp()

    def close(self) -> None:
        """Politely, but without waiting for an answer."""
        with suppress(OSError, EOFError):
            self.putcmd("QUIT")
        super().close()

    def putline(self, line: str) -> None:
        if self.sock is None:
            raise EOFError
        self.sock.settimeout(self.timeout)
        super().putline(line)

    def ntransfercmd(self, cmd: str, rest: int | str | None = None) -> tuple[socket.socket, int | None]:
        connection, size = super().ntransfercmd(cmd, rest)
        if self._context and isinstance(self.sock, ssl.SSLSocket):
            # Servers may want to see that it is still us: the session of the other connection goes on.
            connection = self._encrypted(self._context, connection, self.sock.session)
        return connection, size

    def patiently(self, connection: socket.socket, call: Callable[..., T], *arguments: Any) -> T:
        """What the call gives, tried again until the server does its part, or was silent for too long."""
        silent_s = 0.0
        while True:
            connection.settimeout(LOOK_EVERY_S)
            try:
                return call(*arguments)
            except BUSY:
                silent_s += LOOK_EVERY_S
                patience = self._patience.to_the_end() if connection is self.sock else self._patience
                patience.check(silent_s, self._what)

    def _encrypt(self) -> None:
        assert self._context is not None  # noqa: S101 - looked at by who calls
        assert self.sock is not None  # noqa: S101
        self.sock = self._encrypted(self._context, self.sock, None)
        self._listen()  # anew: what came before it in the open is not read

    def _listen(self) -> None:
        self._lines = _Lines(self)
        self.file = self._lines  # type: ignore[assignment]  # the part of a file that ftplib needs

    def _encrypted(
        self, context: ssl.SSLContext, connection: socket.socket, session: ssl.SSLSession | None
    ) -> ssl.SSLSocket:
        found = context.wrap_socket(
            connection, server_hostname=self.host, session=session, do_handshake_on_connect=False
        )
        try:
            self.patiently(found, found.do_handshake)
        except BaseException:
            found.close()
            raise
        return found

    def _send(self, connection: socket.socket, piece: bytes) -> None:
        rest = memoryview(piece)
        while rest:
            rest = rest[self.patiently(connection, self._send_some, connection, rest) :]
        self._patience.check(0, self._what)

    def _send_some(self, connection: socket.socket, rest: memoryview) -> int:
        try:
            return connection.send(rest)
        except BUSY:
            if self._has_ended(connection):
                raise ConnectionAbortedError("the server takes no more of it") from None
            raise

    def _has_ended(self, connection: socket.socket) -> bool:
        """A server that is full may say so, or end the file on its side, and just read no more."""
        connection.settimeout(0)
        try:
            return self._lines.has_more() or not connection.recv(1)
        except BUSY:
            return False

    def _answer(self) -> ftplib.Error | None:
        """What the server says of a file that was cut off; without an answer the session is at its end."""
        self._patience = replace(self._patience, silence_s=min(MOMENT_S, self._patience.silence_s))
        try:
            self.voidresp()
        except (ftplib.error_temp, ftplib.error_perm) as error:
            return error
        except (ftplib.Error, OSError, EOFError, IdmsError):
            self.close()
        return None


def _say_goodbye(connection: socket.socket) -> None:
    """The file has ended: not just the connection, as whoever cuts it could pretend. Many servers do not answer."""
    if isinstance(connection, ssl.SSLSocket):
        connection.settimeout(GOODBYE_S)
        with suppress(OSError, ValueError):
            connection.unwrap()


def _cut(connection: socket.socket) -> None:
    """The file has not ended, and what is still on its way is not wanted."""
    with suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def _keep_alive(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL):
        connection.setsockopt(socket.IPPROTO_TCP, option, KEEP_ALIVE_S)


class _Lines:
    """The answers of a server, a line at a time."""

    def __init__(self, client: Client) -> None:
        assert client.sock is not None  # noqa: S101 - it is made for an open connection
        self._client = client
        self._socket = client.sock
        self._buffer = b""

    def readline(self, limit: int) -> str:
        """With its end; cut at the limit, and empty when the connection has ended."""
        while b"\n" not in self._buffer and len(self._buffer) < limit:
            piece = self._client.patiently(self._socket, self._socket.recv, READ)
            if not piece:
                break
            self._buffer += piece
        end = self._buffer.find(b"\n") + 1 or len(self._buffer)
        line, self._buffer = self._buffer[: min(end, limit)], self._buffer[min(end, limit) :]
        return line.decode("utf-8", "replace")

    def has_more(self) -> bool:
        """Whether the server has said something that was not asked for yet, or has gone; does not wait."""
        self._socket.settimeout(0)
        with suppress(*BUSY):
            self._buffer += self._socket.recv(READ)
            return True
        return bool(self._buffer)

    def close(self) -> None:
        """The socket is closed by who opened it."""
