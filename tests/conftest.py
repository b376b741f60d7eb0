"""What every test may use: an installation of idms in a temporary directory, and a site for it to talk to."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from idms_cli.history.rows import Run
from idms_cli.history.store import Store
from idms_cli.sandbox import Sandbox
from idms_cli.sandbox.server import serve

SOAK = bool(os.environ.get("IDMS_SOAK"))
"""The long form of a slow test: `make soak`."""

# No test depends on the speed of the machine.
settings.register_profile(
    "any machine", deadline=None, max_examples=300 if SOAK else 50, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")

JOB = """\
description: Scores of {name}
module: import
schedule: {schedule}
with:
  source: {{path: {source}}}
  destination: {{panel: ABC_Scores}}
  action: upsert
  match: [ID, Course]
  map: {{ID: member, Course: course, Grade: grade}}
"""


@pytest.fixture(autouse=True)
def _far_from_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the real home or settings, and none reaches beyond this machine."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    for name in (
        "IDMS_CONFIG",
        "CREDENTIALS_DIRECTORY",
        "NO_COLOR",
        "FORCE_COLOR",
        "COLUMNS",
        "PYTHONUNBUFFERED",
        "JOURNAL_STREAM",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PAGER", "cat")  # nobody is there who would press a key
    connect = socket.socket.connect

    def connect_here(this: socket.socket, address: Any) -> None:
        if this.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in ("127.0.0.1", "::1", "localhost"):
            pytest.fail(f"a test tried to reach {address}")
        connect(this, address)

    monkeypatch.setattr(socket.socket, "connect", connect_here)


class Place:
    """An idms.yaml with its jobs and state, driven through the real command in real processes."""

    def __init__(self, directory: Path, url: str) -> None:
        self.directory = directory
        self.state = directory / ".idms"
        self.environment = {**os.environ, "IDMS_TEST_PASSWORD": "sandbox", "TZ": "UTC", "PYTHONWARNINGS": "error"}
        (directory / "jobs.d").mkdir()
        self.settings(url)

    def settings(self, url: str, *, connection: str = "rate: 5000/s, settle: 0s", more: str = "") -> None:
        login = "username: idms-background, password: {env: IDMS_TEST_PASSWORD}"
        text = f'connections:\n  test: {{url: "{url}", {login}, {connection}}}\n{more}'
        (self.directory / "idms.yaml").write_text(text)

    def job(
        self, name: str, *, schedule: str = '{cron: "0 2 * * *"}', source: str | None = None, more: str = ""
    ) -> Path:
        """A job that imports scores, due at 02:00 UTC unless it says otherwise; `more` are further keys."""
        text = JOB.format(name=name, schedule=schedule, source=source or f"{name}.csv")
        return self.write(f"jobs.d/{name}.yaml", f"{text}{more}\n" if more else text)

    def scores(self, name: str, rows: int, *, course: str = "Bookbinding", first: int = 101) -> Path:
        """A file of scores for as many members, each in a course of this name."""
        lines = [f"{first + index},{course},A" for index in range(rows)]
        return self.write(f"{name}.csv", "\n".join(["member,course,grade", *lines, ""]))

    def write(self, name: str, text: str) -> Path:
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "idms_cli", "--config", str(self.directory / "idms.yaml"), *arguments]

    def idms(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run the command to its end."""
        return subprocess.run(
            self.command(*arguments),
            env=self.environment,
            cwd=self.directory,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """Start the command and go on."""
        return subprocess.Popen(
            self.command(*arguments),
            env=self.environment,
            cwd=self.directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def at(self, moment: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """One tick, as if at that moment (UTC)."""
        return self.idms("run-due", "--at", f"{moment}+00:00", *arguments)

    def json(self, *arguments: str) -> Any:
        result = self.idms(*arguments, "--json")
        return json.loads(result.stdout)

    def runs(self, **wanted: Any) -> list[Run]:
        """All runs, oldest first, as the history has them."""
        with Store(self.state) as store:
            from idms_cli.history.rows import Wanted

            return store.runs.history(Wanted(limit=10_000, **wanted))[::-1]

    def slots(self, job: str) -> list[tuple[str, str, str]]:
        """Due time, verdict and the first word of the reason of each slot, oldest first."""
        with Store(self.state) as store:
            found = store.slots.of(job)[::-1]
        return [(f"{slot.due:%Y-%m-%d %H:%M}", slot.verdict, slot.reason.partition(":")[0]) for slot in found]

    def processes(self) -> list[int]:
        """The supervisors and workers of this installation."""
        return running(f"{self.directory}/idms.yaml")

    def worker(self, run_id: int) -> int:
        """The process id of a run's worker, once it is there."""
        found: list[int] = until(lambda: running(f"{self.directory}/idms.yaml work {run_id} "))
        return found[0]

    def end(self) -> None:
        """End whatever this installation started."""
        for pid in self.processes():
            with suppress(ProcessLookupError):  # it has just ended by itself
                os.kill(pid, signal.SIGKILL)

    def settled(self) -> None:
        """Wait until nothing of this installation runs any more."""
        until(lambda: not self.processes())


def running(words: str) -> list[int]:
    """The processes whose command line has these words."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ")
        except OSError:  # it has just ended
            continue
        if os.fsencode(words) in command and int(process.name) != os.getpid():
            found.append(int(process.name))
    return found


def until(condition: Callable[[], Any], *, limit_s: float = 60) -> Any:
    """Wait for a condition to be true, and return what it gave; fails when it never is."""
    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    pytest.fail(f"waited {limit_s} s for {condition}")


def courses(site: Sandbox) -> Mapping[tuple[str, str], int]:
    """How many score records the site has for each (member, course)."""
    found: dict[tuple[str, str], int] = {}
    for row in site.rows("ABC_Scores"):
        key = (str(row["ID"]), str(row["Course"]))
        found[key] = found.get(key, 0) + 1
    return found


@pytest.fixture
def site() -> Sandbox:
    return Sandbox()


@pytest.fixture
def url(site: Sandbox) -> Iterator[str]:
    with serve(site) as address:
        yield address


@pytest.fixture
def place(tmp_path: Path, url: str) -> Iterator[Place]:
    """An installation that talks to the sandbox; whatever it started is ended with the test."""
    made = Place(tmp_path, url)
    yield made
    made.end()
