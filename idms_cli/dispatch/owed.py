"""What a job owes when it is paused, edited or removed: each such slot gets its verdict, so that none is forgotten."""

from dataclasses import dataclass
from datetime import UTC, datetime

from idms_cli.dispatch.planning import decided_until, occurrences_of
from idms_cli.history.rows import JobRow, Verdict
from idms_cli.history.store import Store

NEWEST = 1000
"""Owed slots that get a row each; older ones share one row."""


@dataclass(frozen=True)
class Settled:
    """Slots of a job that were owed, and will not run any more."""

    job: str
    reason: str
    """As the verdicts have it: `removed: the job file is gone`."""
    slots: int
    is_more: bool
    """There were more than are kept one by one."""


def settle_owed(store: Store, row: JobRow, moment: int, *, reason: str) -> Settled | None:
    """Give every slot of a job that has none yet, up to a moment (UTC seconds), the verdict that it does not run.

    None when nothing was owed.
    """
    if not row.upstream and (row.next_due is None or row.next_due > moment):
        return None
    occurrences = occurrences_of(store, row)
    now = datetime.fromtimestamp(moment, UTC)
    due = occurrences.due(datetime.fromtimestamp(row.decided_until, UTC), now, newest=NEWEST)
    verdicts = [Verdict(row.name, int(one.slot.timestamp()), reason=one.skip or reason) for one in due.occurrences]
    if due.older:
        since, until = (int(slot.timestamp()) for slot in due.older)
        verdicts.insert(0, Verdict(row.name, since, reason=reason, until=until if until > since else None))
    upcoming = occurrences.next_after(now)
    next_due = None if upcoming is None else int(upcoming.acts_at.timestamp())
    with store.database.write() as connection:
        store.slots.decide(connection, verdicts, moment)
        store.catalog.advance(
            connection, row.name, decided_until=decided_until(occurrences, row, now), next_due=next_due
        )
    return Settled(row.name, reason, len(due.occurrences), due.older is not None) if verdicts else None
