"""A delivery in a process of its own, which somebody kills."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.delivery.cargo import SampleCargo, delivery, destination

LONGEST_S = 60.0


def killed_when(condition: Callable[[], bool], step: str, file: Path, directory: Path) -> None:
    """Deliver in another process, and `kill -9` it once the condition holds."""
    process_killed_when(condition, "tests.delivery.killing", step, str(file), str(directory))


def process_killed_when(condition: Callable[[], Any], module: str, *arguments: str) -> None:
    """Run a module of the tests in another process, and `kill -9` it once the condition holds."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-m", module, *arguments]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        limit = time.monotonic() + LONGEST_S
        while not condition():
            if process.poll() is not None:
                raise AssertionError(f"it ended by itself: {process.stderr.read() if process.stderr else ''}")
            assert time.monotonic() < limit, "it never came so far"
            time.sleep(0.01)
        process.kill()
        assert process.wait() == -signal.SIGKILL


if __name__ == "__main__":
    _, step, file, directory = sys.argv
    destination(step, Path(directory)).deliver(SampleCargo([Path(file)]), delivery(Path(directory)))
