"""A day lived by the real tick, minute by minute: a pretended clock, workers whose end is given, and no senders."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from idms_cli.config.settings import Settings, read_settings
from idms_cli.dispatch import launch, probing, senders
from idms_cli.dispatch.ending import end_run
from idms_cli.dispatch.glance import had_nothing_to_do
from idms_cli.dispatch.launch import Started, hand_over
from idms_cli.dispatch.locks import Lock
from idms_cli.dispatch.tick import tick
from idms_cli.history.rows import NewRun, Run
from idms_cli.history.store import Store
from tests.dispatch.year.product import PretendedTime

JOB = """\
description: {name}
module: import
schedule: {{cron: "{cron}", grace: {grace}}}
with:
  source: {{path: {name}.csv}}
  destination: {{panel: ABC_Scores}}
  action: upsert
  match: [ID, Course]
  map: {{ID: member, Course: course, Grade: grade}}
"""
START = int(datetime(2026, 11, 30, tzinfo=UTC).timestamp())
MINUTE, HOUR = 60, 3600
TAKES_S = MINUTE

Fate = Callable[[int], Mapping[str, Any]]
"""What a run of the slot in this hour of the day comes to."""


class Day:
    """An installation on Monday, 30 November 2026, UTC."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch, settings: Mapping[str, Any]) -> None:
        (folder / "jobs.d").mkdir()
        (folder / "idms.yaml").write_text(json.dumps(settings))
        self.settings: Settings = read_settings(folder / "idms.yaml")
        self.store = Store(self.settings.state)
        self.sent: list[str] = []
        """`03:06 ops opened flaky`, in their order."""
        self._folder = folder
        self._fates: dict[str, Fate] = {}
        self._time = PretendedTime(START - MINUTE, booted=START - HOUR)
        self._workers: dict[int, tuple[Started, int]] = {}
        for module in ("idms_cli.dispatch.glance", "idms_cli.history.ticks"):
            patch.setattr(f"{module}.time", self._time)
        patch.setattr(launch, "spawn", self._begin)
        patch.setattr(probing, "_spawn_probe", lambda *_: None)
        patch.setattr(senders, "_spawn", self._send)

    def job(self, name: str, cron: str, fate: Fate, more: str = "", *, grace: str = "6h") -> None:
        self._fates[name] = fate
        (self._folder / f"jobs.d/{name}.yaml").write_text(f"{JOB.format(name=name, cron=cron, grace=grace)}{more}\n")

    def live(self, until: str, *, do: Mapping[str, Callable[[], object]], silent: tuple[str, str]) -> None:
        """Tick each minute, but from `silent[0]` to `silent[1]`, and do what is to be done at a time of the day."""
        end = START + _minutes(until) * MINUTE
        while self._time.true < end:
            self._time.true += MINUTE
            clock = f"{self.now:%H:%M}"
            if clock in do and self._time.true < START + 24 * HOUR:
                do[clock]()
            self._end_those_that_end()
            if silent[0] <= clock < silent[1]:
                continue
            if not had_nothing_to_do(str(self.settings.path)):
                tick(self.store, self.settings, self.now)

    @property
    def now(self) -> datetime:
        return datetime.fromtimestamp(self._time.true, UTC)

    @property
    def seconds(self) -> float:
        return float(self._time.true)

    def by_hand(self, job: str, result: Mapping[str, Any]) -> None:
        """Somebody runs it, and that is how it ends."""
        digest = self.store.runs.remember(f"{job}.yaml", "module: import")
        with self.store.database.write() as connection:
            run = self.store.runs.create(connection, NewRun(job, digest, by_hand=True), self.seconds)
            self.store.runs.start(connection, run, self.seconds)
        assert end_run(self.store, self.run(run), self.seconds, result)

    def run(self, run: int) -> Run:
        found = self.store.runs.one(run)
        assert found
        return found

    def approve(self, job: str) -> None:
        held = self.store.runs.last_of_each_job()[job]
        with self.store.database.write() as connection:
            assert self.store.runs.approve(connection, held.id, "anna", self.seconds)

    def broken(self) -> list[str]:
        return [name for name, row in self.store.catalog.all().items() if row.problems]

    def close(self) -> None:
        for started, _ in self._workers.values():
            started.release()
        self.store.close()

    def _begin(self, started: Started, settings: Settings, directory: Path) -> None:
        del settings, directory
        self._workers[started.run.id] = started, self._time.true + TAKES_S

    def _end_those_that_end(self) -> None:
        for run, (started, ends) in sorted(self._workers.items()):
            if ends <= self._time.true:
                del self._workers[run]
                due = started.run.due
                assert due is not None
                decided = self.run(run).decided_by is not None
                fate = {"status": "completed"} if decided else self._fates[started.run.job](due.hour)
                end_run(self.store, started.run, self.seconds, {"exit_code": 0, **fate})
                started.release()
                hand_over(self.store, self.settings, self.seconds)

    def _send(self, state: Path, settings: Settings, channel: str, lock: Lock) -> None:
        """As the process does that the tick starts: all is sent."""
        del state, settings
        while (queued := self.store.outbox.next(channel, self.seconds)) is not None:
            self.store.outbox.begin(queued.id, "")
            self.store.outbox.handed(queued.id)
            self.store.outbox.sent(queued.id, self.seconds)
            self.sent.append(f"{queued.created_at:%H:%M} {channel} {queued.kind} {queued.job}".rstrip())
        lock.release()


def _minutes(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)
