"""Servers on this machine that files come from: a real SSH server, a web server with a certificate, an S3 service."""

import asyncio
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import asyncssh
import trustme

PASSWORD = "correct horse"
USER = "feeds"


@dataclass
class Faults:
    """What the SSH server does wrong."""

    cut_after: int | None = None
    """Bytes of a file after which the connection is gone."""
    ends_logins: bool = False
    """Too many failures, it says of every login."""
    stand_still: bool = False
    """No byte of a file ever comes."""
    on_read: Callable[[], None] = lambda: None
    """Called for every piece of a file that is asked for."""
    before_rename: Callable[[], None] | None = None
    """Called before a file is renamed; then nothing answers any more."""
    after_rename: Callable[[], None] | None = None
    """The same, once it is renamed."""


@dataclass
class SshServer:
    """A running SFTP server over a folder."""

    folder: Path
    port: int
    key: asyncssh.SSHKey
    faults: Faults = field(default_factory=Faults)
    opened: list[Any] = field(default_factory=list)
    """Every file that was opened."""
    logins: list[str] = field(default_factory=list)
    """Every password that was sent."""

    @property
    def fingerprint(self) -> str:
        return str(self.key.get_fingerprint())

    @property
    def known_line(self) -> str:
        """As in a file of known hosts."""
        return f"[127.0.0.1]:{self.port} {' '.join(self.key.export_public_key().decode().split()[:2])}\n"

    def url(self, path: str) -> str:
        return f"sftp://{USER}@127.0.0.1:{self.port}/{path}"


@contextmanager
def ssh_server(
    folder: Path,
    *,
    user_key: asyncssh.SSHKey | None = None,
    files: Callable[["asyncssh.SSHServerChannel[bytes]"], asyncssh.SFTPServer] | None = None,
) -> Iterator[SshServer]:
    """Lets `USER` in with `PASSWORD`, or with a key. `files` serves them in another way than by `Faults`."""
    server = SshServer(folder, 0, asyncssh.generate_private_key("ssh-ed25519"))

    class Login(asyncssh.SSHServer):
        def password_auth_supported(self) -> bool:
            return True

        def validate_password(self, username: str, password: str) -> bool:
            server.logins.append(password)
            if server.faults.ends_logins:
                raise asyncssh.ProtocolError("Too many authentication failures")
            return (username, password) == (USER, PASSWORD)

        def public_key_auth_supported(self) -> bool:
            return user_key is not None

        def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
            return user_key is not None and key == user_key.convert_to_public()

    class Files(asyncssh.SFTPServer):
        def __init__(self, channel: "asyncssh.SSHServerChannel[bytes]") -> None:
            super().__init__(channel, chroot=str(folder))
            self._connection = channel.get_connection()

        def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
            server.opened.append(found := super().open(path, pflags, attrs))
            return found

        async def rename(self, oldpath: bytes, newpath: bytes) -> None:
            if server.faults.before_rename:
                server.faults.before_rename()
                await asyncio.sleep(3600)
            super().rename(oldpath, newpath)
            if server.faults.after_rename:
                server.faults.after_rename()
                await asyncio.sleep(3600)

        async def read(self, file_obj: object, offset: int, size: int) -> bytes:
            server.faults.on_read()
            if server.faults.stand_still:
                await asyncio.sleep(3600)
            if server.faults.cut_after is not None and offset >= server.faults.cut_after:
                self._connection.abort()
            found = super().read(file_obj, offset, size)
            assert isinstance(found, bytes)
            return found

    loop = asyncio.new_event_loop()

    async def start() -> asyncssh.SSHAcceptor:
        return await asyncssh.listen(
            "127.0.0.1",
            0,
            server_factory=Login,
            server_host_keys=[server.key],
            sftp_factory=files or Files,
            allow_scp=False,
            login_timeout=30,
        )

    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    acceptor = asyncio.run_coroutine_threadsafe(start(), loop).result(30)
    server.port = acceptor.get_port()
    try:
        yield server
    finally:

        async def stop() -> None:
            acceptor.close()
            await acceptor.wait_closed()
            others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(stop(), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(30)
        loop.close()
        for file in server.opened:  # a read that was cut off does not
            file.close()


@dataclass
class WebServer:
    """A running web server: what it answers for each path, and what it was asked."""

    url: str
    ca_file: Path
    answers: dict[str, tuple[int, Mapping[str, str], bytes]] = field(default_factory=dict)
    asked: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)

    def has(self, path: str, body: str, **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers[path] = (200, {"Content-Length": str(len(body)), **named}, body.encode())

    def answers_with(self, path: str, status: int, **headers: str) -> None:
        self.answers[path] = (status, {"Content-Length": "0", **headers}, b"")


@contextmanager
def web_server(folder: Path, *, tls: bool = True, host: str = "127.0.0.1") -> Iterator[WebServer]:
    """With a certificate for `host` by an authority of its own, whose certificate is in `ca_file`."""
    authority = trustme.CA()
    ca_file = folder / f"authority-{host}.pem"
    authority.cert_pem.write_to_path(str(ca_file))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            site.asked.append((self.path, dict(self.headers)))
            status, headers, body = site.answers.get(self.path, (404, {"Content-Length": "0"}, b""))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)
            if int(headers.get("Content-Length", "0")) != len(body):
                self.close_connection = True

        def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - its name
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(host).configure_cert(context)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    site = WebServer(f"{'https' if tls else 'http'}://127.0.0.1:{server.server_address[1]}", ca_file)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join(30)
