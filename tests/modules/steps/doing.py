"""A step in a process of its own, which a test kills."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from idms_cli.errors import IdmsError
from tests.modules.steps.stand import Stand

LONGEST_S = 60.0


def killed_when(condition: Callable[[], Any], stand: Stand, step: Mapping[str, Any]) -> None:
    """Do the step in another process, and `kill -9` it once the condition holds."""
    arguments = [sys.executable, "-m", "tests.modules.steps.doing", str(stand.directory), stand.url, json.dumps(step)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    with subprocess.Popen(arguments, env=environment, stderr=subprocess.PIPE, text=True) as process:
        limit = time.monotonic() + LONGEST_S
        while not condition():
            if process.poll() is not None:
                raise AssertionError(f"it ended by itself: {process.stderr.read() if process.stderr else ''}")
            assert time.monotonic() < limit, "it never came so far"
            time.sleep(0.01)
        process.kill()
        assert process.wait() == -signal.SIGKILL


if __name__ == "__main__":
    _, directory, url, step = sys.argv
    try:
        Stand(Path(directory), url).run(json.loads(step))
    except IdmsError as error:
        sys.exit(str(error))
