"""One program until it ends: no shell, its output bounded, no secrets around it, and nothing of it is left behind."""

import os
import secrets
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from idms_cli.config.foreign import shortened
from idms_cli.errors import IdmsError, InputError, Interrupted
from idms_cli.notify.program import KEPT

LOOK_EVERY_S = 0.1
TERM_S = 3.0
"""So long a program may take to end when it is asked to."""
MOST_STDERR = 4_000
"""Bytes of the end of its stderr that are kept."""
TREE = "IDMS_TREE"
"""In the environment of a program and of all that it starts: by this they are found, wherever they have gone."""


@dataclass(frozen=True)
class Program:
    """What is run."""

    arguments: Sequence[str] = field(repr=False)
    directory: Path
    stdin: Path
    environment: Mapping[str, str] = field(repr=False)
    """Beside what of ours is harmless."""
    most_output: int
    """Bytes of its stdout."""

    @property
    def shown(self) -> str:
        return shortened(self.arguments[0])


@dataclass(frozen=True)
class Ended:
    """How it ended."""

    exit_code: int
    """Negative: the signal that ended it."""
    stdout: bytes
    stderr: bytes
    """Its end."""


class TooMuch(IdmsError):
    """It wrote more than is taken, and was ended."""


def run_program(program: Program, *, stopping: Callable[[], bool]) -> Ended:
    """Run it to its end, and end all that it started.

    Raises `InputError` when it cannot be started; `Interrupted` and `TooMuch` when it was ended before its time.
    """
    tree = secrets.token_hex(8)
    with ExitStack() as stack:
        process = _started(program, tree)
        stack.callback(_end_tree, process, tree)
        return _watched(program, process, tree, stopping)


def is_there(name: str, directory: Path) -> bool:
    """Whether such a program can be found, as far as one can tell."""
    if "/" in name:
        return os.access(directory / name, os.X_OK)
    return any(os.access(Path(folder) / name, os.X_OK) for folder in os.get_exec_path())


def _started(program: Program, tree: str) -> "subprocess.Popen[bytes]":
    ours = {name: os.environ[name] for name in KEPT if name in os.environ}
    try:
        with program.stdin.open("rb") as stdin:
            return subprocess.Popen(
                program.arguments,
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=program.directory,
                env={**ours, **program.environment, TREE: tree},
                start_new_session=True,
            )
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "this cannot be the name of a program, or an argument"
        hint = "Write its whole path, from /. Is it executable, and is its first line right?"
        raise InputError(f"the program {program.shown} cannot be started: {reason}", hint=hint) from error


def _watched(program: Program, process: "subprocess.Popen[bytes]", tree: str, stopping: Callable[[], bool]) -> Ended:
    out, err = bytearray(), bytearray()
    with selectors.DefaultSelector() as selector:
        for stream, kept in ((process.stdout, out), (process.stderr, err)):
            assert stream is not None  # noqa: S101 - they are pipes
            os.set_blocking(stream.fileno(), False)
            selector.register(stream, selectors.EVENT_READ, kept)
        while selector.get_map():
            if stopping():
                _ask_to_end(process, tree)
                raise Interrupted("the run was stopped")
            if process.poll() is not None:
                _kill(process, tree)  # what it left behind would keep the pipes open
            for key, _ in selector.select(LOOK_EVERY_S):
                if not _read(key.fileobj, key.data):  # type: ignore[arg-type]
                    selector.unregister(key.fileobj)
            del err[:-MOST_STDERR]
            if len(out) > program.most_output:
                raise TooMuch(f"the program {program.shown} wrote more than {program.most_output:,} bytes")
        while (exit_code := process.poll()) is None:  # it has closed its output, and goes on
            if stopping():
                _ask_to_end(process, tree)
                raise Interrupted("the run was stopped")
            time.sleep(LOOK_EVERY_S / 5)
    return Ended(exit_code, bytes(out), bytes(err))


def _read(stream: IO[bytes], kept: bytearray) -> bool:
    """False at its end."""
    try:
        piece = os.read(stream.fileno(), 1 << 16)
    except BlockingIOError:
        return True
    kept += piece
    return bool(piece)


def _ask_to_end(process: "subprocess.Popen[bytes]", tree: str) -> None:
    """SIGTERM to all of it, and some time."""
    _signal(process, tree, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(TERM_S)


def _end_tree(process: "subprocess.Popen[bytes]", tree: str) -> None:
    """Nothing of it is left when this returns."""
    _kill(process, tree)
    process.wait()
    for stream in (process.stdout, process.stderr):
        if stream is not None:
            stream.close()


def _kill(process: "subprocess.Popen[bytes]", tree: str) -> None:
    """Again and again, for what is started meanwhile."""
    while _signal(process, tree, signal.SIGKILL):
        time.sleep(0.002)


def _signal(process: "subprocess.Popen[bytes]", tree: str, number: signal.Signals) -> bool:
    """False when nothing is left to signal."""
    found = _of_tree(tree)
    if process.poll() is None:  # not reaped yet, so its id is still its own
        found.add(process.pid)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
    sent = False
    for pid in found:
        with suppress(ProcessLookupError, PermissionError):  # it is gone, or runs as somebody else
            os.kill(pid, number)
            sent = True
    return sent


def _of_tree(tree: str) -> set[int]:
    """All processes of this account with the mark in their environment; a dead one has none."""
    mark, found = f"{TREE}={tree}".encode(), set()
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended, or is not ours
            if mark in (entry / "environ").read_bytes().split(b"\0"):
                found.add(int(entry.name))
    return found
