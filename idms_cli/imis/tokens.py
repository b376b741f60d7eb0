"""The token of a connection: one for all processes, in a file, renewed by whoever finds it dead first."""

import hashlib
import hmac
import json
import os
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from idms_cli.config.secrets import mask
from idms_cli.errors import LoginRefused
from idms_cli.imis.access import SiteAccess
from idms_cli.imis.assumptions import RENEW_EARLY_S
from idms_cli.imis.clock import Clock
from idms_cli.imis.statefiles import exclusive, file_stem, private_directory, replace_file, unusable


@dataclass(frozen=True)
class Token:
    """A bearer token. Times are seconds since 1970."""

    text: str = field(repr=False)
    issued_at: float
    expires_at: float

    def usable(self, now: float) -> bool:
        """Whether it still has some life, by what the site said when it gave it (A1)."""
        early = min(RENEW_EARLY_S, (self.expires_at - self.issued_at) / 2)
        return self.issued_at - RENEW_EARLY_S <= now < self.expires_at - early


@dataclass(frozen=True)
class Refusal:
    """The site refused a user name and password. Only a salted hash of them is kept."""

    salt: str
    digest: str
    message: str

    def is_for(self, username: str, password: str) -> bool:
        """Whether it was this password that was refused."""
        return hmac.compare_digest(self.digest, _digest(bytes.fromhex(self.salt), username, password))


class BadCredentials(Exception):
    """The site says that user name or password are wrong; the message is the site's."""


class TokenStore:
    """Gives out the connection's token and renews it, once for all threads and processes that find it dead.

    A new token may end the old one (A4), so nobody logs in while the file holds a token that is not known to be dead.
    """

    def __init__(self, access: SiteAccess, clock: Clock) -> None:
        self._access = access
        self._url = access.site_url()
        self._directory = access.state / "tokens"
        stem = file_stem(access.name)
        self._file = self._directory / f"{stem}.json"
        self._lock_file = self._directory / f"{stem}.lock"
        self._clock = clock
        self._memory: Token | None = None
        self._thread_lock = threading.Lock()

    def current(self, login: Callable[[str], Token]) -> Token:
        """A token that is not known to be dead. `login(password)` is called if there is none."""
        token = self._memory
        if token is not None and token.usable(self._clock.now()):
            return token
        return self._renewed(None, login)[0]

    def renew(self, dead: Token, login: Callable[[str], Token]) -> tuple[Token, bool]:
        """Another token than `dead`, which the site has just refused, and whether a login of our own gave it."""
        return self._renewed(dead, login)

    def _renewed(self, dead: Token | None, login: Callable[[str], Token]) -> tuple[Token, bool]:
        private_directory(self._directory)
        with self._thread_lock, exclusive(self._lock_file):
            token, refusal = self._read()
            if token and token.usable(self._clock.now()) and (dead is None or token.text != dead.text):
                self._memory = token
                return token, False
            self._memory = self._log_in(refusal, login)
            return self._memory, True

    def _log_in(self, refusal: Refusal | None, login: Callable[[str], Token]) -> Token:
        password = self._access.password()
        if refusal and refusal.is_for(self._access.username, password):
            raise self._refused(refusal.message, again=True)
        try:
            token = login(password)
        except BadCredentials as error:
            salt = os.urandom(16)
            refusal = Refusal(salt.hex(), _digest(salt, self._access.username, password), mask(str(error)))
            self._write({"refused": asdict(refusal)})
            raise self._refused(str(error), again=False) from None
        self._write({"token": asdict(token)})
        return token

    def _read(self) -> tuple[Token | None, Refusal | None]:
        """What the file holds for this site and user; a file that is not ours to understand counts as empty."""
        try:
            content = json.loads(self._file.read_bytes())
            if content["url"] != self._url or content["username"] != self._access.username:
                return None, None
            token = _token(content["token"]) if "token" in content else None
            refusal = Refusal(**content["refused"]) if "refused" in content else None
        except FileNotFoundError:
            return None, None
        except OSError as error:
            raise unusable(self._file, error) from error
        except (ValueError, KeyError, TypeError):
            return None, None
        return token, refusal

    def _write(self, content: dict[str, Any]) -> None:
        whole = {"version": 1, "url": self._url, "username": self._access.username, **content}
        replace_file(self._file, json.dumps(whole).encode())

    def _refused(self, message: str, *, again: bool) -> LoginRefused:
        tried = " It was refused before and is not tried again, so that the account is not locked." if again else ""
        return LoginRefused(
            f"Connection {self._access.name}: the site refuses the login of {self._access.username}: {message}.{tried}",
            hint="Check the user name and the password in iMIS, then change the secret: the next run tries again. "
            f"If the password was right and iMIS was mended, delete {self._file}.",
        )


def _token(content: dict[str, Any]) -> Token:
    return Token(str(content["text"]), float(content["issued_at"]), float(content["expires_at"]))


def _digest(salt: bytes, username: str, password: str) -> str:
    secret = f"{username}\0{password}".encode("utf-8", errors="surrogatepass")
    return hashlib.scrypt(secret, salt=salt, n=2**14, r=8, p=1).hex()
