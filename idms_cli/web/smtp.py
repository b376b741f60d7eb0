"""One mail handed to a server, and the truth about whether it has it (RFC 5321, and 1047 on mail that comes twice)."""

import re
import smtplib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from idms_cli.errors import DeliveryRefused, IdmsError, LoginRefused, OutcomeUnknown, Unreachable
from idms_cli.web.smtpline import LATE, Late, Line, Relay, Reply, open_line, reply_of, said_clearly

_DOT_FIRST = re.compile(rb"^\.", re.MULTILINE)
_CHUNK = 1 << 16


@dataclass(frozen=True)
class Envelope:
    """From whom, and for whom."""

    sender: str
    recipients: Sequence[str]
    is_utf8: bool = False
    """An address has letters beyond ASCII."""


def hand_over(
    relay: Relay,
    envelope: Envelope,
    content: bytes,
    *,
    before_the_end: Callable[[Mapping[str, Reply]], None] = lambda _: None,
) -> Mapping[str, Reply]:
    """Give a mail, with line ends of CRLF, to the server; what it said of each recipient that it does not take.

    `before_the_end` is called with the same once the server has all but the word that makes the mail its own: only
    after that word it can be unknown whether it took it, and `OutcomeUnknown` is raised. Raises `DeliveryRefused`,
    `LoginRefused`, `Unreachable`, `InputError` when it certainly has not.
    """
    with open_line(relay) as line:
        with said_clearly(relay):
            refused = _announced(line, relay, envelope, len(content))
            if len(refused) == len(envelope.recipients):
                raise _nobody(relay, refused)
            _given(line, relay, content)
        before_the_end(refused)
        reply = _ended(line, relay)
    if reply.code != 250:
        raise _refusal(relay, reply, "it does not take the mail")
    return refused


def _announced(line: Line, relay: Relay, envelope: Envelope, size: int) -> Mapping[str, Reply]:
    """Sender and recipients are told; those that are refused come back."""
    extra = _parameters(line, relay, envelope, size)
    reply = line.ask("MAIL", f"FROM:<{envelope.sender}>{extra}")
    if not reply.is_yes:
        raise _refusal(relay, reply, f"it takes no mail from {envelope.sender}")
    replies = {to: line.ask("RCPT", f"TO:<{to}>") for to in envelope.recipients}
    return {to: reply for to, reply in replies.items() if not reply.is_yes}


def _parameters(line: Line, relay: Relay, envelope: Envelope, size: int) -> str:
    told = ""
    if line.has_extn("size"):
        most = line.esmtp_features["size"]
        if most.isascii() and most.isdigit() and 0 < int(most) < size:
            raise DeliveryRefused(
                f"{relay.shown}: the mail has {size:,} bytes, and the server takes {int(most):,}.",
                hint="Send less: `compress: zip`, fewer columns, or another way to deliver it.",
            )
        told = f" SIZE={size}"
    if envelope.is_utf8:
        if not line.has_extn("smtputf8"):
            raise DeliveryRefused(
                f"{relay.shown} does not take addresses with letters beyond ASCII before the @.",
                hint="Use an address in ASCII; the domain and the name beside it may have any letters.",
            )
        line.command_encoding = "utf-8"
        told += " SMTPUTF8"
    return told


def _given(line: Line, relay: Relay, content: bytes) -> None:
    """All but the last dot."""
    reply = line.ask("DATA")
    if reply.code != 354:
        raise _refusal(relay, reply, "it does not take the mail")
    text = _DOT_FIRST.sub(b"..", content)
    if not text.endswith(b"\r\n"):
        text += b"\r\n"
    for start in range(0, len(text), _CHUNK):
        line.send(text[start : start + _CHUNK])


def _ended(line: Line, relay: Relay) -> Reply:
    """The last dot, which makes the mail the server's, and its answer."""
    try:
        line.send(b".\r\n")
        reply = reply_of(*line.getreply())
        if not 200 <= reply.code < 600:  # an answer that was cut off, or is none
            raise smtplib.SMTPServerDisconnected
    except (smtplib.SMTPException, OSError) as error:
        why = LATE if isinstance(error, Late) else "the connection ended before the server said whether it has the mail"
        raise OutcomeUnknown(
            f"{relay.shown}: {why}. It may have been taken.",
            hint="It is not sent again by itself: look whether it came, or into the server's log for its Message-ID.",
        ) from error
    return reply


def _nobody(relay: Relay, refused: Mapping[str, Reply]) -> IdmsError:
    """No recipient is taken: for now, if that is so of one of them."""
    first = next((reply for reply in refused.values() if reply.can_pass), next(iter(refused.values())))
    people = ", ".join(refused)
    return _refusal(relay, first, f"it takes no mail for {people}")


def _refusal(relay: Relay, reply: Reply, what: str) -> IdmsError:
    message = f"{relay.shown}: {what}: {reply}."
    if reply.code in (530, 534, 535, 538):
        return LoginRefused(message, hint="The server wants a login, or another one: `user:` and `password:`.")
    if reply.can_pass:
        return Unreachable(message, hint="It may later: `retry:` of the step.")
    hint = "Send less, or have room made." if reply.code == 552 else "Ask those whose server it is."
    return DeliveryRefused(message, hint=hint)
