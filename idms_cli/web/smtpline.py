"""A connection to a mail server: opened, encrypted, logged in; every answer has to be whole in time."""

import smtplib
import socket
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from idms_cli.config.foreign import shortened
from idms_cli.errors import IdmsError, InputError, LoginRefused, Unreachable
from idms_cli.web.tls import certificate_fault, trusted

LATE = "nothing came within the time limit"
NUL = "\0"
_OURSELVES = "[127.0.0.1]"


@dataclass(frozen=True)
class Relay:
    """The server that takes mail from us, and how to log in there."""

    host: str
    port: int
    tls: Literal["starttls", "implicit", "none"]
    user: str = ""
    secret: str = field(default="", repr=False)
    is_token: bool = False
    """The secret is a token of OAuth 2, and no password."""
    ca_file: Path | None = None
    silence_s: float = 60.0
    """The longest that one answer may take, from its first to its last byte."""

    @property
    def shown(self) -> str:
        return f"mail server {self.host}:{self.port}"


@dataclass(frozen=True)
class Reply:
    """What the server said."""

    code: int
    text: str

    @property
    def is_yes(self) -> bool:
        return 200 <= self.code < 400

    @property
    def can_pass(self) -> bool:
        """The same may be taken later (RFC 5321, 4.2.1); nonsense counts as such."""
        return self.code < 500

    def __str__(self) -> str:
        return f"{self.code} {self.text}".rstrip(". ")


class Late(smtplib.SMTPServerDisconnected):
    """An answer was not whole in time."""


class Line(smtplib.SMTP):
    """smtplib's limit is for silences; here a whole answer has to come within it."""

    def getreply(self) -> tuple[int, bytes]:
        late = threading.Event()

        def cut() -> None:
            late.set()
            if isinstance(self.sock, socket.socket):
                with suppress(OSError):
                    socket.socket.shutdown(self.sock, socket.SHUT_RDWR)

        timer = threading.Timer(self.timeout, cut)
        timer.daemon = True
        timer.start()
        try:
            reply = super().getreply()
        except smtplib.SMTPServerDisconnected as error:
            if late.is_set() or isinstance(error.__context__, TimeoutError):
                raise Late(LATE) from error
            raise
        finally:
            timer.cancel()
        if late.is_set():  # what was cut off may look like an answer
            raise Late(LATE)
        return reply

    def ask(self, command: str, arguments: str = "") -> Reply:
        """Raises what smtplib does when there is no answer."""
        return reply_of(*self.docmd(command, arguments))


class LineInTls(Line, smtplib.SMTP_SSL):
    """The same, encrypted from the first byte."""


def reply_of(code: int, text: bytes) -> Reply:
    return Reply(code, shortened(" ".join(text.decode("utf-8", "replace").split()), 300))


@contextmanager
def open_line(relay: Relay) -> Iterator[Line]:
    """A line that is logged in. Raises `Unreachable`, `LoginRefused`, and `InputError` where no line can be had."""
    with said_clearly(relay):
        line = _connected(relay)
    try:
        with said_clearly(relay):
            line.local_hostname = _literal(line)
            if relay.tls == "starttls":
                _encrypt(line, relay)
            line.ehlo_or_helo_if_needed()
            if relay.user:
                _log_in(line, relay)
        yield line
    finally:
        _leave(line)


@contextmanager
def said_clearly(relay: Relay) -> Iterator[None]:
    """Failures of a line on which nothing has been handed over."""
    try:
        yield
    except (smtplib.SMTPException, OSError) as error:
        raise failure(relay, error) from error


