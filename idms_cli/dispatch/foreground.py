"""A run by hand: the same way as a scheduled one, with the command that asked for it as its supervisor."""

import time
from collections.abc import Callable
from dataclasses import replace

from idms_cli.config.settings import Settings
from idms_cli.dispatch.launch import Started, try_start
from idms_cli.dispatch.locks import Lock, run_lock, take
from idms_cli.dispatch.settle import settle
from idms_cli.dispatch.supervise import Supervisor
from idms_cli.errors import IdmsError, Interrupted
from idms_cli.history.rows import NewRun, Run
from idms_cli.history.store import Store

LOOK_EVERY_S = 0.2


def run_in_foreground(
    store: Store,
    settings: Settings,
    new: NewRun,
    *,
    waiting: Callable[[str], None],
    watch: Callable[[Run], None],
) -> Run:
    """Create a run, wait for its place and its data, and supervise it to its end.

    `waiting` is told why it waits, whenever that changes; `watch` is called a few times a second while it runs.
    Raises `Interrupted` on Ctrl-C before it began.
    """
    run, alive = _create(store, replace(new, by_hand=True, foreground=True))
    try:
        started = _wait_for_start(store, settings, run, alive, waiting)
    except KeyboardInterrupt:
        reason = "stopped before it began"
        store.runs.end(run.id, time.time(), {"status": "cancelled", "reason": reason, "exit_code": 130})
        raise Interrupted(f"run {run.id} was {reason}") from None
    return Supervisor(store, settings, started).supervise(watch=lambda: watch(started.run), every_s=LOOK_EVERY_S)


def _create(store: Store, new: NewRun) -> tuple[Run, Lock]:
    """The run's lock is held before anybody can see the run: a pending run in the foreground always has its command."""
    with store.database.write() as connection:
        run_id = store.runs.create(connection, new, time.time())
        alive = take(run_lock(store.run_directory(run_id)))
    run = store.runs.one(run_id)
    if alive is None or run is None:
        raise IdmsError(f"the lock of the new run {run_id} is held by somebody else")
    return run, alive


def _wait_for_start(store: Store, settings: Settings, run: Run, alive: Lock, waiting: Callable[[str], None]) -> Started:
    told = ""
    while True:
        started = try_start(store, settings, replace(run, reason=told), time.time(), alive=alive)
        if isinstance(started, Started):
            return started
        if started != told:
            told = started
            waiting(told)
        time.sleep(LOOK_EVERY_S)
        settle(store, time.time())
