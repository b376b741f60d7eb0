"""The report page and the metrics are made anew by a process of its own, when a tick finds that it is time."""

import os
import sys
from pathlib import Path

from idms_cli.config.replacing import replace_file
from idms_cli.config.settings import Settings
from idms_cli.dispatch.launch import program
from idms_cli.dispatch.locks import Lock, take
from idms_cli.history.store import Store

EARLY_S = 5.0
"""cron is not exact: what is due this much later would else wait for another minute."""

FOLDER = "report"
LOG = "log"
FAILED, TOLD = "failed", "told"
"""Files that hold why it could not be written: to be told, or told already."""


def redraw_if_due(store: Store, settings: Settings, now: float) -> str:
    """Start it if it is time, and never wait. Returns what went wrong the last time, once; else nothing."""
    planned, wanted = store.retention.report_at, settings.report
    if wanted is None:
        if planned is not None:
            store.retention.plan_report(None)
        return ""
    following = now + wanted.every.total_seconds() - EARLY_S
    if planned is None or not now < planned <= following:
        store.retention.plan_report(following)
        alone = take(store.state / FOLDER / "lock")
        if alone is not None:  # else the last one is still at it
            _spawn(store.state, settings, alone)
    return _failure(store.state)


def ended(state: Path, failure: str) -> None:
    """What became of it: why it could not be written, or nothing. A failure that lasts is told once."""
    folder = state / FOLDER
    if not failure:
        for name in (FAILED, TOLD):
            (folder / name).unlink(missing_ok=True)
    elif failure not in (_read(folder / FAILED), _read(folder / TOLD)):
        replace_file(folder / FAILED, failure.encode("utf-8", "replace"), durable=False)


def _failure(state: Path) -> str:
    """Told by one tick, whichever is first."""
    folder = state / FOLDER
    try:
        (folder / FAILED).replace(folder / TOLD)
    except FileNotFoundError:
        return ""
    return _read(folder / TOLD)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""


def _spawn(state: Path, settings: Settings, lock: Lock) -> None:
    os.set_inheritable(lock.fd, True)
    log = os.fspath(state / FOLDER / LOG)
    os.posix_spawn(
        sys.executable,
        [*program(settings), "redraw", "--lock", str(lock.fd)],
        os.environ,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
    )
    lock.release()
