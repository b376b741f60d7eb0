"""A token for a client's id and secret (RFC 6749, 4.4), kept in memory until it ends or is refused.

No library: authlib and oauthlib stand on requests or on httpx's client, neither of which sends our requests, and what
they would do here is one form and one JSON object. Long are the grants in which a person takes part.
"""

import json
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote_plus, urlencode, urlsplit

from idms_cli.config.foreign import shortened
from idms_cli.config.oauth import ClientCredentials
from idms_cli.config.secret_sources import SecretSource
from idms_cli.config.secrets import Secret
from idms_cli.errors import LoginRefused, Unreachable
from idms_cli.web.sending import Answer, Call, NoAnswer, Sender

RENEW_EARLY_S = 30.0
"""A token that ends within so long is not used any more; at most half of its life."""
DEFAULT_LIFE_S = 300.0
"""Of a token whose server does not say it (RFC 6749, 5.1 only recommends that it does)."""


@dataclass(frozen=True)
class ClientLogin:
    """What is sent for a token."""

    token_url: str
    client_id: str
    client_secret: str = field(repr=False)
    scope: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    in_body: bool = False
    """Id and secret stand in the body, which not every server takes; else in the Authorization header."""
    ca_file: Path | None = None
    silence_s: float = 60.0


def client_login(
    options: ClientCredentials, reveal: Callable[[SecretSource], str], *, ca_file: Path | None, silence_s: float
) -> ClientLogin:
    """What a file says of a client, with its secret. Raises what `reveal` does."""
    return ClientLogin(
        token_url=options.token_url,
        client_id=options.client_id,
        client_secret=reveal(options.client_secret),
        scope=options.scope or "",
        parameters=options.parameters,
        in_body=options.send == "body",
        ca_file=ca_file,
        silence_s=silence_s,
    )


class Tokens:
    """Gives out a token; asks for one when there is none, the last one ends or it was refused. Thread-safe."""

    def __init__(self, login: ClientLogin) -> None:
        self._login = login
        self._lock = threading.Lock()
        self._token: Secret | None = None
        self._ends_at = 0.0

    def current(self) -> str:
        """Raises `LoginRefused` and `Unreachable`."""
        with self._lock:
            if self._token is None or time.monotonic() >= self._ends_at:
                self._fetch()
            return self._reveal()

    def renewed(self, dead: str) -> str:
        """Another token than `dead`, which was refused."""
        with self._lock:
            if self._token is None or self._token.reveal() == dead:
                self._fetch()
            return self._reveal()

    def _reveal(self) -> str:
        return self._token.reveal() if self._token else ""

    def _fetch(self) -> None:
        asked_at = time.monotonic()
        answer = self._ask()
        members = _members(answer)
        token = members.get("access_token")
        if answer.status != 200 or not isinstance(token, str) or not _is_one_word(token):
            raise self._failure(answer, members)
        life_s = _life_s(members.get("expires_in"))
        self._token = Secret(token)
        self._ends_at = asked_at + life_s - min(RENEW_EARLY_S, life_s / 2)

    def _ask(self) -> Answer:
        login = self._login
        form = {"grant_type": "client_credentials", **login.parameters}
        if login.scope:
            form["scope"] = login.scope
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        if login.in_body:
            form |= {"client_id": login.client_id, "client_secret": login.client_secret}
        else:  # each is form-encoded first (RFC 6749, 2.3.1)
            pair = f"{quote_plus(login.client_id)}:{quote_plus(login.client_secret)}"
            headers["Authorization"] = f"Basic {b64encode(pair.encode('ascii')).decode('ascii')}"
        call = Call("POST", login.token_url, self._shown, headers, urlencode(form).encode("ascii"))
        with Sender(login.token_url, ca_file=login.ca_file, silence_s=login.silence_s) as sender:
            try:
                return sender.send(call)
            except NoAnswer as error:
                raise Unreachable(f"{self._shown} gives no token: {error}.", hint=error.hint) from error

    def _failure(self, answer: Answer, members: Mapping[str, object]) -> LoginRefused | Unreachable:
        """What the server says of an error is shown only in the members that are made for it: RFC 6749, 5.2."""
        told = members.get("error_description") or members.get("error")
        reason = f": {shortened(told, 200).rstrip('.')}" if isinstance(told, str) and told else ""
        if answer.status in (400, 401, 403) and (reason or answer.status != 400):
            return LoginRefused(
                f"{self._shown} refuses a token to {shortened(self._login.client_id)} ({answer.status}){reason}.",
                hint="Check `oauth2:` and its secret. Some servers want `send: body`.",
            )
        return Unreachable(
            f"{self._shown} answers {answer.status}, but with no token{reason}.", hint="Is `token_url:` right?"
        )

    @property
    def _shown(self) -> str:
        parts = urlsplit(self._login.token_url)
        return f"{parts.scheme}://{parts.netloc}{parts.path}"


def _members(answer: Answer) -> Mapping[str, object]:
    try:
        content = json.loads(answer.body)
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _is_one_word(token: str) -> bool:
    return token.isascii() and token.isprintable() and " " not in token and bool(token)


def _life_s(expires_in: object) -> float:
    try:
        life_s = float(str(expires_in))
    except ValueError:
        return DEFAULT_LIFE_S
    return life_s if 0 < life_s < 1e9 else DEFAULT_LIFE_S
