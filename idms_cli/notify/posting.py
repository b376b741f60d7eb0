"""One request to a web server that takes messages, and the truth about whether it did."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from idms_cli.config.foreign import shortened
from idms_cli.config.secrets import mask
from idms_cli.errors import DeliveryRefused, InputError, LoginRefused, OutcomeUnknown, Unreachable
from idms_cli.web.sending import Call, NoAnswer, Sender

CAN_PASS = (408, 425, 429)


@dataclass(frozen=True)
class Target:
    """Who takes it."""

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    silence_s: float
    ca_file: Path | None = None
    is_repeatable: bool = False
    """A POST that is done twice is as done once."""


def post(target: Target, body: bytes, handed: Callable[[], None]) -> None:
    """POST it. The address may be a secret: of it, messages name the server only.

    Raises `Unreachable`, `DeliveryRefused`, `LoginRefused`, `InputError` when it was not taken; `OutcomeUnknown` when
    nobody can know, unless it may be repeated.
    """
    parts = urlsplit(target.url)
    site = f"{parts.scheme}://{parts.netloc}"
    shown = f"POST to {parts.hostname}"
    for name, value in target.headers.items():
        if not value.isascii() or not value.isprintable():
            raise InputError(f"{shown}: the header {name} has characters that no header can have")
    with Sender(site, ca_file=target.ca_file, silence_s=target.silence_s) as sender:
        handed()
        try:
            answer = sender.send(Call("POST", target.url, shown, target.headers, body))
        except NoAnswer as error:
            if error.sent and not target.is_repeatable:
                raise OutcomeUnknown(f"{shown}: {error}. It may have been taken.", hint=error.hint) from error
            raise Unreachable(f"{shown}: {error}.", hint=error.hint) from error
    if 200 <= answer.status < 300:
        return
    said = shortened(mask(" ".join(answer.body.decode("utf-8", "replace").split())), 120)
    message = f"{shown}: it answers {answer.status}{f': {said}' if said else ''}"
    if answer.status in (401, 403):
        raise LoginRefused(message, hint="Is the address or the token still good?")
    if answer.status >= 500 or answer.status in CAN_PASS:
        raise Unreachable(message, hint="It is tried again.")
    raise DeliveryRefused(message, hint="Is the address right, and does it take what is sent?")
