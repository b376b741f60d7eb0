"""May a request be sent again, and after which pause: decided by its verb and by how it failed."""

import random
from dataclasses import dataclass

from idms_cli.imis.assumptions import LONGEST_PAUSE_S

LONGEST_WAIT_S = 300.0
"""All pauses of one request together."""

_FIRST_PAUSE_S = 0.5
_LONGEST_BACKOFF_S = 20.0
_jitter = random.SystemRandom()


@dataclass(frozen=True)
class Failure:
    """How a request failed. `status` is None when no answer came; then `sent` tells if the site may have had it."""

    status: int | None
    sent: bool = True
    retry_after_s: float | None = None

    @property
    def not_carried_out(self) -> bool:
        """Whether the site has certainly not done what was asked (assumption A17)."""
        if self.status is None:
            return not self.sent
        return self.status == 429 or (self.status == 503 and self.retry_after_s is not None)


def tries(method: str, failure: Failure, *, shrinkable: bool = False) -> int:
    """How often the request may be sent in all.

    `shrinkable` is a page: instead of waiting for it again, the caller asks for a smaller one.
    """
    if failure.not_carried_out:
        return 5
    if method == "POST":
        return 1
    if shrinkable:
        return 1 if failure.status is None else 2
    if method == "PUT" or failure.status == 500:
        return 3
    return 5


def allowed(method: str, failure: Failure, attempts: int) -> int:
    """How often the request may be sent in all where somebody wants so many attempts."""
    return attempts if failure.not_carried_out or method != "POST" else 1


def repeatable(status: int) -> bool:
    """Whether an answer with this status may be gone when the request is sent again."""
    return status in {429, 500, 502, 503, 504}


def pause_s(attempt: int, retry_after_s: float | None) -> float:
    """Seconds to wait after the `attempt`-th try: what the site asks for, else growing with full jitter."""
    if retry_after_s is not None:
        return min(retry_after_s, LONGEST_PAUSE_S)
    return _jitter.uniform(0, min(_LONGEST_BACKOFF_S, _FIRST_PAUSE_S * 2**attempt))
