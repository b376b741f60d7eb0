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

MOST_REFUSED = 8
"""Refused passwords that are remembered."""

NOT_AGAIN = "It was refused before and is not tried again, so that the account is not locked."


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
class Refusals:
    """The site refused a user name with these passwords. Only a salted hash of each is kept.

    Several, since the programs of one machine may have different secrets (cron's environment and a person's): two wrong
    ones that take turns must not be tried again and again.
    """

    salt: str
    digests: tuple[str, ...]
    """The newest last."""
    message: str

    def hold(self, username: str, password: str) -> bool:
        """Whether this password was refused."""
        digest = _digest(bytes.fromhex(self.salt), username, password)
        return any(hmac.compare_digest(digest, one) for one in self.digests)

    def and_also(self, username: str, password: str, message: str) -> "Refusals":
        digest = _digest(bytes.fromhex(self.salt), username, password)
        return Refusals(self.salt, (*(one for one in self.digests if one != digest), digest)[-MOST_REFUSED:], message)

    def but_not(self, username: str, password: str) -> "Refusals":
        """Without this password, which the site has accepted."""
        digest = _digest(bytes.fromhex(self.salt), username, password)
        return Refusals(self.salt, tuple(one for one in self.digests if one != digest), self.message)


class SecretRefused(LoginRefused):
    """The user name or the password is wrong. `site_was_asked`, or it was known from before."""

    def __init__(self, message: str, *, hint: str, site_was_asked: bool) -> None:
        super().__init__(message, hint=hint)
        self.site_was_asked = site_was_asked


class BadCredentials(Exception):
    """The site says that user name or password are wrong; the message is the site's."""


class TokenStore:
    """Gives out the connection's token and renews it, once for all threads and processes that find it dead.

    A new token may end the old one (A4), so nobody logs in while the file holds a token that is not known to be dead.
    """

    def __init__(self, access: SiteAccess, clock: Clock) -> None:
        self._access = access
        self.username = access.username
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
            token, refusals = self._read()
            if token and token.usable(self._clock.now()) and (dead is None or token.text != dead.text):
                self._memory = token
                return token, False
            self._memory = self._log_in(refusals, login)
            return self._memory, True

    def _log_in(self, refusals: Refusals | None, login: Callable[[str], Token]) -> Token:
        username, password = self._access.username, self._access.password()
        if refusals and not self._access.try_refused and refusals.hold(username, password):
            raise self._refused(refusals.message, site_was_asked=False)
        try:
            token = login(password)
        except BadCredentials as error:
            message = mask(str(error))
            known = refusals or Refusals(os.urandom(16).hex(), (), message)
            self._write({"refused": asdict(known.and_also(username, password, message))})
            raise self._refused(message, site_was_asked=True) from None
        still = refusals.but_not(username, password) if refusals else None
        self._write({"token": asdict(token), **({"refused": asdict(still)} if still and still.digests else {})})
        return token

    def _read(self) -> tuple[Token | None, Refusals | None]:
        """What the file holds for this site and user; a file that is not ours to understand counts as empty."""
        try:
            content = json.loads(self._file.read_bytes())
            if content["url"] != self._url or content["username"] != self._access.username:
                return None, None
            token = _token(content["token"]) if "token" in content else None
            refusals = _refusals(content["refused"]) if "refused" in content else None
        except FileNotFoundError:
            return None, None
        except OSError as error:
            raise unusable(self._file, error) from error
        except (ValueError, KeyError, TypeError):
            return None, None
        return token, refusals

    def _write(self, content: dict[str, Any]) -> None:
        whole = {"version": 1, "url": self._url, "username": self._access.username, **content}
        replace_file(self._file, json.dumps(whole).encode())

    def _refused(self, message: str, *, site_was_asked: bool) -> SecretRefused:
        again = "" if site_was_asked else f" {NOT_AGAIN}"
        name = self._access.name
        return SecretRefused(
            f"Connection {name}: the site refuses the login of {self.username}: {message}.{again}",
            hint="Check the user name and the password in iMIS, then change the secret: it is tried again by itself. "
            f"If the secret is right and iMIS was mended: `idms connection try {name}`.",
            site_was_asked=site_was_asked,
        )


def _token(content: dict[str, Any]) -> Token:
    return Token(str(content["text"]), float(content["issued_at"]), float(content["expires_at"]))


def _refusals(content: dict[str, Any]) -> Refusals:
    return Refusals(str(content["salt"]), tuple(map(str, content["digests"])), str(content["message"]))


def _digest(salt: bytes, username: str, password: str) -> str:
    secret = f"{username}\0{password}".encode("utf-8", errors="surrogatepass")
    return hashlib.scrypt(secret, salt=salt, n=2**14, r=8, p=1).hex()
