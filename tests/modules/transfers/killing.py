"""A transfer killed again and again, in a process of its own: `python -m tests.modules.transfers.killing FOLDER 20 7`.

The numbers are those of kills and of the seed. Each round some rows change, a child runs the transfer and is killed,
and the run is gone on with here. Prints how often it was killed where; ends with an error for a change that is lost,
and for a file that comes again or in part. A fourth word, `forgetful`, takes an idms that does not note which files it
has put in their place, and kills it when one has arrived.
"""

import json
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from idms_cli.delivery.placing import Placing
from tests.modules.transfers.dock import Dock

JOB = """\
source: {path: data.csv}
add: {Full: {template: "{{ Name }} ({{ ID }})"}}
delta: {key: ID, vanished: true}
steps:
- {to: out, file: "{{ run.id }}.jsonl", overwrite: number}
- {to: copy, file: "{{ run.id }}-{{ batch }}.csv", batch: 7, overwrite: refuse}
"""

ARRIVED = "../out/{}.jsonl"
AWAITED = (ARRIVED, "taken.json", "rows.spool", "rows.spool.columns", "selected.spool.columns", "delta.db",
           "delta.jsonl.columns", "values.json", "steps.json", "step-1/files", "step-1/parcels.json",
           "step-1/placed.json", "step-2", "step-2/parcels.json", "step-2/placed.json")  # fmt: skip


class Killing:
    """See the module."""

    def __init__(self, directory: Path, chance: random.Random, awaited: Sequence[str] = AWAITED) -> None:
        self.awaited = awaited
        self.dock = Dock(directory, "http://127.0.0.1:9")
        self.chance = chance
        self.members: dict[str, str] = {}
        self.known: dict[str, str] = {}
        self.figures: Counter[str] = Counter()
        (directory / "copy").mkdir()

    def round(self) -> None:
        """One run: killed, gone on with, fetched after each."""
        self._change()
        number = self.dock.runs + 1
        directory = self.dock.directory / f"run{number}"
        directory.mkdir()
        self.dock.runs = number
        self._kill(directory, number)
        self._fetch()
        sent = self.dock.send(JOB, again=directory, run_id=number)
        assert sent.outcome.status == "completed", sent.outcome
        self._fetch()
        assert self.known == self.members
        left = [path for name in ("out", "copy") for path in (self.dock.directory / name).glob(".*")]
        assert left == [], left

    def _change(self) -> None:
        for member in map(str, self.chance.sample(range(100, 160), 20)):
            if member in self.members and self.chance.random() < 0.3:
                del self.members[member]
            else:
                self.members[member] = f"Name {self.chance.randrange(1 << 30)}"
        self.dock.write("".join(["ID,Name\n", *(f"{member},{name}\n" for member, name in self.members.items())]))

    def _kill(self, directory: Path, number: int) -> None:
        awaited = self.chance.choice(self.awaited)
        path = directory / awaited.format(number)
        child = os.fork()
        if child == 0:
            try:
                self.dock.send(JOB, again=directory, run_id=number)
            finally:
                os._exit(0)
        while not path.exists() and os.waitpid(child, os.WNOHANG)[0] == 0:
            time.sleep(0.0002)
        time.sleep(self.chance.choice((0, 0, 0.0005, 0.003)))
        try:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        except (ProcessLookupError, ChildProcessError):
            return  # it was over before
        self.figures[awaited] += 1

    def _fetch(self) -> None:
        for path in sorted(self.dock.out.glob("[0-9]*")):
            seen = self.dock.directory / f"seen-{path.stem}"
            assert not seen.exists(), f"{path.name} came again"
            seen.touch()
            for row in map(json.loads, path.read_text().splitlines()):
                if row["change"] == "vanished":
                    self.known.pop(row["ID"], None)
                else:
                    assert row["Full"] == f"{row['Name']} ({row['ID']})"
                    self.known[row["ID"]] = row["Name"]
            path.unlink()


def forget() -> None:
    """See the module."""

    def begin(placing: Placing, _folder: Path) -> None:
        placing.done, placing.intent = [], None

    Placing.__init__ = begin  # type: ignore[method-assign, assignment]
    Placing._write = lambda _: None  # type: ignore[method-assign, assignment, misc]


def main(directory: Path, kills: int, seed: int, *, is_forgetful: bool) -> None:
    if is_forgetful:
        forget()
    killing = Killing(directory, random.Random(seed), (ARRIVED,) if is_forgetful else AWAITED)
    while killing.figures.total() < kills:
        killing.round()
    print(json.dumps(killing.figures))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), is_forgetful="forgetful" in sys.argv)
