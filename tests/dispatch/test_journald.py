"""Where systemd runs us, the journal gets fields to search by: what happens, proven against a real datagram socket."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from idms_cli.cli import run as idms
from idms_cli.config import journald
from idms_cli.config.journald import settle_environment, tell_journal
from idms_cli.config.secrets import Secret
from idms_cli.dispatch.ending import end_run
from idms_cli.history.rows import NewRun
from idms_cli.history.store import Store
from tests.conftest import Place

AS_OURS = "import sys; from idms_cli.config import journald; journald.SOCKET = sys.argv.pop(1); "
AS_OURS += "from idms_cli.__main__ import main; sys.exit(main())"


class Journal:
    """Stands in for systemd's: a datagram socket, and what came by it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.setblocking(False)

    def entries(self) -> list[dict[str, str]]:
        found = []
        while True:
            try:
                text = self._socket.recv(1 << 20).decode()
            except BlockingIOError:
                return found
            assert text.endswith("\n")
            found.append(dict(line.split("=", 1) for line in text[:-1].split("\n")))

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Journal]:
    """Of a process whose stderr systemd has opened."""
    with closing(Journal(tmp_path / "socket")) as made:
        monkeypatch.setattr(journald, "SOCKET", str(made.path))
        monkeypatch.setenv("JOURNAL_STREAM", _stream(2))
        yield made


def _stream(descriptor: int) -> str:
    found = os.fstat(descriptor)
    return f"{found.st_dev}:{found.st_ino}"


def _ended(state: Path, **result: Any) -> None:
    with closing(Store(state)) as store:
        new = NewRun("scores", store.runs.remember("scores.yaml", ""), due=1_796_385_600, module="import", sites="live")
        with store.database.write() as connection:
            run_id = store.runs.create(connection, new, time.time() - 5)
            store.runs.start(connection, run_id, time.time() - 5)
        run = store.runs.one(run_id)
        assert run is not None
        assert run.started_at is not None
        assert end_run(store, run, run.started_at.timestamp() + 2.5, result)
        assert not end_run(store, run, time.time(), result)


def test_the_end_of_a_run_has_its_fields(journal: Journal, tmp_path: Path) -> None:
    counts = {"read": 9, "inserted": 2, "rejected": 7, "get": 4}
    _ended(tmp_path, status="partial", reason="7 of 9 rows rejected", hint="", exit_code=1, counts=counts)
    (entry,) = journal.entries()
    assert entry == {
        "MESSAGE": "run 1 of scores: partial; 7 of 9 rows rejected",
        "MESSAGE_ID": "0d9e4b7c52f84c1f8a3e6b95c2d7f422",
        "PRIORITY": "4",
        "SYSLOG_IDENTIFIER": "idms",
        "IDMS_JOB": "scores",
        "IDMS_RUN": "1",
        "IDMS_MODULE": "import",
        "IDMS_CONNECTION": "live",
        "IDMS_DUE": "2026-12-04T12:00:00+00:00",
        "IDMS_STATUS": "partial",
        "IDMS_REASON": "7 of 9 rows rejected",
        "IDMS_EXIT_CODE": "1",
        "IDMS_DURATION_S": "2.5",
        "IDMS_READ": "9",
        "IDMS_INSERTED": "2",
        "IDMS_REJECTED": "7",
    }


@pytest.mark.parametrize(("status", "priority"), [("completed", "6"), ("failed", "3"), ("held", "4"), ("skipped", "6")])
def test_the_priority_says_how_bad_it_is(journal: Journal, tmp_path: Path, status: str, priority: str) -> None:
    _ended(tmp_path, status=status)
    assert [entry["PRIORITY"] for entry in journal.entries()] == [priority]


def test_text_from_outside_forges_no_field_and_secrets_stay_out(journal: Journal) -> None:
    secret = Secret("hunter2hunter2")
    assert tell_journal(f"a\nIDMS_JOB=forged\x1b[2J {secret.reveal()}", {"IDMS_REASON": "b\nPRIORITY=0", "IDMS_X": ""})
    (entry,) = journal.entries()
    assert entry.keys() == {"MESSAGE", "PRIORITY", "SYSLOG_IDENTIFIER", "IDMS_REASON"}
    assert entry["MESSAGE"].startswith("a\\nIDMS_JOB=forged\\x1b[2J ")
    assert "hunter2" not in entry["MESSAGE"]


def test_long_text_is_cut_so_that_it_arrives(journal: Journal) -> None:
    assert tell_journal("x" * 1_000_000, {})
    assert len(journal.entries()[0]["MESSAGE"]) == 4000


def test_a_journal_that_is_not_there_fails_nothing(
    journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journald, "SOCKET", str(tmp_path / "none"))
    assert not tell_journal("a", {})
    _ended(tmp_path, status="completed")
    assert journal.entries() == []


@pytest.mark.parametrize(("told", "stays"), [("", True), ("8:12", False)], ids=["ours", "another's"])
def test_who_inherits_the_variable_and_writes_elsewhere_is_not_run_by_systemd(
    journal: Journal, monkeypatch: pytest.MonkeyPatch, told: str, stays: bool
) -> None:
    monkeypatch.setenv("JOURNAL_STREAM", told or _stream(2))
    settle_environment(os.environ)
    assert tell_journal("a", {}) == stays


def test_a_tick_tells_the_journal_instead_of_its_output(
    journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("JOURNAL_STREAM", _stream(2))
    (tmp_path / "jobs.d").mkdir()
    (tmp_path / "idms.yaml").write_text("{}\n")
    (tmp_path / "jobs.d/bad.yaml").write_text("module: import\n")
    assert idms(["--config", str(tmp_path / "idms.yaml"), "run-due"]) == 2
    entries = journal.entries()
    assert entries
    assert {(entry["IDMS_JOB"], entry["PRIORITY"]) for entry in entries} == {("bad", "4")}
    assert capfd.readouterr() == ("", "")


def test_a_supervisor_tells_the_beginning_and_the_end(place: Place, tmp_path: Path) -> None:
    place.job("scores", schedule="hourly")
    place.scores("scores", 2)
    command = [sys.executable, "-c", AS_OURS, str(tmp_path / "socket"), *place.command("run", "scores")[3:]]
    with closing(Journal(tmp_path / "socket")) as journal, Path(os.devnull).open("w") as null:
        environment = {**place.environment, "JOURNAL_STREAM": _stream(null.fileno())}
        subprocess.run(command, env=environment, stdin=null, stdout=null, stderr=null, check=True, timeout=90)
        began, ended = journal.entries()
    assert (began["MESSAGE"], began["IDMS_STATUS"]) == ("run 1 of scores began", "running")
    assert (began["IDMS_MODULE"], began["IDMS_CONNECTION"]) == ("import", "test")
    assert (ended["IDMS_RUN"], ended["IDMS_STATUS"], ended["IDMS_INSERTED"]) == ("1", "completed", "2")
