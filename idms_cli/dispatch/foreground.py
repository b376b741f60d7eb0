"""A run by hand: the same way as a scheduled one, with the command that asked for it as its supervisor."""

import signal
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from idms_cli.config.settings import Settings
from idms_cli.dispatch.launch import Started, try_start
from idms_cli.dispatch.locks import Lock, run_lock, take
from idms_cli.dispatch.settle import settle
from idms_cli.dispatch.stop import end_idle
from idms_cli.dispatch.supervise import Supervisor
from idms_cli.errors import IdmsError, InputError, Interrupted
from idms_cli.history.rows import NewRun, Run
from idms_cli.history.store import Store

LOOK_EVERY_S = 0.2


@dataclass(frozen=True)
class Hand:
    """Who holds a run in the foreground."""

    waiting: Callable[[str], None]
    """Told why the run waits, whenever that changes."""
    watch: Callable[[Run], None]
    """Called a few times a second while it runs."""


def create_in_foreground(
    store: Store,
    new: NewRun,
    *,
    refuse: Callable[[sqlite3.Connection], None] = lambda _: None,
    create: Callable[[sqlite3.Connection, NewRun, float], int] | None = None,
) -> tuple[Run, Lock]:
    """A pending run whose command is here; unless `refuse` raises, which nobody can come between.

    `create` makes the run where there is more to be written down with it than the run alone.
    Its lock is held before anybody can see it: a pending run in the foreground always has its command.
    """
    with store.database.write() as connection:
        refuse(connection)
        run_id = (create or store.runs.create)(connection, replace(new, by_hand=True, foreground=True), time.time())
        alive = take(run_lock(store.run_directory(run_id)))
    run = store.runs.one(run_id)
    if alive is None or run is None:
        raise IdmsError(f"the lock of the new run {run_id} is held by somebody else")
    return run, alive


def take_in_hand(store: Store, run: Run, change: Callable[[sqlite3.Connection], bool]) -> tuple[Run, Lock]:
    """A run that is there already (held, interrupted) goes on under this command.

    `change` makes it startable and says whether it still was what the caller saw. Raises `InputError` if it was not.
    """
    alive = take(run_lock(store.run_directory(run.id)))
    if alive is None:
        raise InputError(f"run {run.id} is in somebody else's hands", hint=f"`idms show {run.id}` says more.")
    with store.database.write() as connection:
        changed = change(connection)
    fresh = store.runs.one(run.id)
    if not changed or fresh is None:
        alive.release()
        raise InputError(f"run {run.id} is no longer {run.status}", hint=f"`idms show {run.id}` says more.")
    return fresh, alive


def carry_on(store: Store, settings: Settings, run: Run, alive: Lock, hand: Hand) -> Run:
    """Wait for a run's place and its data, and supervise it to its end.

    Stopped by Ctrl-C while it waits, a new run is cancelled; one that was approved, interrupted
    or put off before waits for the next tick.
    """
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)
    try:
        started = _wait_for_start(store, settings, run, alive, hand.waiting)
    except KeyboardInterrupt:
        if store.runs.let_go(run.id):
            raise Interrupted(f"run {run.id} was left to the next tick") from None
        reason = "stopped before it began"
        store.runs.end(run.id, time.time(), {"status": "cancelled", "reason": reason, "exit_code": 130})
        raise Interrupted(f"run {run.id} was {reason}") from None
    if started is None:
        end_idle(store, settings, run.id, time.time())
        alive.release()
        ended = store.runs.one(run.id)
        raise Interrupted(f"run {run.id} was {ended.reason if ended else 'stopped'}")
    return Supervisor(store, settings, started).supervise(watch=lambda: hand.watch(started.run), every_s=LOOK_EVERY_S)


def _wait_for_start(
    store: Store, settings: Settings, run: Run, alive: Lock, waiting: Callable[[str], None]
) -> Started | None:
    """None when somebody stopped it meanwhile."""
    told = ""
    while not store.queue.stop_request(run.id):
        started = try_start(store, settings, replace(run, reason=told), time.time(), alive)
        if isinstance(started, Started):
            return started
        if started != told:
            told = started
            waiting(told)
        time.sleep(LOOK_EVERY_S)
        settle(store, time.time())
    return None
