"""run-due that stays: for a container, where everything ends with its first process."""

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from types import FrameType

from idms_cli.config.settings import Settings
from idms_cli.dispatch.processes import adopt_orphans, children
from idms_cli.dispatch.senders import wake_senders
from idms_cli.dispatch.settle import settle
from idms_cli.dispatch.tick import Tick
from idms_cli.history.rows import Run
from idms_cli.history.store import Store

TICK_EVERY_S = 60.0
LOOK_EVERY_S = 0.2
SENDERS_HAVE_S = 60.0


def stay(
    store: Store, now: Callable[[], datetime], *, first: Tick, again: Callable[[], Tick], told: Callable[[Tick], int]
) -> int:
    """Stay while any run is pending or running; tick `again` each minute, and `told` it. 1 when a run was not good.

    `first` is the tick that was done before: a short run of it may have ended already.

    Asked to stop (Ctrl-C, SIGTERM), it asks the supervisors below it to stop and waits for their clean records.
    """
    adopt_orphans()
    asked = _listen()
    told_to_stop: set[int] = set()
    seen = _ours(store) | set(first.started)
    next_tick = time.monotonic() + TICK_EVERY_S
    code = 0
    while _is_anybody_at_work(store, now()):
        if asked and not _pass_on(told_to_stop):
            break
        time.sleep(LOOK_EVERY_S)
        _reap()
        settle(store, now().timestamp())
        if time.monotonic() >= next_tick and not asked:
            next_tick += TICK_EVERY_S
            code = max(code, told(again()))
        seen |= _ours(store)
    ended = [store.runs.one(run_id) for run_id in seen]
    good = all(run is None or run.is_good or run.status == "pending" for run in ended)
    return 130 if asked else max(code, 0 if good else 1)


def let_senders_end(store: Store, settings: Settings, now: datetime) -> None:
    """In a container they would end with us; what is still to be sent then waits for the next call."""
    wake_senders(store, settings, now.timestamp())
    until = time.monotonic() + SENDERS_HAVE_S
    while list(children(os.getpid())) and time.monotonic() < until:
        time.sleep(LOOK_EVERY_S)
        _reap()


def _is_anybody_at_work(store: Store, now: datetime) -> bool:
    """A supervisor whose run has ended is still at work: it starts what comes after that run."""
    return any(_is_at_work(run, now) for run in store.runs.open()) or bool(set(children(os.getpid())))


def _is_at_work(run: Run, now: datetime) -> bool:
    """What was put off for a while is for a later call."""
    put_off = run.not_before is not None and run.not_before > now
    return run.status in ("pending", "running") and not run.foreground and not put_off


def _ours(store: Store) -> set[int]:
    """Runs that nobody else waits for."""
    return {run.id for run in store.runs.open() if not run.foreground}


def _listen() -> list[int]:
    asked: list[int] = []

    def on_signal(number: int, frame: FrameType | None) -> None:
        del frame
        asked.append(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    return asked


def _pass_on(told: set[int]) -> bool:
    """Ask the supervisors below to stop, each once: a second time would be by force. False when none is left."""
    found = set(children(os.getpid()))
    for pid in found - told:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    told |= found
    return bool(found)


def _reap() -> None:
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
