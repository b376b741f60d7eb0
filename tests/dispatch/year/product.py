"""The simulated year, lived by idms: its real tick, commands and history, with a pretended clock and workers."""

import io
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, redirect_stdout, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock as Mutex
from threading import Thread
from typing import Any

import pytest

from idms_cli.commands import Session, disable, enable, pause, resume
from idms_cli.config.settings import Settings, read_settings
from idms_cli.dispatch import launch
from idms_cli.dispatch.ending import end_run
from idms_cli.dispatch.following import claim_followers
from idms_cli.dispatch.glance import had_nothing_to_do
from idms_cli.dispatch.launch import Started, hand_over
from idms_cli.dispatch.tick import tick
from idms_cli.errors import InputError
from idms_cli.history.rows import OPEN, JobRow
from idms_cli.history.store import Store
from tests.dispatch.year.oracle import Verdict
from tests.dispatch.year.schedules import CALENDARS, MINUTE
from tests.dispatch.year.script import Step, fate

SETTINGS = f"""\
timezone: UTC
max_parallel: 256
connections:
  test: {{url: "http://127.0.0.1:9", username: idms, password: {{env: NOT_NEEDED}}}}
{CALENDARS}"""

VERDICTS = """
SELECT slot.job, slot.due, slot.until, slot.verdict, slot.reason, coalesce(run.status, ''), run.late_s
FROM slot LEFT JOIN run ON run.id = slot.run"""
LONGER = (
    "missed: over the grace",
    "missed: nobody called run-due",
    "missed: a later one took its place",
    "disabled by",
)
"""Kinds of reasons; of others it is what stands before the colon."""

COMMANDS = {"pause": pause.command, "resume": resume.command, "disable": disable.command, "enable": enable.command}


@dataclass
class PretendedTime:
    """In the place of the module `time`."""

    true: int
    ahead: int = 0
    booted: int = 0

    def time(self) -> float:
        return float(self.true + self.ahead)

    def gmtime(self, seconds: float) -> Any:
        return datetime.fromtimestamp(seconds, UTC).timetuple()

    def clock_gettime(self, which: int) -> float:
        del which
        return float(self.true - self.booted)

    CLOCK_BOOTTIME = 7


class PretendedSession(Session):
    """A command's session at the pretended time."""

    store: Store
    settings: Settings

    def __init__(self, store: Store, settings: Settings, now: Callable[[], datetime]) -> None:
        super().__init__(None, debug=False)
        self.__dict__.update(store=store, settings=settings, now=now)


@dataclass
class Worker:
    """A run that is being carried out, so to speak."""

    started: Started
    ends: int
    """In true time."""


