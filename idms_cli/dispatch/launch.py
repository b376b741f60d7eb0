"""Pending and interrupted runs are handed over to a supervisor each, within max_parallel and the locks of the data."""

import os
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from idms_cli.config.settings import Settings
from idms_cli.dispatch.alarms import run_began
from idms_cli.dispatch.closing import close_run
from idms_cli.dispatch.connections import why_wait
from idms_cli.dispatch.ending import end_run
from idms_cli.dispatch.locks import Lock, run_lock, take, take_data
from idms_cli.dispatch.outcomes import unfinished_outcome
from idms_cli.dispatch.places import no_place
from idms_cli.dispatch.settle import ATTEMPTS
from idms_cli.dispatch.wording import name_of, time_of_day
from idms_cli.history.rows import Run
from idms_cli.history.store import Store
from idms_cli.modules import DataLock


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
    """Start what may start, higher priority first, then older, each in a process of its own; returns the ids.

    Never waits; a run that has to wait says why, and keeps no other one back. With `resume` interrupted runs go on as
    well: only a tick does that, so that a death is seen before it is mended.
    """
    handed: list[int] = []
    reasons: dict[int, str] = {}
    places, oldest = store.queue.places(), store.queue.oldest()
    for run in store.queue.ready(now):
        if run.status == "interrupted":
            if not resume:
                continue
            if run.deaths >= ATTEMPTS:
                _give_up(store, settings, run, now)
                oldest = store.queue.oldest()
                continue
        # What another process ends meanwhile, that process makes up for: it hands over as well.
        waits = no_place(settings, run, places) or why_wait(store, settings, run, now) or _behind(run, oldest)
        started = waits or _start(store, settings, run, now)
        if isinstance(started, Started):
            spawn(started, settings, store.run_directory(run.id))
            places[run.pool] = places.get(run.pool, 0) + 1
            handed.append(run.id)
        elif started != run.reason:
            reasons[run.id] = started
    store.queue.wait(reasons)
    return handed


def try_start(store: Store, settings: Settings, run: Run, now: float, alive: Lock) -> Started | str:
    """Mark a run in the foreground as running and take its locks; or why it has to wait, which is written down as well.

    `alive` is the run's lock; it stays the caller's when the run has to wait.
    """
    started = _start_with_lock(store, settings, run, now, alive)
    if not isinstance(started, Started) and started != run.reason:
        store.queue.wait({run.id: started})
    return started


def _start(store: Store, settings: Settings, run: Run, now: float) -> Started | str:
    own = take(run_lock(store.run_directory(run.id)))
    if own is None:
        return "somebody else is starting it"
    started = _start_with_lock(store, settings, run, now, own)
    if not isinstance(started, Started):
        own.release()
    return started


def _start_with_lock(store: Store, settings: Settings, run: Run, now: float, own: Lock) -> Started | str:
    if _waits_its_turn(run):
        earlier, asking = store.queue.earlier(run), store.runs.asking_of(run.job)
        if earlier is not None:
            return f"waits for run {earlier} of the same job"
        if asking is not None and not _reads_other_files(run, asking):
            return f"waits for run {asking.id} of the same job, which asks: idms show {asking.id}"
    data = take_data(store.state, [DataLock(**lock) for lock in run.locks])
    if isinstance(data, DataLock):
        return f"waits for {name_of(data)}{_holder(store, settings, data, now)}"
    with store.database.together(), store.database.write() as connection:
        reason = no_place(settings, run, store.queue.places())
        if not reason and not store.runs.start(connection, run.id, now):
            reason = "somebody else has started it"
        if not reason:
            run_began(store, run, now)
    if not reason:
        return Started(store.runs.one(run.id) or run, own, tuple(data))
    for lock in data:
        lock.release()
    return reason


def _waits_its_turn(run: Run) -> bool:
    """Whether it starts only after the earlier runs of its job; one that a person asked for goes by its data alone."""
    return not run.dry_run and not (run.foreground and run.intent != "backfill")


def _behind(run: Run, oldest: Mapping[str, int]) -> str:
    """Which run of its job it waits for, told without a try: where `missed: all` owes hundreds, only one is tried."""
    first = oldest.get(run.job, run.id)
    return f"waits for run {first} of the same job" if first < run.id and _waits_its_turn(run) else ""


def _reads_other_files(run: Run, asking: Run) -> bool:
    """Whether both are of one batch, in which each run has a file of its own."""
    return run.batch is not None and run.batch in (asking.batch, asking.id)


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


def _give_up(store: Store, settings: Settings, run: Run, now: float) -> None:
    lock = take(run_lock(store.run_directory(run.id)))
    if lock is None:
        return  # somebody resumes it by hand
    reason = f"its process died {run.deaths} times"
    ended = unfinished_outcome(store.run_directory(run.id))
    if ended is not None:  # all that is missing is what `after:` asks for
        reason = "; ".join(filter(None, (ended.reason, f"its file is not archived: {reason}")))
        end_run(store, run, now, {**asdict(ended), "status": "partial", "reason": reason, "exit_code": 1})
        lock.release()
        return
    counts = close_run(store, settings, run, reason)
    hint = f"`idms show {run.id}` has its log. Memory, disk and the kernel's log may say why."
    end_run(store, run, now, {"status": "failed", "reason": reason, "hint": hint, "exit_code": 1, "counts": counts})
    lock.release()


def _holder(store: Store, settings: Settings, wanted: DataLock, now: float) -> str:
    for run in store.queue.running():
        if any(lock["resource"] == wanted.resource for lock in run.locks):
            moment = datetime.fromtimestamp(now, UTC)
            since = f" since {time_of_day(run.started_at, moment, settings.timezone)}" if run.started_at else ""
            return f", held by run {run.id} of {run.job}{since}"
    return ", held by a process of a run that died"
