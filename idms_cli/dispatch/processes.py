"""A whole tree of processes: find it, ask it to end, end it.

A process group is not enough: a child that makes a session of its own leaves the group, and a double-forked daemon
leaves its parent. As a subreaper we inherit both, so that everything below is ours to find.
"""

import ctypes
import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

PR_SET_PDEATHSIG = 1  # linux/prctl.h
PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans() -> None:
    """Make this process the parent of every descendant whose own parent dies."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent(parent: int) -> None:
    """Ask the kernel to kill this process when its parent `parent` dies; at once if it is dead already."""
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def descendants(root: int | None = None) -> Iterator[int]:
    """Every process below `root` (default: this one), parents before children."""
    for pid in children(root or os.getpid()):
        yield pid
        yield from descendants(pid)


def signal_tree(number: signal.Signals) -> bool:
    """Send a signal to every descendant; False when there is none left."""
    found = False
    for pid in list(descendants()):
        with suppress(ProcessLookupError, PermissionError):  # it is gone, or runs as somebody else: not ours to end
            os.kill(pid, number)
            found = True
    return found


def kill_tree() -> None:
    """End every descendant for good, those that are forked meanwhile included."""
    while signal_tree(signal.SIGKILL):
        with suppress(ChildProcessError):
            os.waitpid(-1, 0)


def children(pid: int) -> Iterator[int]:
    """The processes that `pid` started or adopted."""
    with suppress(OSError):  # it ended meanwhile
        for task in Path(f"/proc/{pid}/task").iterdir():
            with suppress(OSError):
                yield from map(int, (task / "children").read_text().split())


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl failed")
