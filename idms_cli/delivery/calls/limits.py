"""When a delivery stops before its end: too many rows are refused, or the server is down."""

from collections.abc import Mapping
from dataclasses import dataclass

from idms_cli.config.fields import Share
from idms_cli.delivery.calls.journal import State, Tally
from idms_cli.delivery.calls.judging import Judgement
from idms_cli.errors import DeliveryRefused, Unreachable
from idms_cli.records.patience import LIMIT, Patience


@dataclass(frozen=True)
class Extent:
    """How much is to be sent."""

    requests: int
    rows: int


class Toll:
    """Counts what failed and what is done."""

    def __init__(self, max_refused: Share, extent: Extent, so_far: Mapping[State, Tally], *, repeatable: bool) -> None:
        """`so_far` is what earlier attempts did. What may be sent again has not failed yet."""
        self._max_refused = max_refused
        self._extent = extent
        self._patience = Patience()
        lost: tuple[State, ...] = ("refused",) if repeatable else ("refused", "unknown")
        self.failed = sum(tally.rows for state, tally in so_far.items() if state in lost)
        """Rows."""
        self.done = so_far.get("done", Tally()).rows

    def count(self, judgement: Judgement, rows: int) -> None:
        """A request with so many rows is settled for this attempt."""
        if judgement.state == "done":
            self.done += rows
        elif judgement.state in ("refused", "unknown"):
            self.failed += rows

    def end(self, judgement: Judgement) -> DeliveryRefused | Unreachable | None:
        """Why no more is sent, if so. One request alone is judged by what became of it."""
        if self._extent.requests == 1:
            return None
        if not judgement.is_outage:
            self._patience.regain()
        elif self._patience.lose():
            return Unreachable(
                f"{LIMIT} requests in a row got no clear answer ({judgement.reason}), and no more are sent.",
                hint="Look at the server. What was not sent is sent when the step is tried again (`retry:`).",
            )
        if self._max_refused.exceeded(self.failed, self._extent.rows):
            return DeliveryRefused(
                f"{self.failed:,} of {self._extent.rows:,} rows were refused or are unknown, more than "
                f"`max_refused: {self._max_refused}` allows: {judgement.reason}.",
                hint="When so many fail, it is the job or the address, and not the rows. No more were sent.",
            )
        return None
