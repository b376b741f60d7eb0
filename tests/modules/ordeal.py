"""Imports that are killed at random moments and gone on with, and held against what is on the site."""

import csv
import os
import random
import signal
import subprocess
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from idms_cli.history.rows import Run
from idms_cli.records.counts import Counts
from idms_cli.sandbox import Sandbox
from tests.conftest import Place, until
from tests.modules.shelves import Cells, Shelf

NEW, OLD = 8, 4
"""Rows of each file: for records that are not there yet, and for some of the file before, with another value."""

MEMBERS = [str(101 + index) for index in range(NEW)]

ATTEMPTS = 8
"""How often a run is gone on with, and rejects are fed back, before a record counts as lost."""

WHOM = ("worker", "supervisor", "all")


class Doubled(AssertionError):
    """Records that are on the site more than once."""


@dataclass(frozen=True)
class Round:
    """One file on its way into the site, and what was there before."""

    shelf: Shelf
    rows: list[Cells]
    present: int
    """Records on the site."""
    changes: int
    """Writes that changed something."""
    runs: int


@dataclass
class Ordeal:
    """See the module. `figures` counts what happened."""

    place: Place
    site: Sandbox
    chance: random.Random
    figures: Counter[str] = field(default_factory=Counter)
    _files: int = 0
    _last: dict[str, list[Cells]] = field(default_factory=dict)

    def round(self, shelf: Shelf, *, kills: int = 0) -> None:
        """Import one file, killed as often, until it is done. Fails for a record that is doubled, lost or untold."""
        begun = Round(
            shelf=shelf,
            rows=self._write_file(shelf),
            present=len(self.site.rows(shelf.entity)),
            changes=shelf.changes(self.site),
            runs=len(self.place.runs()),
        )
        self._carry(begun, kills)
        self._refuse_doubles(begun)
        self._refuse_untruth(begun)
        self._feed_back(begun)
        self._refuse_doubles(begun)
        self._count(begun)
        self.figures["records"] += len(begun.rows)

    def _write_file(self, shelf: Shelf) -> list[Cells]:
        older = self._last.get(shelf.job) or shelf.stock(self.site, MEMBERS)
        self._files += 1
        label, value = f"Round {self._files}", str(self._files)
        new = [
            {"member": member, "label": label, "email": f"{member}.{self._files}@example.org", "value": value}
            for member in MEMBERS
        ]
        rows = [*({**row, "value": value} for row in older[:OLD]), *new]
        self.chance.shuffle(rows)
        self._last[shelf.job] = new
        self.place.write(f"jobs.d/{shelf.job}.yaml", shelf.text)
        self.place.write(
            f"{shelf.job}.csv", "\n".join([",".join(new[0]), *(",".join(row.values()) for row in rows), ""])
        )
        return rows

    def _carry(self, begun: Round, kills: int) -> None:
        """Run the job; kill it, and go on with it, until nothing is open."""
        started = self.place.start("run", begun.shelf.job)
        for _ in range(kills):
            self._kill(started, begun)
            run = next((run for run in self._runs(begun) if run.is_open), None)
            if run is None:
                break
            started = self.place.start(*self.chance.choice([("run-due", "--wait"), ("resume", str(run.id))]))
        self._see_out(started)
        for _ in range(ATTEMPTS):
            if not any(run.is_open for run in self._runs(begun)):
                return
            self.place.idms("run-due", "--wait")
            self.place.settled()
        pytest.fail(f"a run is still open: {self._runs(begun)[-1]}")

    def _kill(self, started: "subprocess.Popen[str]", begun: Round) -> None:
        """Wait for a moment of the import, and kill whom the dice name; nobody, when it is over before."""
        calls = self._calls() + self.chance.choice((0, *range(2 * (NEW + OLD))))
        pause_s = self.chance.uniform(0, 0.8 if calls == self._calls() else 0.05)
        whom = self.chance.choice(WHOM)
        until(lambda: started.poll() is not None or self._calls() >= calls)
        with suppress(subprocess.TimeoutExpired):
            started.wait(timeout=pause_s)
        changes = begun.shelf.changes(self.site) - begun.changes
        victims = self._victims(whom)
        for pid in victims:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._see_out(started)
        if victims:
            when = "before the first write" if not changes else "between" if changes < NEW + OLD else "after the last"
            self.figures.update(("kills", f"of {whom}", when))

    def _victims(self, whom: str) -> list[int]:
        """Process ids: of the worker, of what stands over it, or of everything, in any order."""
        found = []
        for pid in self.place.processes():
            with suppress(OSError):
                words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
                role = "worker" if b"work" in words else "tick" if b"run-due" in words else "supervisor"
                found += [pid] if whom in (role, "all") else []
        self.chance.shuffle(found)
        return found

    def _see_out(self, started: "subprocess.Popen[str]") -> None:
        started.communicate(timeout=90)
        self.place.settled()

    def _feed_back(self, begun: Round) -> None:
        """What was rejected is tried again, and a run that had no plan is run again, until all is done."""
        for _ in range(ATTEMPTS):
            run = next(reversed(self._runs(begun)), None)
            if run is not None and run.status == "completed":
                return
            again = ("retry", str(run.id), "--rejected") if run and self._rejects(run) else ("run", begun.shelf.job)
            self.place.idms(*again)
            self.figures[f"then {again[0]}"] += 1
        pytest.fail(f"its rejects never came to an end: {self._runs(begun)[-1]}")

    def _refuse_doubles(self, begun: Round) -> None:
        times = Counter(key for key, _ in begun.shelf.found(self.site))
        doubled = {begun.shelf.key(row): times[begun.shelf.key(row)] for row in begun.rows}
        if found := {key: number for key, number in doubled.items() if number > 1}:
            raise Doubled(found)

    def _refuse_untruth(self, begun: Round) -> None:
        """What the run says is done is on the site, and what it says was not sent is not."""
        run = next(iter(self._runs(begun)), None)
        rejects = self._rejects(run) if run else []
        if run is None or (run.status != "completed" and not rejects):
            assert begun.shelf.changes(self.site) == begun.changes, f"it never had a plan: {run}"
            return
        codes = {begun.shelf.key(row): row["_code"] for row in rejects}
        there = set(begun.shelf.found(self.site))
        self.figures.update(f"rejected as {code}" for code in codes.values())
        for row in begun.rows:
            key = begun.shelf.key(row)
            told, is_there = codes.get(key, "done"), (key, row["value"]) in there
            assert told != "done" or is_there, f"lost: {row} of {run}"
            assert told != "not-sent" or not is_there, f"sent after all: {row} of {run}"

    def _count(self, begun: Round) -> None:
        """Each record is there, with its value, by one write; no other record came or went; the counts add up."""
        shelf = begun.shelf
        values = dict(shelf.found(self.site))
        wanted = {shelf.key(row): row["value"] for row in begun.rows}
        assert {key: values.get(key) for key in wanted} == wanted
        assert shelf.changes(self.site) - begun.changes == len(begun.rows)
        assert len(self.site.rows(shelf.entity)) - begun.present == NEW
        for run in self._runs(begun):
            assert not run.is_open, run
            assert Counts.of(dict(run.counts)).add_up, run

    def _runs(self, begun: Round) -> list[Run]:
        return self.place.runs()[begun.runs :]

    def _rejects(self, run: Run) -> list[Cells]:
        path = self.place.state / f"runs/{run.id}/rejects.csv"
        if not path.exists():
            return []
        with path.open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file))

    def _calls(self) -> int:
        total: int = self.site.calls["total"]
        return total
