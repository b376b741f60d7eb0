"""One request until it is answered: with a token, and sent again only where that can do no harm."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal
from urllib.parse import quote

from idms_cli.errors import IdmsError, LoginRefused, OutcomeUnknown, Unreachable
from idms_cli.imis import login, retry
from idms_cli.imis.answers import Answer, SiteSlow, describe, error_of
from idms_cli.imis.assumptions import LONGEST_PAUSE_S
from idms_cli.imis.breaker import Breaker
from idms_cli.imis.clock import Clock
from idms_cli.imis.getter import Parameters
from idms_cli.imis.tokens import Token, TokenStore
from idms_cli.imis.transport import Exchange, NoAnswer, Transport
from idms_cli.imis.values import json_number
from idms_cli.web.retryafter import retry_after_s

Repeat = Literal["freely", "shrinkable", "once", "asking"]
"""`freely` as far as the verb allows; a `shrinkable` page less, since its caller can ask for a smaller one; `once` like
a POST: only where it was certainly not carried out; `asking` like a GET, for a POST that changes nothing."""


@dataclass(frozen=True)
class Patience:
    """How a caller wants a request repeated, instead of as often and as soon as we would."""

    attempts: int
    """In all, where it may be repeated."""
    wait: Callable[[float, bool], None]
    """Wait before another attempt: at least so many seconds; and whether the one before was certainly not carried out.

    It may raise: then there is none."""


@dataclass(frozen=True)
class AnyCall:
    """A request of a caller that knows best."""

    method: str
    path: str
    """As of `Site`."""
    parameters: Parameters
    body: Any
    expected: Callable[[int], bool]
    """Whether a status is an answer, and no error."""
    patience: Patience
    asks: bool = False
    """It changes nothing whatever its verb, and may be repeated as a GET."""


class Sender:
    """Sends requests with the connection's token, and decides by `retry.py` which are sent again."""

    def __init__(
        self,
        transport: Transport,
        tokens: TokenStore,
        breaker: Breaker,
        *,
        clock: Clock,
        log: Callable[[str], None],
    ) -> None:
        self._transport = transport
        self._tokens = tokens
        self._breaker = breaker
        self._clock = clock
        self._log = log

    def send(
        self,
        method: str,
        path: str,
        *,
        parameters: Parameters = (),
        body: Any = None,
        repeat: Repeat = "freely",
    ) -> Answer:
        """The site's answer, which is a 2xx.

        Raises `LoginRefused`, `Unreachable`, `SiteError` (a redirect), `RecordRefused` (4xx, and 500 on a GET), and
        for the other verbs `OutcomeUnknown` when the request may or may not have been carried out, and `SiteSlow` for a
        `shrinkable` one where asking for less may help.
        """
        exchange = Exchange(method, address(path, parameters), content=_content(body))
        verb = {"once": "POST", "asking": "GET"}.get(repeat, method)

        def answered() -> Answer:
            answer = self._repeated(verb, exchange, self._authorized, shrinkable=repeat == "shrinkable")
            if answer.ok:
                return answer
            raise error_of(answer, method="GET" if repeat == "asking" else method)

        return self._breaker.watch(answered)

    def call(self, call: AnyCall) -> Answer:
        """The answer to any call, whose status is expected; else raises as `send`."""
        exchange = Exchange(call.method, address(call.path, call.parameters), content=_content(call.body))
        verb = "GET" if call.asks else call.method

        def answered() -> Answer:
            answer = self._repeated(verb, exchange, self._authorized, patience=call.patience)
            if call.expected(answer.status):
                return answer
            raise error_of(answer, method=verb)

        return self._breaker.watch(answered)

    def _repeated(
        self,
        method: str,
        exchange: Exchange,
        send_once: Callable[[Exchange], Answer],
        *,
        shrinkable: bool = False,
        patience: Patience | None = None,
    ) -> Answer:
        """The first answer that repeating would not change, or that may not be repeated."""
        attempt, waited_s = 0, 0.0
        while True:
            attempt += 1
            try:
                answer = send_once(exchange)
            except NoAnswer as lost:
                failure = retry.Failure(None, sent=lost.sent)
                final: Answer | IdmsError = _lost(lost, method)
            else:
                if not retry.repeatable(answer.status):
                    return answer
                failure, final = _failure(answer, self._clock.now()), answer
            if patience is not None and attempt < retry.allowed(method, failure, patience.attempts):
                self._transport.calls.retried()
                patience.wait(min(failure.retry_after_s or 0, LONGEST_PAUSE_S), failure.not_carried_out)
                continue
            pause_s = retry.pause_s(attempt, failure.retry_after_s)
            waited_s += pause_s
            if (
                patience is not None
                or attempt >= retry.tries(method, failure, shrinkable=shrinkable)
                or waited_s > retry.LONGEST_WAIT_S
            ):
                if shrinkable and not failure.not_carried_out:
                    raise SiteSlow(_told(final))
                if isinstance(final, IdmsError):
                    raise final
                return final
            self._transport.calls.retried()
            self._log(f"{exchange.what} is sent again in {pause_s:.1f} s")
            self._clock.sleep(pause_s)

    def _authorized(self, exchange: Exchange) -> Answer:
        """One answer; after a 401 once more with another token, and after a login of our own never again."""
        token, fresh = self._tokens.current(self._login), False
        while True:
            answer = self._transport.send(_with_token(exchange, token), count_as=exchange.method.lower())
            if answer.status != 401:
                return answer
            if fresh:
                raise self._not_authorized(answer)
            token, fresh = self._tokens.renew(token, self._login)

    def _login(self, password: str) -> Token:
        exchange = Exchange("POST", login.TOKEN_PATH, form=login.form(self._tokens.username, password))
        answer = self._repeated("GET", exchange, lambda one: self._transport.send(one, count_as="token"))
        return login.token_of(answer, now=self._clock.now())

    def _not_authorized(self, answer: Answer) -> LoginRefused:
        return LoginRefused(
            f"{answer.what}: the site refuses {self._tokens.username} even with a new token ({describe(answer)}).",
            hint="Either this user may not do that in iMIS, or another program logs in as the same user, which ends "
            "our token: give idms a user of its own.",
        )


