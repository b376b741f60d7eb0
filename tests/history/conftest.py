"""A store to remember things in, and other processes that use the same one at the same time."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from idms_cli.history.rows import NewRun
from idms_cli.history.store import Store

WAITS_FOR_THE_OTHERS = """
import sys
from pathlib import Path
from idms_cli.history.rows import NewRun
from idms_cli.history.store import Store
state, number = Path(sys.argv[1]), int(sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def store(state: Path) -> Iterator[Store]:
    with Store(state) as opened:
        yield opened


@pytest.fixture
def new_run(store: Store) -> NewRun:
    """What a run of the job `scores` needs to be created."""
    return NewRun(job="scores", definition=store.runs.remember("/etc/idms/jobs.d/scores.yaml", "module: import\n"))


@pytest.fixture
def in_processes(state: Path) -> Callable[[int, str], list[str]]:
    """Run a piece of Python in so many processes at the same moment; gives what each of them printed.

    The code finds `Store`, `NewRun`, `state` and its own `number`.
    """

    def run(processes: int, code: str) -> list[str]:
        started = [
            subprocess.Popen(
                [sys.executable, "-c", WAITS_FOR_THE_OTHERS + code, str(state), str(number)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            for number in range(processes)
        ]
        for process in started:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n", process.communicate()
        for process in started:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        told = [process.communicate(timeout=60)[0] for process in started]
        assert [process.returncode for process in started] == [0] * processes, told
        return told

    return run
