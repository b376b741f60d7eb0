"""Runs the program that tells a secret: no shell, a time limit, a size limit, and stderr goes nowhere."""

import os
import select
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, cast

from idms_cli.config.foreign import shortened
from idms_cli.errors import InputError

_BY_HAND = "run the command by hand, as the account of idms, to see why"


def first_output(arguments: Sequence[str], *, directory: Path, timeout_s: float, max_bytes: int) -> bytes:
    """What the program writes to stdout; of more than `max_bytes`, the first `max_bytes` + 1.

    Raises `InputError` when it cannot be started, fails, or takes longer than `timeout_s`; it and all that it started
    in its session are then killed. What it writes to stderr may hold the secret, so nobody sees it.
    """
    shown = shortened(arguments[0])
    with _start(arguments, directory) as process:
        try:
            deadline = time.monotonic() + timeout_s
            output = _read(cast("IO[bytes]", process.stdout).fileno(), deadline, max_bytes + 1)
            if len(output) > max_bytes:
                return output
            status = process.wait(max(0.0, deadline - time.monotonic()))
        except (TimeoutError, subprocess.TimeoutExpired):
            raise InputError(
                f"the program '{shown}' for a secret took longer than {timeout_s:g} s", hint=_BY_HAND
            ) from None
        finally:
            if process.returncode is None:  # not reaped yet, so its id is still its own
                _kill_session(process.pid)
    if status != 0:
        raise InputError(f"the program '{shown}' for a secret failed with status {status}", hint=_BY_HAND)
    return output


def _start(arguments: Sequence[str], directory: Path) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=directory,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "this cannot be the name of a program"
        raise InputError(
            f"the program '{shortened(arguments[0])}' for a secret cannot be started: {reason}",
            hint="write its whole path, from /",
        ) from None


def _read(descriptor: int, deadline: float, limit: int) -> bytes:
    """All that comes until its end, or `limit` bytes. Raises `TimeoutError` at the deadline (monotonic seconds)."""
    output = b""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    while len(output) < limit:
        if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
            raise TimeoutError
        part = os.read(descriptor, limit - len(output))
        if not part:
            break
        output += part
    return output


def _kill_session(leader: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)
