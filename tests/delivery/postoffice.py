"""A mail server that keeps what it takes, with a certificate and a login, and does wrong what it is told to."""

import asyncio
import base64
import email.policy
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from pathlib import Path
from typing import Any, cast

import trustme
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

USER, PASSWORD, TOKEN = "idms", "käse", "t0k3n"


@dataclass
class Kept:
    """A mail that the server took."""

    sender: str
    recipients: list[str]
    content: bytes
    options: list[str]

    @property
    def message(self) -> EmailMessage:
        return cast(EmailMessage, message_from_bytes(self.content, policy=email.policy.default))


@dataclass
class Faults:
    """What the server does wrong."""

    recipients: dict[str, str] = field(default_factory=dict)
    """What it says of each, if not yes."""
    sender: str = ""
    """What it says of a sender, if not yes."""
    content: str = ""
    """What it says of a mail, if not yes; it keeps none then."""
    login: str = ""
    """What it says of a login, if not what is true."""
    cut_in_content: bool = False
    """The connection ends in the middle of a mail."""
    cut_after: str = ""
    """The connection ends when a mail is whole: `keeping` it, or `losing` it."""
    still: str = ""
    """Nothing comes any more: at the `sender`, or at the `end` of a mail, which is kept."""
    drip: bool = False
    """The answer to a mail, which is kept, comes a byte at a time, for ever."""


@dataclass
class PostOffice:
    """The running server."""

    port: int
    ca_file: Path
    mails: list[Kept] = field(default_factory=list)
    faults: Faults = field(default_factory=Faults)
    logins: list[str] = field(default_factory=list)
    """The user of each try."""
    ends: list[asyncio.Future[None]] = field(default_factory=list)

    @property
    def keys(self) -> dict[str, Any]:
        """As in `server:`."""
        return {"host": "127.0.0.1", "port": self.port, "ca_file": str(self.ca_file)}


class _Clerk:
    """aiosmtpd's hooks."""

    def __init__(self, office: PostOffice) -> None:
        self._office = office

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self._office.faults.still == "sender":
            await asyncio.sleep(3600)
        if self._office.faults.sender:
            return self._office.faults.sender
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 fine"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        refused = self._office.faults.recipients.get(address)
        if refused:
            return refused
        envelope.rcpt_tos.append(address)
        return "250 fine"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        faults = self._office.faults
        if faults.content:
            return faults.content
        if faults.cut_after != "losing":
            content = cast(bytes, envelope.original_content)
            kept = Kept(envelope.mail_from or "", list(envelope.rcpt_tos), content, list(envelope.mail_options))
            self._office.mails.append(kept)
        if faults.cut_after and server.transport:
            cast(asyncio.Transport, server.transport).abort()
        if faults.still == "end":
            await asyncio.sleep(3600)
        while faults.drip and server.transport:
            cast(asyncio.Transport, server.transport).write(b"2")
            await asyncio.sleep(0.02)
        return "250 taken"

    async def auth_XOAUTH2(self, server: SMTP, arguments: list[str]) -> AuthResult:  # noqa: N802 - aiosmtpd's
        told = base64.b64decode(arguments[1]).decode()
        self._office.logins.append(told.partition("\x01")[0].removeprefix("user="))
        if told == f"user={USER}\x01auth=Bearer {TOKEN}\x01\x01":
            return AuthResult(success=True)
        await server.challenge_auth('{"status":"401"}')
        return AuthResult(success=False, handled=False, message="535 5.7.3 the token is not good")


class _Server(SMTP):
    office: PostOffice

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802 - aiosmtpd's
        if self.office.faults.cut_in_content:
            await self.push("354 go on")
            await self._reader.readuntil(b"\r\n")
            cast(asyncio.Transport, self.transport).abort()
            return
        await super().smtp_DATA(arg)


@contextmanager
def post_office(
    folder: Path, *, tls: str = "starttls", host: str = "127.0.0.1", size: int = 40_000_000, ways: str = "PLAIN LOGIN"
) -> Iterator[PostOffice]:
    """Encrypted by `tls` as in `server:`; `ways` are how one may log in."""
    authority = trustme.CA()
    ca_file = folder / f"post-{host}.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(host).configure_cert(context)
    office = PostOffice(0, ca_file)
    loop = asyncio.new_event_loop()

    def let_in(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        office.logins.append(data.login.decode())
        if office.faults.login:
            return AuthResult(success=False, handled=False, message=office.faults.login)
        good = (data.login.decode(), data.password.decode()) == (USER, PASSWORD)
        return AuthResult(success=good, handled=False, message=None if good else "535 5.7.8 no such login")

    def made() -> _Server:
        server = _Server(
            _Clerk(office),
            hostname="post.example.net",
            data_size_limit=size,
            enable_SMTPUTF8=True,
            tls_context=context if tls == "starttls" else None,
            require_starttls=tls == "starttls",
            auth_require_tls=False,
            authenticator=let_in,
            auth_exclude_mechanism={"PLAIN", "LOGIN", "XOAUTH2"} - set(ways.split()),
            loop=loop,
        )
        server.office = office
        return server

    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def start() -> asyncio.Server:
        return await loop.create_server(made, "127.0.0.1", 0, ssl=context if tls == "implicit" else None)

    listening = asyncio.run_coroutine_threadsafe(start(), loop).result(30)
    office.port = listening.sockets[0].getsockname()[1]
    try:
        yield office
    finally:

        async def stop() -> None:
            listening.close()
            others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(stop(), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(30)
        loop.close()
