"""Deliveries in processes of their own, which a test kills: forked from one that has loaded everything.

A line of JSON on stdin, {"step": YAML, "directory": ..., "rows": 30}, starts one; its process id is printed, and, when
it has ended, how: what it gave or raised, or the number of the signal that ended it.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from idms_cli.delivery.calls.options import WebOptions
from idms_cli.errors import IdmsError
from tests.delivery.cargo import delivery, destination
from tests.delivery.sending import rows


class Nursery:
    """Starts deliveries in processes of their own."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def start(self, step: str, directory: Path, count: int, *, blind: bool = False) -> int:
        """Begin one; its process id. A blind one sends again what was on its way, whether or not that does harm."""
        assert self._process.stdin
        assert self._process.stdout
        wanted = {"step": step, "directory": str(directory), "rows": count, "blind": blind}
        self._process.stdin.write(json.dumps(wanted) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def ended(self) -> str:
        """How the last one ended: `-9` if it was killed, else what it said."""
        assert self._process.stdout
        return self._process.stdout.readline().strip()


@contextmanager
def nursery() -> Iterator[Nursery]:
    root = Path(__file__).parent.parent.parent
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.delivery.nursery"],
        cwd=root,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Nursery(process)
    finally:
        assert process.stdin
        process.stdin.close()
        process.wait(30)
        assert process.stdout
        process.stdout.close()


def _deliver(wanted: dict[str, Any]) -> str:
    directory = Path(wanted["directory"])
    if wanted["blind"]:
        WebOptions.is_repeatable = True  # type: ignore[assignment, method-assign]
    try:
        receipt = destination(wanted["step"], directory).deliver(rows(wanted["rows"]), delivery(directory))
    except IdmsError as error:
        return f"{type(error).__name__}: {error}"
    return f"Receipt: {receipt.items}"


def _serve() -> None:
    for line in sys.stdin:
        wanted = json.loads(line)
        told = Path(wanted["directory"]) / "told"
        child = os.fork()
        if not child:
            told.write_text(_deliver(wanted))
            os._exit(0)
        print(child, flush=True)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        print(told.read_text() if status == 0 else status, flush=True)


if __name__ == "__main__":
    _serve()
