"""A run is ended before its time: cleanly by its supervisor, or here when nobody is at work on it."""

import time

from idms_cli.config.settings import Settings
from idms_cli.dispatch.closing import close_run
from idms_cli.dispatch.control import wake
from idms_cli.dispatch.locks import run_lock, take
from idms_cli.history.queue import StopRequest
from idms_cli.history.rows import Run
from idms_cli.history.store import Store

LOOK_EVERY_S = 0.1
EXIT_CODE = 130


def stop(store: Store, settings: Settings, run: Run, request: StopRequest, *, limit_s: float) -> Run:
    """Ask for a run's end and wait for it, `limit_s` at most; returns the run as it is then, over or not.

    The wish is kept in the history: a supervisor that is only just starting sees it too.
    """
    end = time.monotonic() + limit_s
    store.queue.ask_to_stop(run.id, request)
    while True:
        run = store.runs.one(run.id) or run
        if not run.is_open or time.monotonic() >= end:
            return run
        if not stop_idle(store, settings, run, time.time()):
            wake(store.run_directory(run.id))
            time.sleep(LOOK_EVERY_S)


def stop_idle(store: Store, settings: Settings, run: Run, now: float) -> bool:
    """End a run that no process is at work on: one that waits, or whose process died. False when somebody is."""
    alive = take(run_lock(store.run_directory(run.id)))
    if alive is None:
        return False
    try:
        end_idle(store, settings, run.id, now)
    finally:
        alive.release()
    return True


def end_idle(store: Store, settings: Settings, run_id: int, now: float) -> None:
    """The same for who holds the run's lock. A run that has ended meanwhile stays as it is."""
    run, request = store.runs.one(run_id), store.queue.stop_request(run_id)
    if run is None or request is None or not run.is_open:
        return
    if not store.queue.drop(run_id, now, status="cancelled", reason=request.reason, exit_code=EXIT_CODE):
        counts = close_run(store, settings, run, request.reason)
        result = {"status": "cancelled", "reason": request.reason, "exit_code": EXIT_CODE, "counts": counts}
        store.runs.end(run_id, now, result)


def stop_all_idle(store: Store, settings: Settings, now: float) -> None:
    """End what somebody wanted to end and no process is at work on."""
    for run in store.queue.to_stop():
        stop_idle(store, settings, run, now)