def address(path: str, parameters: Parameters = ()) -> str:
    """`path` (already encoded) and the encoded query string."""
    query = "&".join(f"{_encoded(name)}={_encoded(value)}" for name, value in parameters)
    return f"{path}?{query}" if query else path


def _content(body: Any) -> bytes | None:
    return None if body is None else _ENCODER.encode(body).encode("ascii")


def _encoded(text: str) -> str:
    return quote(text, safe="", errors="replace")


def _number(value: object) -> float | int | str:
    if isinstance(value, Decimal):
        return json_number(value)
    raise TypeError(f"{type(value).__name__} cannot be sent")


_ENCODER = json.JSONEncoder(default=_number)


def _with_token(exchange: Exchange, token: Token) -> Exchange:
    headers = {"Authorization": f"Bearer {token.text}"}
    if exchange.content is not None:
        headers["Content-Type"] = "application/json"
    return Exchange(exchange.method, exchange.address, headers=headers, content=exchange.content)


def _failure(answer: Answer, now: float) -> retry.Failure:
    return retry.Failure(answer.status, retry_after_s=retry_after_s(answer.headers.get("retry-after"), now))


def _told(outcome: Answer | IdmsError) -> str:
    return str(outcome) if isinstance(outcome, IdmsError) else f"{outcome.what}: {describe(outcome)}."


def _lost(lost: NoAnswer, method: str) -> IdmsError:
    if lost.sent and method != "GET":
        return OutcomeUnknown(f"{lost}.")
    return Unreachable(f"{lost}.", hint="Is the site up, and `url:` of the connection right?")