class Product:
    """An installation, and all that happens to it."""

    def __init__(self, directory: Path, start: int, patch: pytest.MonkeyPatch) -> None:
        self._jobs = directory / "jobs.d"
        self._jobs.mkdir()
        (directory / "idms.yaml").write_text(SETTINGS)
        self._settings = read_settings(directory / "idms.yaml")
        self._time = PretendedTime(start, booted=start - 1000)
        self._boot_id = "boot 1"
        self._stamp = 10**18
        self._workers: dict[int, Worker] = {}
        self._mutex = Mutex()
        self._store = Store(self._settings.state)
        for module in ("idms_cli.dispatch.glance", "idms_cli.history.ticks"):
            patch.setattr(f"{module}.time", self._time)
        patch.setattr("idms_cli.history.ticks.boot_id", lambda: self._boot_id)
        patch.setattr(launch, "spawn", self._spawn)
        made: dict[tuple[Any, ...], JobRow] = {}  # each tick reads the same rows again
        patch.setattr(
            JobRow, "of", lambda row, of=JobRow.of: made.get(tuple(row)) or made.setdefault(tuple(row), of(row))
        )

    def do(self, step: Step) -> None:
        self._runs_end_until(step.at)
        self._time.true = step.at
        if step.what in COMMANDS:
            self._command(step)
        else:
            getattr(self, f"_{step.what}")(step)

    def verdicts(self) -> Iterator[Verdict]:
        for job, due, until, verdict, reason, status, late_s in self._store.database.connection.execute(VERDICTS):
            kind = next((kind for kind in LONGER if reason.startswith(kind)), reason.partition(":")[0])
            yield job, due, until, verdict, "late" if late_s else kind, "open" if status in OPEN else status

    def check(self) -> str:
        """What SQLite says of the file."""
        with closing(sqlite3.connect(self._store.database.path)) as connection:
            return str(connection.execute("PRAGMA integrity_check").fetchone()[0])

    def close(self) -> None:
        self._boot(None)
        self._store.close()

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._time.time(), UTC)

    def _path(self, job: str) -> Path:
        return self._jobs / f"{job}.yaml"

    # What the world does

    def _write(self, step: Step) -> None:
        assert step.file is not None
        self._path(step.job).write_text(step.file.text)
        self._stamp += 1  # two writes within a tick of the kernel's clock are two writes
        os.utime(self._path(step.job), ns=(self._stamp, self._stamp))

    def _remove(self, step: Step) -> None:
        self._path(step.job).unlink()

    def _rename(self, step: Step) -> None:
        self._path(step.job).rename(self._path(step.other))

    def _clock(self, step: Step) -> None:
        self._time.ahead = step.number

    def _boot(self, step: Step | None) -> None:
        """Every process is gone, and with it its locks."""
        del step
        self._time.booted = self._time.true
        self._boot_id += "1"
        for worker in self._workers.values():
            worker.started.release()
        self._workers.clear()

    def _command(self, step: Step) -> None:
        session = PretendedSession(self._store, self._settings, self._now)
        arguments = [step.job, "--why", "maintenance"] if step.what in ("pause", "disable") else [step.job]
        if step.what == "pause" and step.number:
            end = int(self._time.time()) // MINUTE * MINUTE + step.number
            arguments += ["--until", f"{datetime.fromtimestamp(end, UTC):%Y-%m-%d %H:%M}"]
        with redirect_stdout(io.StringIO()), suppress(InputError):  # it was not paused, or not disabled
            COMMANDS[step.what].main(arguments, prog_name=step.what, obj=session, standalone_mode=False)

    # Ticks and runs

    def _tick(self, step: Step) -> None:
        if step.number == 1:
            self._one_tick(self._store)
        else:
            callers = [Thread(target=self._caller) for _ in range(step.number)]
            for caller in callers:
                caller.start()
            for caller in callers:
                caller.join()
        self._stop_replaced()

    def _caller(self) -> None:
        with Store(self._settings.state) as store:
            self._one_tick(store)

    def _one_tick(self, store: Store) -> None:
        if not had_nothing_to_do(str(self._settings.path)):
            tick(store, self._settings, self._now())

    def _spawn(self, started: Started, settings: Settings, directory: Path) -> None:
        del settings, directory
        run = started.run
        assert run.due is not None
        length, _ = fate(run.job, int(run.due.timestamp()))
        with self._mutex:
            self._workers[run.id] = Worker(started, self._time.true + length)

    def _runs_end_until(self, at: int) -> None:
        while ending := [(worker.ends, number) for number, worker in self._workers.items() if worker.ends <= at]:
            self._time.true, number = min(ending)
            run = self._workers[number].started.run
            assert run.due is not None
            self._end(number, fate(run.job, int(run.due.timestamp()))[1])

    def _end(self, number: int, status: str) -> None:
        """As a supervisor does it."""
        worker, now = self._workers.pop(number), self._now()
        result = {"status": status, "exit_code": 0 if status == "completed" else 1}
        end_run(self._store, worker.started.run, now.timestamp(), result)
        worker.started.release()
        claim_followers(self._store, self._settings, now)
        hand_over(self._store, self._settings, now.timestamp())
        self._stop_replaced()

    def _stop_replaced(self) -> None:
        for number in sorted(self._workers):
            if number in self._workers and self._store.queue.stop_request(number):
                self._end(number, "cancelled")
