"""Commands called in this process: as a person would type them, and what they then read."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from idms_cli.cli import run
from idms_cli.dispatch.locks import Lock, run_lock, take
from idms_cli.history.rows import NewRun
from idms_cli.history.store import Store

SETTINGS = """\
connections:
  test: {url: "http://127.0.0.1:9", username: idms-background, password: {env: IDMS_TEST_PASSWORD}}
"""
GOOD = """\
description: Scores
module: import
with:
  source: {path: scores.csv}
  destination: {panel: ABC_Scores}
  action: upsert
  match: [ID, Course]
  map: {ID: member, Course: course, Grade: grade}
"""


@dataclass(frozen=True)
class Told:
    """What a command left: its exit code, and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err


class Desk:
    """An idms.yaml with one good job beside it, and the command line."""

    def __init__(self, directory: Path, call: Callable[[list[str]], Told]) -> None:
        self.directory = directory
        self.jobs = directory / "jobs.d"
        self.state = directory / ".idms"
        self._call = call
        self.jobs.mkdir()
        self.settings(SETTINGS)
        self.job("good", GOOD)

    def settings(self, text: str) -> Path:
        return self._write(self.directory / "idms.yaml", text)

    def job(self, name: str, text: str) -> Path:
        return self._write(self.jobs / f"{name}.yaml", text)

    def idms(self, *arguments: str) -> Told:
        return self._call(["--config", str(self.directory / "idms.yaml"), *arguments])

    def debug(self, *arguments: str) -> Told:
        return self._call(["--debug", "--config", str(self.directory / "idms.yaml"), *arguments])

    @staticmethod
    def _write(path: Path, text: str) -> Path:
        path.write_text(text, encoding="utf-8")
        path.chmod(0o600)
        return path


class Past:
    """Runs that are written into the history without being run."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._alive: list[Lock] = []

    def pending(self, job: str = "good", **more: Any) -> int:
        new = NewRun(job, self._store.runs.remember("good.yaml", GOOD), **more)
        with self._store.database.write() as connection:
            return self._store.runs.create(connection, new, time.time() - 61)

    def running(self, job: str = "good", **more: Any) -> int:
        """With its lock held, as its supervisor would."""
        run_id = self.pending(job, **more)
        alive = take(run_lock(self._store.run_directory(run_id)))
        assert alive is not None
        self._alive.append(alive)
        with self._store.database.write() as connection:
            assert self._store.runs.start(connection, run_id, time.time() - 60)
        return run_id

    def died(self, job: str = "good") -> int:
        run_id = self.running(job)
        self._alive.pop().release()
        return run_id

    def ended(self, status: str, reason: str = "", *, job: str = "good", counts: Any = None, **more: Any) -> int:
        run_id = self.running(job, **more)
        self._store.runs.end(run_id, time.time(), {"status": status, "reason": reason, "counts": counts or {}})
        return run_id

    def wait(self, run_id: int, reason: str) -> None:
        self._store.queue.wait({run_id: reason})

    def tick(self, seconds_ago: float) -> None:
        self._store.ticks.record(time.time() - seconds_ago)

    def release(self) -> None:
        for lock in self._alive:
            lock.release()


@pytest.fixture
def idms(capsys: pytest.CaptureFixture[str]) -> Callable[[list[str]], Told]:
    """The command line, in this process."""

    def call(arguments: list[str]) -> Told:
        capsys.readouterr()
        code = run(arguments)
        return Told(code, *capsys.readouterr())

    return call


@pytest.fixture
def desk(tmp_path: Path, idms: Callable[[list[str]], Told]) -> Desk:
    return Desk(tmp_path, idms)


@pytest.fixture
def past(desk: Desk) -> Iterator[Past]:
    with closing(Store(desk.state)) as store:
        made = Past(store)
        yield made
        made.release()
