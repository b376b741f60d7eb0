"""Workflows killed at random moments: what each step does happens once, whatever dies, and no step is left out.

A failure prints its seed; `IDMS_SEED=n` replays rows and choices as far as timing allows.
"""

import csv
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from idms_cli.history.rows import Run
from idms_cli.sandbox import Sandbox
from tests.conftest import SOAK, Place, courses

KILLS = 100 if SOAK else 2

JOB = """\
description: Scores from their file to everybody who counts them
module: workflow
with:
  steps:
    - name: scores
      run: scores
    - name: found
      query: $/Idms/Scores
    - name: ours
      filter: "{{ row.Course == 'Soaking' }}"
    - name: short
      select: [ID, Grade]
    - name: fresh
      delta: {key: ID}
    - name: nothing
      gate: "{{ fresh|length == 0 }}"
    - name: listed
      file: {to: out, file: "{{ run.id }}.csv", overwrite: refuse}
      from: fresh
    - name: sent
      deliver: {to: copy, file: "{{ run.id }}-{{ batch }}.csv", batch: 20, overwrite: refuse}
      from: fresh
"""

STEPS = ("scores", "found", "ours", "short", "fresh", "nothing", "listed", "sent")

MOMENTS = (
    "input.json", "steps/scores/journal.db", "steps/scores/outcome.json",
    *(f"steps/{name}/step.json" for name in STEPS),
    "steps/fresh/delta.db", "steps/listed/parcels.json", "steps/listed/placed.json", "steps/sent/parcels.json",
    "steps/sent/placed.json", "workflow.json", "outcome.json",
)  # fmt: skip
"""Files of a run after whose appearance somebody is killed."""

WHOM = ("worker", "supervisor", "all")


@dataclass
class Rounds:
    """A file that grows, and two folders that are read after each kill."""

    place: Place
    chance: random.Random
    rows: dict[str, str] = field(default_factory=dict)
    read: dict[str, dict[str, str]] = field(default_factory=lambda: {"out": {}, "copy": {}})
    seen: set[Path] = field(default_factory=set)
    figures: Counter[str] = field(default_factory=Counter)

    def grow(self) -> None:
        for member in self.chance.sample(range(101, 301), 15):
            self.rows[str(member)] = self.chance.choice("ABC")
        lines = [f"{member},Soaking,{grade}" for member, grade in self.rows.items()]
        self.place.write("scores.csv", "\n".join(["member,course,grade", *lines, ""]))

    def kill(self, moment: str, whom: str) -> None:
        before = {run.id for run in self.place.runs()}
        directory = self.place.state / "runs" / str(max(before, default=0) + 1)
        started = self.place.start("run", "flow")
        while started.poll() is None and not (directory / moment).exists():
            time.sleep(0.001)
        time.sleep(self.chance.choice((0, 0, 0.002, 0.01, 0.05)))
        victims = list(self._victims(whom))
        for pid in victims:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.figures.update(("kills", moment) if victims else ())
        started.communicate(timeout=90)
        self.place.settled()
        for _ in range(5):
            if not any(run.is_open for run in self._new(before)):
                break
            self.place.idms("run-due", "--wait")
            self.place.settled()
        for run in self._new(before):
            assert (run.status, run.reason) in (("completed", ""), ("completed", NOTHING)), run
            self.figures[run.status] += 1

    def fetch(self) -> None:
        """Read what has arrived; fails for what comes twice without having changed."""
        for folder, known in self.read.items():
            arrived = [path for path in (self.place.directory / folder).glob("[0-9]*") if path not in self.seen]
            for path in sorted(arrived, key=lambda path: [*map(int, path.stem.split("-"))]):
                self.seen.add(path)
                with path.open(encoding="utf-8-sig", newline="") as stream:
                    for row in csv.DictReader(stream):
                        assert known.get(row["ID"]) != row["Grade"], f"{path}: {row} came again"
                        known[row["ID"]] = row["Grade"]

    def _new(self, before: set[int]) -> list[Run]:
        return [run for run in self.place.runs() if run.id not in before]

    def _victims(self, whom: str) -> Iterator[int]:
        for pid in self.place.processes():
            with suppress(OSError):
                words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
                if whom in ("all", "worker" if b"work" in words else "supervisor"):
                    yield pid


NOTHING = "ended by step nothing: the condition holds"


@pytest.mark.slow
def test_kills_at_random_moments_of_a_workflow_do_no_step_twice_and_leave_none_out(place: Place, site: Sandbox) -> None:
    seed = int(os.environ.get("IDMS_SEED") or random.randrange(1 << 32))
    print(f"IDMS_SEED={seed}")  # shown when it fails
    place.job("scores")
    place.write("jobs.d/flow.yaml", JOB)
    for folder in ("out", "copy"):
        (place.directory / folder).mkdir()
    rounds = Rounds(place, random.Random(seed))
    while rounds.figures["kills"] < KILLS:
        rounds.grow()
        rounds.kill(rounds.chance.choice(MOMENTS), rounds.chance.choice(WHOM))
        rounds.fetch()
        assert rounds.read == {"out": rounds.rows, "copy": rounds.rows}
    ours = {member: number for (member, course), number in courses(site).items() if course == "Soaking"}
    assert ours == dict.fromkeys(rounds.rows, 1)
    print(dict(rounds.figures))
