"""An FTP server over TLS that files are sent to: pyftpdlib's, with the faults that servers have when written to."""

import errno
import logging
import os
import socket
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import trustme
from OpenSSL import SSL

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # it stands on asyncore
    from pyftpdlib.authorizers import AuthenticationFailed, DummyAuthorizer
    from pyftpdlib.filesystems import AbstractedFS, FilesystemError
    from pyftpdlib.handlers import DTPHandler, FTPHandler, TLS_DTPHandler, TLS_FTPHandler
    from pyftpdlib.ioloop import IOLoop
    from pyftpdlib.servers import FTPServer

PASSWORD = "correct horse"
USER = "feeds"


@dataclass
class Faults:
    """What the server does wrong from now on."""

    room: int | None = None
    """Bytes that its disk takes of a file."""
    cut_after: int | None = None
    """Bytes of a file after which both connections are gone."""
    stands_still_after: int | None = None
    """Bytes of a file after which no more is read."""
    loses: int = 0
    """Bytes at the end of each piece that never reach the disk."""
    slow_s: float = 0
    """For every piece of a file."""
    replaces: bool = True
    """Whether a rename replaces what is there, as on Unix and not on Windows."""
    refuses: dict[str, str] = field(default_factory=dict)
    """Commands that get this answer instead of being done."""
    mute: frozenset[str] = frozenset()
    """Commands that are never answered, nor done."""
    mute_after: frozenset[str] = frozenset()
    """Commands that are done, and never answered."""


@dataclass
class FtpPartner:
    """A running server, and where its files are."""

    folder: Path
    port: int
    ca_file: Path
    faults: Faults = field(default_factory=Faults)
    commands: list[str] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    received: int = 0
    """Bytes of files."""
    resumed: list[bool] = field(default_factory=list)
    """Of each connection for files: whether it goes on with the TLS session of the one for commands."""

    @property
    def inbox(self) -> Path:
        return self.folder / "in"

    def names(self) -> list[str]:
        return sorted(path.name for path in self.inbox.iterdir())

    def url(self, path: str, scheme: str = "ftps") -> str:
        return f"{scheme}://{USER}@127.0.0.1:{self.port}/{path}"

    def step(self, directory: Path, more: str = "") -> str:
        """A step that delivers into the inbox, with the right password and authority."""
        secret = directory / "partner-password"
        if not secret.exists():
            secret.write_text(PASSWORD)
            secret.chmod(0o600)
        keys = f"auth: {{password: {{file: {secret}}}}}\nca_file: {self.ca_file}\n"
        return f"to: {self.url('in/')}\n{keys}silence: 3s\n{more}\n"


@contextmanager
def ftp_partner(
    folder: Path, *, implicit: bool = False, tls: bool = True, demands_session: bool = False
) -> Iterator[FtpPartner]:
    """Lets `USER` in with `PASSWORD`, into a folder with an empty folder `in`."""
    (folder / "in").mkdir(parents=True)
    authority = trustme.CA()
    ca_file = folder.parent / f"{folder.name}-authority.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    partner = FtpPartner(folder, 0, ca_file)
    with IOLoop() as loop:
        handler = _handler(partner, _context(authority, old=demands_session) if tls else None, implicit=implicit)
        handler.demands_session = demands_session
        logging.getLogger("pyftpdlib").setLevel(logging.CRITICAL + 1)
        server = FTPServer(("127.0.0.1", 0), handler, ioloop=loop)
        partner.port = server.address[1]
        is_over = threading.Event()

        def serve() -> None:
            while not is_over.is_set():
                loop.loop(timeout=0.02, blocking=False)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield partner
        finally:
            is_over.set()
            thread.join(30)
            server.close_all()


def _context(authority: trustme.CA, *, old: bool) -> SSL.Context:
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    certificate = authority.issue_cert("127.0.0.1")
    context.use_certificate(_x509(certificate.cert_chain_pems[0].bytes()))
    context.use_privatekey(_key(certificate.private_key_pem.bytes()))
    context.set_session_id(b"idms")
    context.set_session_cache_mode(SSL.SESS_CACHE_SERVER)
    if old:  # a session is known by its master key up to this version
        context.set_max_proto_version(SSL.TLS1_2_VERSION)
    return context


def _x509(pem: bytes) -> Any:
    from cryptography.x509 import load_pem_x509_certificate

    return load_pem_x509_certificate(pem)


