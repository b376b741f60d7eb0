"""How requests say who sends them."""

from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

from idms_cli.config.secret_sources import SecretSource
from idms_cli.config.secrets import Secret
from idms_cli.delivery.calls.options import WebAuth
from idms_cli.errors import InputError
from idms_cli.web.oauth import Tokens, client_login
from idms_cli.web.sending import Call


class Login:
    """Puts a login on requests."""

    def __init__(self, header: str = "", value: str = "", *, query: str = "", tokens: Tokens | None = None) -> None:
        self._header = header
        self._value = value
        self._query = query
        self._tokens = tokens

    @property
    def renews(self) -> bool:
        """Whether another try may have a better token than one that was refused."""
        return self._tokens is not None

    def dress(self, call: Call, refused: str = "") -> tuple[Call, str]:
        """The call with its login, and the token in it, if any; another one than `refused`.

        Raises `LoginRefused` and `Unreachable` when no token is given.
        """
        if self._tokens:
            token = self._tokens.renewed(refused) if refused else self._tokens.current()
            return replace(call, headers={**call.headers, "Authorization": f"Bearer {token}"}), token
        if self._query:
            mark = "&" if "?" in call.url else "?"
            return replace(call, url=f"{call.url}{mark}{quote(self._query, safe='')}={quote(self._value, safe='')}"), ""
        if self._header:
            return replace(call, headers={**call.headers, self._header: self._value}), ""
        return call, ""


def open_login(
    auth: WebAuth | None, reveal: Callable[[SecretSource], str], ca_file: Path | None, silence_s: float
) -> Login:
    """Raises `InputError` for a secret that cannot be had, or cannot be sent."""
    if auth is None:
        return Login()
    if auth.oauth2:
        return Login(tokens=Tokens(client_login(auth.oauth2, reveal, ca_file=ca_file, silence_s=silence_s)))
    if auth.bearer:
        return Login("Authorization", f"Bearer {_one_word(reveal(auth.bearer), 'the bearer token')}")
    if auth.password:
        pair = f"{auth.user}:{reveal(auth.password)}".encode()  # RFC 7617, in UTF-8
        return Login("Authorization", Secret(f"Basic {b64encode(pair).decode('ascii')}").reveal())
    secret = reveal(auth.key) if auth.key else ""
    if auth.query:
        return Login(value=secret, query=auth.query)
    return Login(auth.header or "", _one_word(secret, "the key"))


def _one_word(secret: str, what: str) -> str:
    if not secret.isascii() or not secret.isprintable() or secret != secret.strip():
        raise InputError(f"{what} has characters that no header can have", hint="It must be one line of plain text.")
    return secret
