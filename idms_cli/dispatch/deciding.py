"""Somebody decides that a held run ends."""

from idms_cli.config.settings import Settings
from idms_cli.dispatch.closing import close_run
from idms_cli.dispatch.locks import run_lock, take
from idms_cli.errors import InputError
from idms_cli.history.rows import Run
from idms_cli.history.store import Store


def reject(store: Store, settings: Settings, run: Run, who: str, now: float) -> None:
    """End a held run. One that stopped in the middle leaves no row undecided.

    Raises `InputError` when somebody else decided meanwhile.
    """
    alive = take(run_lock(store.run_directory(run.id)))
    try:
        counts = close_run(store, settings, run, f"rejected by {who}") if run.asks and alive else None
        if alive is None or not store.runs.refuse(run.id, who, now, counts=counts):
            raise InputError(f"run {run.id} is no longer held", hint=f"`idms show {run.id}` says more.")
    finally:
        if alive:
            alive.release()
