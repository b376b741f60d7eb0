"""What an answer, or none, means for a request: done, refused, sent again, or unknown. Decides, and sends nothing."""

import random
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from idms_cli.config.foreign import shortened
from idms_cli.delivery.calls.journal import State
from idms_cli.delivery.calls.reasons import reason_in
from idms_cli.errors import DeliveryRefused, IdmsError, LoginRefused, OutcomeUnknown, Unreachable
from idms_cli.web.retryafter import retry_after_s
from idms_cli.web.sending import Answer, Call, NoAnswer

MOST_TRIES = 5
"""Of a request that was certainly not carried out, in one attempt at the delivery."""
TRIES_AGAINST_FAULTS = 3
"""Of one that the server failed at, or that did not reach it, where it can be sent again."""
LONGEST_PAUSE_S = 120.0
"""That a server may ask for; one that asks for more is left alone for now."""

_GONE = (404, 410)
_NOT_BEGUN = (408, 425, 429)
_FOR_ALL = (405, 501, 505, 507)
_MOVED = range(300, 400)
_DECIDED_ELSEWHERE = (302, 303)
"""What servers answer to a form that they have taken, too (RFC 9110, 15.4.4)."""
_jitter = random.SystemRandom()


@dataclass(frozen=True)
class Sent:
    """A request that has left."""

    call: Call
    tries: int
    """How often, in this attempt at the delivery."""
    came_again: bool
    """An earlier one may have been carried out."""


@dataclass(frozen=True)
class Judgement:
    """What becomes of a request."""

    state: State
    reason: str = ""
    status: int | None = None
    again_in_s: float | None = None
    """It is sent again in this attempt, after so many seconds."""
    ends: IdmsError | None = None
    """The delivery ends here: the others would fare no better."""
    is_outage: bool = False
    """No fault of this request: several in a row say that the server is down."""