def failure(relay: Relay, error: Exception) -> IdmsError:
    """What it means to us; its text is not used where it could hold what we sent."""
    if refused := certificate_fault(error):
        return Unreachable(
            f"{relay.shown}: the certificate of the server is not trusted: {refused}.",
            hint="If it has a private authority, name its certificate in `ca_file:` of the server.",
        )
    if isinstance(error, smtplib.SMTPResponseException):
        code, text = error.smtp_code, error.smtp_error
        reply = reply_of(code, text if isinstance(text, bytes) else text.encode())
        return Unreachable(f"{relay.shown}: the server takes no mail now: {reply}.", hint="Try again later.")
    if isinstance(error, Late | TimeoutError):
        return Unreachable(
            f"{relay.shown}: {LATE}.", hint="Is the server overloaded? `silence:` says how long it may be."
        )
    if isinstance(error, smtplib.SMTPException):
        return Unreachable(f"{relay.shown}: the connection ended.", hint="Is `tls:` right for this port?")
    return Unreachable(
        f"{relay.shown}: no connection: {getattr(error, 'strerror', None) or type(error).__name__}.",
        hint="Is the server up? Are `host:`, `port:` and `tls:` right?",
    )


def _connected(relay: Relay) -> Line:
    if relay.tls == "implicit":
        tls = trusted(relay.ca_file)
        return LineInTls(relay.host, relay.port, local_hostname=_OURSELVES, timeout=relay.silence_s, context=tls)
    return Line(relay.host, relay.port, local_hostname=_OURSELVES, timeout=relay.silence_s)


def _literal(line: Line) -> str:
    """How we call ourselves: by address, since nobody knows if the machine's name is one that others can look up."""
    address = str(line.sock.getsockname()[0]) if line.sock else "127.0.0.1"
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"


def _encrypt(line: Line, relay: Relay) -> None:
    line.ehlo_or_helo_if_needed()
    if not line.has_extn("starttls"):
        raise InputError(
            f"{relay.shown} does not offer STARTTLS, and nothing is sent in the open.",
            hint="Is the port right (587)? `tls: implicit` is for servers that encrypt at once (465).",
        )
    line.starttls(context=trusted(relay.ca_file))


def _log_in(line: Line, relay: Relay) -> None:
    """With one try: smtplib's own login tries each way in turn, and three wrong ones can lock an account."""
    offered = line.esmtp_features.get("auth", "").upper().split()
    if relay.is_token and "XOAUTH2" in offered:
        reply = _by_token(line, relay)
    elif not relay.is_token and "PLAIN" in offered:
        reply = line.ask("AUTH", f"PLAIN {_encoded(NUL + relay.user + NUL + relay.secret)}")
    elif not relay.is_token and "LOGIN" in offered:
        reply = _by_turns(line, relay)
    else:
        ways = ", ".join(offered) or "none"
        raise InputError(
            f"{relay.shown} offers no way to log in that idms knows (it offers: {shortened(ways)}).",
            hint="idms knows PLAIN, LOGIN and, with `oauth2:`, XOAUTH2.",
        )
    if reply.code == 235:
        return
    if reply.can_pass:
        raise Unreachable(f"{relay.shown}: nobody is let in now: {reply}.", hint="Try again later.")
    raise LoginRefused(
        f"{relay.shown} refuses the login of {shortened(relay.user)}: {reply}.",
        hint="Check `user:` and its secret; then run the job again.",
    )


def _by_turns(line: Line, relay: Relay) -> Reply:
    reply = line.ask("AUTH", f"LOGIN {_encoded(relay.user)}")
    return line.ask(_encoded(relay.secret)) if reply.code == 334 else reply


def _by_token(line: Line, relay: Relay) -> Reply:
    """https://developers.google.com/workspace/gmail/imap/xoauth2-protocol; a refusal comes after an empty answer."""
    proof = f"user={relay.user}\x01auth=Bearer {relay.secret}\x01\x01"
    reply = line.ask("AUTH", f"XOAUTH2 {_encoded(proof)}")
    return line.ask("") if reply.code == 334 else reply


def _encoded(text: str) -> str:
    return b64encode(text.encode()).decode("ascii")


def _leave(line: Line) -> None:
    """Politely, if the server still listens: what was handed over is settled already."""
    with suppress(smtplib.SMTPException, OSError):
        if line.sock:
            line.quit()
    line.close()
