"""Pending and interrupted runs are handed over to a supervisor each, within max_parallel and the locks of the data."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from idms_cli.config.settings import Settings
from idms_cli.dispatch.closing import close_run
from idms_cli.dispatch.locks import Lock, run_lock, take, take_data
from idms_cli.dispatch.settle import ATTEMPTS
from idms_cli.history.rows import Run
from idms_cli.history.store import Store
from idms_cli.modules import DataLock

WAITS_ITS_TURN = "waits for the earlier slots of the same job"


@dataclass(frozen=True)
class Started:
    """A run that is marked running, with the locks that say so. Whoever holds this owns the run."""

    run: Run
    alive: Lock
    data: tuple[Lock, ...]

    def release(self) -> None:
        for lock in (self.alive, *self.data):
            lock.release()


def hand_over(store: Store, settings: Settings, now: float, *, resume: bool = False) -> list[int]:
    """Start what may start, oldest first, each in a process of its own; returns the ids. Never waits.

    With `resume` interrupted runs go on as well: only a tick does that, so that a death is seen before it is mended.
    """
    handed = []
    queued: set[str] = set()
    for run in store.runs.open():
        if resume and run.status == "interrupted" and run.attempt >= ATTEMPTS:
            _give_up(store, settings, run, now)
        is_behind = run.due is not None and run.job in queued
        if run.due is not None:
            queued.add(run.job)
        if not _may_start(run, resume=resume):
            continue
        if is_behind:
            _wait(store, run, WAITS_ITS_TURN)
            continue
        started = try_start(store, settings, run, now)
        if isinstance(started, Started):
            spawn(started, settings, store.run_directory(run.id))
            handed.append(run.id)
    return handed


def try_start(store: Store, settings: Settings, run: Run, now: float, *, alive: Lock | None = None) -> Started | str:
    """Mark a run as running and take its locks; or the reason why it has to wait, which is written down as well.

    `alive` is the run's lock where the caller holds it already (a run in the foreground); it stays the caller's when
    the run has to wait.
    """
    own = alive or take(run_lock(store.run_directory(run.id)))
    if own is None:
        return "somebody else is starting it"
    started = _start_with_lock(store, settings, run, now, own)
    if isinstance(started, Started):
        return started
    if alive is None:
        own.release()
    _wait(store, run, started)
    return started


def _wait(store: Store, run: Run, reason: str) -> None:
    if reason != run.reason:
        store.runs.wait(run.id, reason)


def _behind(ahead: Run) -> str:
    """Many wait in one queue: what is told must not change with each that leaves it."""
    if ahead.status == "running":
        return f"waits for run {ahead.id} of the same job"
    return WAITS_ITS_TURN


def _start_with_lock(store: Store, settings: Settings, run: Run, now: float, own: Lock) -> Started | str:
    data = take_data(store.state, [DataLock(**lock) for lock in run.locks])
    if isinstance(data, DataLock):
        return f"waits for {data.resource}{_holder(store, data)}"
    with store.database.write() as connection:
        running = store.runs.running(connection)
        ahead = None if run.due is None else store.runs.ahead_of(connection, run)
        if ahead is not None:
            reason = _behind(ahead)
        elif running >= settings.max_parallel:
            reason = f"waits for a place: {running} of {settings.max_parallel} runs are running"
        elif store.runs.start(connection, run.id, now):
            reason = ""
        else:
            reason = "somebody else has started it"
    if not reason:
        return Started(store.runs.one(run.id) or run, own, tuple(data))
    for lock in data:
        lock.release()
    return reason


def spawn(started: Started, settings: Settings, directory: Path) -> None:
    """Hand the run and its locks to `idms exec RUN` in a session of its own, and let go of it."""
    descriptors = [started.alive.fd, *(lock.fd for lock in started.data)]
    for descriptor in descriptors:
        os.set_inheritable(descriptor, True)
    os.posix_spawn(
        sys.executable,
        [*program(settings), "exec", str(started.run.id), "--locks", ",".join(map(str, descriptors))],
        os.environ,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(directory / "supervisor.log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
    )
    started.release()


def program(settings: Settings) -> list[str]:
    """The command line that starts this very idms with this very configuration."""
    return [sys.executable, "-m", "idms_cli", "--config", str(settings.path)]


def inherited(descriptors: str) -> tuple[Lock, tuple[Lock, ...]]:
    """The locks that `spawn` handed over: the run's own, and those of its data."""
    locks = [Lock(int(fd)) for fd in descriptors.split(",")]
    for lock in locks:
        os.set_inheritable(lock.fd, False)
    return locks[0], tuple(locks[1:])


def _may_start(run: Run, *, resume: bool) -> bool:
    if run.status == "interrupted":
        return resume and run.attempt < ATTEMPTS
    return run.status == "pending" and not run.foreground


def _give_up(store: Store, settings: Settings, run: Run, now: float) -> None:
    lock = take(run_lock(store.run_directory(run.id)))
    if lock is None:
        return  # somebody resumes it by hand
    reason = f"its process died {run.attempt} times"
    counts = close_run(store, settings, run, reason)
    hint = f"`idms show {run.id}` has its log. Memory, disk and the kernel's log may say why."
    store.runs.end(run.id, now, {"status": "failed", "reason": reason, "hint": hint, "exit_code": 1, "counts": counts})
    lock.release()


def _holder(store: Store, wanted: DataLock) -> str:
    for run in store.runs.open():
        if run.status == "running" and any(lock["resource"] == wanted.resource for lock in run.locks):
            since = f" since {run.started_at:%Y-%m-%d %H:%M} UTC" if run.started_at else ""
            return f", held by run {run.id} of {run.job}{since}"
    return ", held by a process of a run that died"
