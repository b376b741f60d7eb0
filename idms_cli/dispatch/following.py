"""Jobs that come after another one are claimed as soon as that one's run has ended, not only at the next tick."""

from datetime import datetime

from idms_cli.config.settings import Settings
from idms_cli.dispatch.claim import Claimed, claim_all
from idms_cli.history.rows import JobRow
from idms_cli.history.store import Store


def followers(store: Store, jobs: dict[str, JobRow]) -> list[JobRow]:
    """The jobs whose upstream has done something that they have not answered to."""
    return [jobs[name] for name in sorted(store.chains.ready()) if name in jobs]


def claim_followers(store: Store, settings: Settings, now: datetime) -> list[Claimed]:
    """Decide the slots of all followers as their files were last read."""
    ready = followers(store, store.catalog.all()) if store.chains.ready() else []
    return claim_all(store, settings, ready, now, clock=now.timestamp())
