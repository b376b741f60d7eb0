"""Transfers killed at random moments: every changed row arrives, none is forgotten, no file comes twice or in part.

A failure prints its seed; `IDMS_SEED=n` replays rows and choices as far as timing allows.
"""

import json
import os
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from idms_cli.history.rows import Run
from tests.conftest import SOAK, Place

KILLS = 50 if SOAK else 2
"""Of each of two in the long form: 100 in all. `transfers/test_kills.py` has more, without the command around it."""

JOB = """\
description: Changes of members for a partner
module: transfer
with:
  source: {path: members.csv}
  add: {Full: {template: "{{ Name }} ({{ ID }})"}}
  delta: {key: ID, vanished: true}
  steps:
    - {to: out, file: "{{ run.id }}.jsonl", overwrite: %s}
    - {to: copy, file: "{{ run.id }}-{{ batch }}.csv", batch: 40}
"""

ARRIVED = "the file has arrived"

MOMENTS = ("taken.json", "rows.spool.columns", "selected.spool", "delta.db", "delta.jsonl.columns", "steps.json",
           "step-1/parcels.json", "step-1/placed.json", ARRIVED, "step-2", "step-2/placed.json",
           "outcome.json")  # fmt: skip
"""Files of a run after whose appearance somebody is killed."""

WHOM = ("worker", "supervisor", "all")


@dataclass
class Feed:
    """A partner who reads every file once and takes it away, and the members that he knows so."""

    place: Place
    chance: random.Random
    members: dict[str, str] = field(default_factory=dict)
    known: dict[str, str] = field(default_factory=dict)
    read: set[str] = field(default_factory=set)
    figures: Counter[str] = field(default_factory=Counter)

    def change(self) -> None:
        """Some members come, some change their names, some go."""
        for number in self.chance.sample(range(300), 60):
            member = str(1000 + number)
            if member in self.members and self.chance.random() < 0.3:
                del self.members[member]
            else:
                self.members[member] = f"Name {self.chance.randrange(1 << 30)}"
        lines = ["ID,Name", *(f"{member},{name}" for member, name in self.members.items()), ""]
        self.place.write("members.csv", "\n".join(lines))

    def fetch(self) -> None:
        """Read what has arrived, in the order of the runs. Fails for half a file, and for one that comes again."""
        arrived = (self.place.directory / "out").glob("[0-9]*")
        for path in sorted(arrived, key=lambda path: int(path.stem)):
            assert path.name not in self.read, f"{path.name} came again"
            self.read.add(path.name)
            for row in map(json.loads, path.read_text().splitlines()):
                if row["change"] == "vanished":
                    self.known.pop(row["ID"], None)
                else:
                    assert row["Full"] == f"{row['Name']} ({row['ID']})"
                    self.known[row["ID"]] = row["Name"]
            path.unlink()

    def kill(self, moment: str, whom: str) -> None:
        """Run the job, kill somebody at a moment, fetch what there is, and go on until nothing is open."""
        before = {run.id for run in self.place.runs()}
        number = max(before, default=0) + 1
        directory = self.place.state / "runs" / str(number)
        awaited = self.place.directory / f"out/{number}.jsonl" if moment == ARRIVED else directory / moment
        started = self.place.start("run", "feed")
        while started.poll() is None and not awaited.exists():
            time.sleep(0.001)
        time.sleep(self.chance.choice((0, 0, 0.002, 0.01)))
        victims = list(self._victims(whom))
        for pid in victims:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.figures.update(("kills", moment) if victims else ())
        self._see_out(started)
        self.fetch()
        for _ in range(5):
            if not any(run.is_open for run in self._new(before)):
                break
            self.place.idms("run-due", "--wait")
            self.place.settled()
        for run in self._new(before):
            assert not run.is_open, run
            self.figures[run.status] += 1

    def _new(self, before: set[int]) -> list[Run]:
        return [run for run in self.place.runs() if run.id not in before]

    def _victims(self, whom: str) -> Iterator[int]:
        for pid in self.place.processes():
            with suppress(OSError):
                words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
                if whom in ("all", "worker" if b"work" in words else "supervisor"):
                    yield pid

    def _see_out(self, started: "subprocess.Popen[str]") -> None:
        started.communicate(timeout=90)
        self.place.settled()


@pytest.fixture
def seed() -> int:
    seed = int(os.environ.get("IDMS_SEED") or random.randrange(1 << 32))
    print(f"IDMS_SEED={seed}")  # shown when it fails
    return seed


def prepared(place: Place, seed: int, overwrite: str) -> Feed:
    place.write("jobs.d/feed.yaml", JOB % overwrite)
    for folder in ("out", "copy"):
        (place.directory / folder).mkdir()
    return Feed(place, random.Random(seed))


@pytest.mark.slow
@pytest.mark.parametrize("overwrite", ["replace", "refuse"] if SOAK else ["refuse"])
def test_kills_at_random_moments_of_a_transfer_lose_no_change_and_send_none_twice(
    place: Place, seed: int, overwrite: str
) -> None:
    feed = prepared(place, seed, overwrite)
    while feed.figures["kills"] < KILLS:
        feed.change()
        feed.kill(feed.chance.choice(MOMENTS), feed.chance.choice(WHOM))
        feed.fetch()
    feed.change()
    assert place.idms("run", "feed").returncode == 0
    feed.fetch()
    assert feed.known == feed.members
    assert [path for folder in ("out", "copy") for path in (place.directory / folder).glob(".*")] == []
    print(dict(feed.figures))
