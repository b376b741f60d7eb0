"""Accounts and their bearer tokens: how they are given, how long they live, and what kills them early."""

import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime

from idms_cli.sandbox.exchange import Json, RefusedError, Reply, http_error

REFRESHED_LIFE_S = 1199
"""What the real site says of a token got by refreshing, whatever its settings (developer.imis.com/discuss)."""


@dataclass(frozen=True)
class Token:
    user: str
    ends: datetime


class Tokens:
    """The tokens of all accounts. Thread-safe."""

    def __init__(
        self,
        users: Mapping[str, str],
        clients: Mapping[str, str],
        *,
        life_s: int,
        one_per_user: bool,
        clock: Callable[[], datetime],
    ) -> None:
        self.issued = 0
        self.refused = 0
        self._users = users
        self._clients = clients
        self._life_s = life_s
        self._one_per_user = one_per_user
        self._clock = clock
        self._live: dict[str, Token] = {}
        self._refresh: dict[str, str] = {}
        self._lock = threading.Lock()

    def grant(self, fields: Mapping[str, str]) -> Reply:
        """Answer `POST /token`; field names count in any case."""
        asked = {name.lower(): text for name, text in fields.items()}
        with self._lock:
            match asked.get("grant_type"):
                case "password":
                    return Reply(200, self._by_password(asked.get("username", ""), asked.get("password", "")))
                case "refresh_token":
                    return Reply(200, self._by_refresh(asked))
                case _:
                    raise RefusedError(Reply(400, {"error": "unsupported_grant_type"}))

    def require(self, authorization: str) -> str:
        """The user whose live token this header carries; raises the 401 refusal when there is none."""
        text = self._bare(authorization)
        with self._lock:
            token = self._live.get(text)
            if token is None or token.ends <= self._clock():
                self._live.pop(text, None)
                raise denied()
            return token.user

    def revoke(self, authorization: str) -> None:
        """Kill one token before its time."""
        with self._lock:
            self._live.pop(self._bare(authorization), None)

    def revoke_all(self) -> None:
        """What "Purge System Cache" does on the real site: no token outlives it."""
        with self._lock:
            self._live.clear()

    def new_refresh_token(self, user: str) -> str:
        """The refresh token that a sign-in page would send to a client application."""
        with self._lock:
            return self._new_refresh_token(user)

    def reset_counts(self) -> None:
        """Start counting from nought."""
        with self._lock:
            self.issued = self.refused = 0

    def _by_password(self, user: str, password: str) -> Json:
        known = next((name for name in self._users if name.lower() == user.lower()), None)
        if known is None or not secrets.compare_digest(self._users[known].encode(), password.encode()):
            raise self._invalid_grant("The user name or password is incorrect.")
        return self._issue(known, self._life_s)

    def _by_refresh(self, asked: Mapping[str, str]) -> Json:
        secret = self._clients.get(asked.get("client_id", ""))
        if secret is None or secret != asked.get("client_secret"):
            raise self._invalid_grant("The client application is not known.")
        user = self._refresh.pop(asked.get("refresh_token", ""), None)
        if user is None:
            raise self._invalid_grant("The refresh token is spent.")
        return {**self._issue(user, REFRESHED_LIFE_S), "refresh_token": self._new_refresh_token(user)}

    def _issue(self, user: str, life_s: int) -> Json:
        now = self._clock()
        if self._one_per_user:
            self._live = {text: token for text, token in self._live.items() if token.user != user}
        text = secrets.token_urlsafe(48)
        token = self._live[text] = Token(user, now + timedelta(seconds=life_s))
        self.issued += 1
        return {
            "access_token": text,
            "token_type": "bearer",
            "expires_in": life_s,
            "userName": user,
            ".issued": format_datetime(now, usegmt=True),
            ".expires": format_datetime(token.ends, usegmt=True),
        }

    def _new_refresh_token(self, user: str) -> str:
        text = secrets.token_urlsafe(32)
        self._refresh[text] = user
        return text

    def _invalid_grant(self, description: str) -> RefusedError:
        self.refused += 1
        return RefusedError(Reply(400, {"error": "invalid_grant", "error_description": description}))

    @staticmethod
    def _bare(authorization: str) -> str:
        scheme, _, text = authorization.partition(" ")
        return text.strip() if scheme.lower() == "bearer" else ""


def denied() -> RefusedError:
    """401 for a missing, wrong, expired or killed token alike."""
    return http_error(401, "Authorization has been denied for this request.")