def _key(pem: bytes) -> Any:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    return load_pem_private_key(pem, None)


class _Login(DummyAuthorizer):  # type: ignore[misc]
    def __init__(self, partner: FtpPartner) -> None:
        super().__init__()
        self._partner = partner
        self.add_user(USER, PASSWORD, str(partner.folder), perm="elradfmwMT")

    def validate_authentication(self, username: str, password: str, handler: Any) -> None:
        self._partner.logins.append(password)
        if (username, password) != (USER, PASSWORD):
            raise AuthenticationFailed("Authentication failed.")


def _handler(partner: FtpPartner, context: SSL.Context | None, *, implicit: bool) -> Any:
    faults = partner.faults

    class Disk(AbstractedFS):  # type: ignore[misc]
        def open(self, filename: str, mode: str) -> Any:
            return _File(super().open(filename, mode), partner, self.cmd_channel)

        def rename(self, src: str, dst: str) -> None:
            if not faults.replaces and os.path.lexists(dst):
                raise FilesystemError("File already exists")
            super().rename(src, dst)

    class Data:
        """The connections for files."""

        def handle_error(self) -> None:
            """Over TLS, pyftpdlib itself would say nothing of what went wrong."""
            self._resp = (f"426 {os.strerror(errno.ENOSPC)}; transfer aborted.", logging.debug)
            self.close()  # type: ignore[attr-defined]

        def handle_ssl_established(self) -> None:
            keys = [self.socket.master_key(), self.cmd_channel.socket.master_key()]  # type: ignore[attr-defined]
            partner.resumed.append(keys[0] == keys[1])
            if self.cmd_channel.demands_session and keys[0] != keys[1]:  # type: ignore[attr-defined]
                self._resp = ("522 SSL connection failed: session reuse required.", logging.debug)
                self.close()  # type: ignore[attr-defined]

    class Commands:
        """What is asked for."""

        demands_session = False
        authorizer = _Login(partner)
        abstracted_fs = Disk
        auth_failed_timeout = 0

        def process_command(self, cmd: str, *args: Any, **kwargs: Any) -> None:
            partner.commands.append(cmd)
            if cmd in faults.mute:
                return
            if cmd in faults.refuses:
                self.respond(faults.refuses[cmd])  # type: ignore[attr-defined]
                return
            if cmd in faults.mute_after:
                self.respond = lambda *_, **__: None
            super().process_command(cmd, *args, **kwargs)  # type: ignore[misc]

    if context is None:

        class Plain(Commands, FTPHandler):  # type: ignore[misc]
            dtp_handler = type("PlainData", (Data, DTPHandler), {})

        return Plain

    class Explicit(Commands, TLS_FTPHandler):  # type: ignore[misc]
        ssl_context = context
        tls_control_required = True
        tls_data_required = True
        dtp_handler = type("TlsData", (Data, TLS_DTPHandler), {})

    class Implicit(Explicit):
        def handle(self) -> None:
            self.secure_connection(self.get_ssl_context())

        def handle_ssl_established(self) -> None:
            super().handle()

        def ftp_AUTH(self, line: str) -> None:  # noqa: N802 - its name
            self.respond("550 It is on already.")

    return Implicit if implicit else Explicit


def _cut(descriptor: int) -> None:
    """The connection is gone, as if by a cable: without a word of TLS."""
    with socket.socket(fileno=os.dup(descriptor)) as connection:
        connection.shutdown(socket.SHUT_RDWR)


class _File:
    """A file on the disk of the server."""

    def __init__(self, file: Any, partner: FtpPartner, commands: Any) -> None:
        self._file = file
        self._partner = partner
        self._commands = commands
        self._size = 0
        self.name = file.name

    @property
    def closed(self) -> bool:
        return bool(self._file.closed)

    def write(self, data: bytes) -> None:
        faults = self._partner.faults
        self._size += len(data)
        self._partner.received += len(data)
        time.sleep(faults.slow_s)
        if faults.room is not None and self._size > faults.room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if faults.cut_after is not None and self._size > faults.cut_after:
            for each in (self._commands.data_channel, self._commands):
                _cut(each.socket.fileno())
            return
        if faults.stands_still_after is not None and self._size > faults.stands_still_after:
            self._commands.ioloop.modify(self._commands.data_channel._fileno, 0)
        self._file.write(data[: len(data) - faults.loses])

    def close(self) -> None:
        self._file.close()
