"""Messages leave by processes of their own, one for each channel at a time, so that no channel holds up anything."""

import os
import sys
from pathlib import Path

from idms_cli.config.settings import Settings
from idms_cli.dispatch.locks import Lock, take
from idms_cli.history.outbox import Queued
from idms_cli.history.store import Store

LOG = "notify.log"


def channel_lock(state: Path, channel: str) -> Path:
    """The lock file of a channel. Who sends its messages holds it."""
    return state / "notify" / f"{channel}.lock"


def wake_senders(store: Store, settings: Settings, now: float) -> str:
    """Start a sender for each channel that has something to send and none. Never waits.

    Returns why none could be started, or nothing: that ends no tick and no run; the messages wait for the next tick.
    """
    why = ""
    for channel in store.outbox.due_channels(now):
        try:
            lock = take(channel_lock(store.state, channel))
            if lock is not None:
                _spawn(store.state, settings, channel, lock)
        except OSError as error:
            why = f"messages wait, nothing can be sent by channel {channel}: {error.strerror}: {error.filename}"
    return why


def undelivered(store: Store) -> list[str]:
    """Messages that nobody will get, a line for each channel; each is told by one tick."""
    channels: dict[str, list[Queued]] = {}
    for message in store.outbox.undelivered():
        channels.setdefault(message.channel, []).append(message)
    return [
        f"{len(found)} message{'' if len(found) == 1 else 's'} by channel {name} could not be delivered: "
        f"{found[0].reason}; `idms notify list --failed`"
        for name, found in channels.items()
    ]


def _spawn(state: Path, settings: Settings, channel: str, lock: Lock) -> None:
    os.set_inheritable(lock.fd, True)
    log = os.fspath(state / LOG)
    command = [
        sys.executable,
        "-m",
        "idms_cli",
        "--config",
        str(settings.path),
        "send",
        channel,
        "--lock",
        str(lock.fd),
    ]
    try:
        os.posix_spawn(
            sys.executable,
            command,
            os.environ,
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ],
            setsid=True,
        )
    finally:
        lock.release()
