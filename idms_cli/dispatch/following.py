"""Jobs that come after another one are claimed as soon as that one's run has ended, not only at the next tick."""

from datetime import datetime
from typing import TYPE_CHECKING

from idms_cli.config.settings import Settings
from idms_cli.history.rows import JobRow
from idms_cli.history.store import Store

if TYPE_CHECKING:
    from idms_cli.dispatch.claim import Claimed


def followers(store: Store, jobs: dict[str, JobRow]) -> list[JobRow]:
    """The jobs whose upstream has done something that they have not answered to."""
    return [jobs[name] for name in sorted(store.chains.ready()) if name in jobs]


def claim_followers(store: Store, settings: Settings, now: datetime) -> "list[Claimed]":
    """Decide the slots of all followers whose files nobody has touched since; the next tick reads those of the others.

    What was edited or removed meanwhile is neither run as it was nor told as broken.
    """
    if not store.chains.ready():
        return []
    # each supervisor asks, and few have anything to claim
    from idms_cli.dispatch.claim import claim_all  # noqa: PLC0415
    from idms_cli.dispatch.refresh import unchanged  # noqa: PLC0415

    ready = unchanged(settings, followers(store, store.catalog.all()), now)
    return claim_all(store, settings, ready, now, clock=now.timestamp())
