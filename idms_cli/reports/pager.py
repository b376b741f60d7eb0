"""Long output goes through the pager of the person who reads it, on a terminal only."""

import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import chain, islice
from typing import TextIO

NO_PAGERS = ("", "cat")


def print_paged(lines: Iterable[str], out: TextIO) -> None:
    """Print lines; through $PAGER (else `less`) where a terminal `out` has fewer. Lines are made harmless already."""
    rest = iter(lines)
    command = pager(os.environ) if out.isatty() and sys.stdin.isatty() else []  # without keys nobody could leave it
    first = list(islice(rest, shutil.get_terminal_size().lines)) if command else []
    if len(first) < shutil.get_terminal_size().lines or not _through(command, chain(first, rest), out):
        out.writelines(f"{line}\n" for line in chain(first, rest))


def pager(environment: "os._Environ[str]") -> list[str]:
    """The command; empty where none is wanted, or there is none."""
    wanted = environment.get("PAGER", "less")
    with suppress(ValueError):  # a quote that is not closed
        words = shlex.split(wanted)
        if wanted not in NO_PAGERS and words and shutil.which(words[0]):
            return words
    return []


def _through(command: list[str], lines: Iterator[str], out: TextIO) -> bool:
    """False when the pager could not be started."""
    environment = {"LESS": "FRX", **os.environ}
    if "SUDO_UID" in os.environ:
        environment["LESSSECURE"] = "1"  # who may look with another's rights must not get a shell with them
    out.flush()
    try:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=out, env=environment, text=True, errors="backslashreplace"
        )
    except OSError:
        return False
    assert process.stdin is not None  # noqa: S101 - it is a pipe
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # the pager's own: it ends a search with it
    try:
        with suppress(BrokenPipeError):  # they have seen enough
            process.stdin.writelines(f"{line}\n" for line in lines)
        with suppress(BrokenPipeError):
            process.stdin.close()
        process.wait()
    finally:
        signal.signal(signal.SIGINT, before)
    return True
