"""How many runs may run at the same time: in all, and of a pool."""

from collections.abc import Mapping

from idms_cli.config.settings import Settings
from idms_cli.history.rows import Run


def no_place(settings: Settings, run: Run, running: Mapping[str, int]) -> str:
    """Why a run has to wait for a place, given the running ones of each pool; empty when there is one.

    A pool that idms.yaml does not have any more sets no limit.
    """
    total = sum(running.values())
    if total >= settings.max_parallel:
        return f"waits for a place: {total} of {settings.max_parallel} runs are running"
    size, taken = settings.pools.get(run.pool), running.get(run.pool, 0)
    if size is not None and taken >= size:
        return f"waits for a place in the pool {run.pool}: {taken} of {size} are taken"
    return ""
