"""How a delivery ended, computed from its journal: a receipt, or what is told when not all was taken."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from idms_cli.config.foreign import shortened
from idms_cli.delivery import Receipt
from idms_cli.delivery.calls.journal import Journal, State, Tally
from idms_cli.delivery.calls.options import WebOptions
from idms_cli.delivery.calls.tables import UNDELIVERED
from idms_cli.errors import DeliveryRefused, IdmsError, OutcomeUnknown, Unreachable

_ASK = "Ask those whose server it is what has come. It is not sent again by itself: that needs an `idempotency_key:`"


@dataclass(frozen=True)
class Ending:
    """Of a delivery in which every request has had its turn."""

    options: WebOptions
    folder: Path
    requests: int
    where: str
    """The address, as people know it."""

    def receipt(self, journal: Journal) -> Receipt:
        """Raises `OutcomeUnknown`, `Unreachable` and `DeliveryRefused`."""
        tallies = journal.tallies()
        done, refused = tallies.get("done", Tally()), tallies.get("refused", Tally())
        if "unknown" in tallies:
            raise self._unknown(journal, tallies["unknown"])
        if refused.requests and not done.requests:
            raise self._all_refused(journal, refused)
        places = tuple(self._places(journal, done.rows + refused.rows))
        return Receipt(self.where, done.requests, done.size, refused.rows, {"records": done.rows}, places)

    def _places(self, journal: Journal, rows: int) -> Iterator[int]:
        """Of the rows that were refused."""
        size = self.options.batch or 1
        for number, *_ in journal.told("refused"):
            yield from range((number - 1) * size + 1, min(number * size, rows) + 1)

    def _unknown(self, journal: Journal, lost: Tally) -> IdmsError:
        number, reason = _first(journal, "unknown")
        if self.options.is_repeatable:
            many = f"{lost.requests:,} of {self.requests:,} requests failed. Request {number}: "
            return Unreachable(
                f"{self._what}: {many if self.requests > 1 else ''}{reason}.",
                hint="What failed is sent once more when the step is tried again (`retry:`).",
            )
        if self.requests == 1:
            return OutcomeUnknown(f"{self._what}: {reason}.", hint=f"{_ASK} that the server heeds.")
        return OutcomeUnknown(
            f"{self._what}: {lost.requests:,} of {self.requests:,} requests got no clear answer. "
            f"Request {number}: {reason}.",
            hint=f"{_ASK}. Their {lost.rows:,} rows are in {self.folder / UNDELIVERED}.",
        )

    def _all_refused(self, journal: Journal, refused: Tally) -> DeliveryRefused:
        number, reason = _first(journal, "refused")
        if self.requests == 1:
            return DeliveryRefused(f"{self._what}: refused: {reason}.", hint="Look at the address and the format.")
        return DeliveryRefused(
            f"{self._what}: all {refused.requests:,} requests were refused. Request {number}: {reason}.",
            hint=f"All rows are in {self.folder / UNDELIVERED}. Look at the address and the format.",
        )

    @property
    def _what(self) -> str:
        return f"{self.options.method} {shortened(self.where, 200)}"


def _first(journal: Journal, state: State) -> tuple[int, str]:
    """Number and reason of the first request in this state."""
    number, _, _, reason, _ = next(journal.told(state))
    return number, reason