class Judge:
    """Decides by what one step says: which statuses mean yes, and whether a request may be sent twice."""

    def __init__(
        self, expect: tuple[range, ...], *, repeatable: bool, with_key: bool = False, address_key: str = "to"
    ) -> None:
        """`with_key`: each request has an idempotency key. `address_key` is where the step says its address."""
        self._expect = expect
        self._address_key = address_key
        self._repeatable = repeatable
        self._with_key = with_key

    def of_answer(self, sent: Sent, answer: Answer, now: float) -> Judgement:
        """`now` is in UTC seconds."""
        if self._is_yes(sent, answer.status):
            return Judgement("done", status=answer.status)
        if answer.status in (401, 403):
            return self._not_let_in(sent, answer)
        pause_s = retry_after_s(answer.headers.get("retry-after"), now)
        in_hand = answer.status == 409 and sent.came_again and self._with_key
        if answer.status in _NOT_BEGUN or in_hand or (answer.status == 503 and pause_s is not None):
            return self._later(sent, answer, pause_s)
        return self._no(sent, answer)

    def of_silence(self, sent: Sent, error: NoAnswer) -> Judgement:
        """No answer came."""
        reason = str(error)
        if not error.sent:
            if error.kind != "certificate" and sent.tries < TRIES_AGAINST_FAULTS:
                return Judgement(_not_done(sent), reason, again_in_s=_backoff_s(sent.tries))
            return Judgement(_not_done(sent), reason, ends=Unreachable(f"{_what(sent)}: {reason}.", hint=error.hint))
        if not self._repeatable:
            return Judgement("unknown", f"{reason}; it may have been carried out", is_outage=True)
        if sent.tries < TRIES_AGAINST_FAULTS:
            return Judgement("unknown", reason, again_in_s=_backoff_s(sent.tries))
        ends = Unreachable(f"{_what(sent)}: {reason}, {sent.tries} times.", hint=error.hint)
        return Judgement("unknown", reason, ends=ends)

    def unsent(self, sent: Sent, error: IdmsError) -> Judgement:
        """It could not leave at all, and neither could the others: there is no token for it."""
        return Judgement(_not_done(sent), str(error), ends=error)

    def _is_yes(self, sent: Sent, status: int) -> bool:
        if any(status in statuses for statuses in self._expect):
            return True
        return sent.came_again and sent.call.method == "DELETE" and status in _GONE  # the one before has removed it

    def _no(self, sent: Sent, answer: Answer) -> Judgement:
        if answer.status in _MOVED:
            return self._moved(sent, answer)
        if answer.status in _FOR_ALL:
            return Judgement(_not_done(sent), _told(answer), answer.status, ends=_refused(sent, answer))
        if answer.status >= 500:
            return self._failed(sent, answer)
        return Judgement("refused", _told(answer), answer.status)

    def _not_let_in(self, sent: Sent, answer: Answer) -> Judgement:
        error = LoginRefused(
            f"{_what(sent)}: the server lets nobody in like this ({_told(answer)}).",
            hint="Check `auth:` of the step, and its secret; then run the job again.",
        )
        return Judgement(_not_done(sent), _told(answer), answer.status, ends=error)

    def _later(self, sent: Sent, answer: Answer, pause_s: float | None) -> Judgement:
        """Certainly not carried out: sent again when the server wants it."""
        state = _not_done(sent)
        if sent.tries < MOST_TRIES and (pause_s or 0) <= LONGEST_PAUSE_S:
            wait_s = _backoff_s(sent.tries) if pause_s is None else pause_s
            return Judgement(state, _told(answer), answer.status, again_in_s=wait_s)
        hint = "Less at a time: `rate:`. Later: `retry:` of the step."
        asks = f", and asks to be left alone for {pause_s:.0f} s" if pause_s else ""
        error = Unreachable(f"{_what(sent)}: the server answers {_told(answer)}{asks}.", hint=hint)
        return Judgement(state, _told(answer), answer.status, ends=error)

    def _moved(self, sent: Sent, answer: Answer) -> Judgement:
        where = _bare(urljoin(sent.call.shown, answer.headers.get("location", "")))
        told = f"{_what(sent)}: the server redirects ({answer.status}) to {where}, and what is sent does not follow"
        if answer.status in _DECIDED_ELSEWHERE and not self._repeatable:
            unknown = OutcomeUnknown(
                f"{told}. Nobody knows whether it was taken.",
                hint=f"If it is so that this server says yes: `expect: [2xx, {answer.status}]`. Else name the address.",
            )
            return Judgement("unknown", f"the server redirects ({answer.status})", answer.status, ends=unknown)
        error = DeliveryRefused(f"{told}.", hint=f"Name the right address in `{self._address_key}:`.")
        return Judgement(_not_done(sent), f"the server redirects ({answer.status})", answer.status, ends=error)

    def _failed(self, sent: Sent, answer: Answer) -> Judgement:
        """An error of the server: it may have done what was asked."""
        reason = _told(answer)
        if not self._repeatable:
            is_outage = answer.status != 500
            return Judgement("unknown", f"{reason}; it may have been carried out", answer.status, is_outage=is_outage)
        if sent.tries < TRIES_AGAINST_FAULTS:
            return Judgement("unknown", reason, answer.status, again_in_s=_backoff_s(sent.tries))
        if answer.status == 500:
            return Judgement("unknown", reason, answer.status)
        ends = Unreachable(f"{_what(sent)}: the server answers {reason}, {sent.tries} times.", hint="Try again later.")
        return Judgement("unknown", reason, answer.status, ends=ends)


def _not_done(sent: Sent) -> State:
    return "unknown" if sent.came_again else "pending"


def _refused(sent: Sent, answer: Answer) -> DeliveryRefused:
    hints = {
        405: "Check `method:` and the address.",
        507: "Somebody has to make room there; then run the job again.",
    }
    return DeliveryRefused(
        f"{_what(sent)}: the server does not take it: {_told(answer)}.",
        hint=hints.get(answer.status, "Check the address with those whose server it is."),
    )


def _what(sent: Sent) -> str:
    return f"{sent.call.method} {shortened(sent.call.shown, 200)}"


def _told(answer: Answer) -> str:
    """The status, and the server's own words."""
    reason = reason_in(answer)
    return f"{answer.status}, {reason}" if reason else f"{answer.status}"


def _bare(address: str) -> str:
    """Without what may be secret in it."""
    parts = urlsplit(address)
    return shortened(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}", 200)


def _backoff_s(tries: int) -> float:
    return _jitter.uniform(0.1, 0.5) * 2.0**tries
