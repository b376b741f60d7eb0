"""`idms sandbox`, as a person and a script start it."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from idms_cli.commands.sandbox import command
from idms_cli.errors import InputError

from .conftest import LOGIN

PROGRAM = "from idms_cli.commands.sandbox import command; command()"


@contextmanager
def running(tmp_path: Path, *flags: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """The command as a process of its own, and its URL from the ready file."""
    ready = tmp_path / "ready"
    ready.unlink(missing_ok=True)
    arguments = [sys.executable, "-c", PROGRAM, "--port", "0", "--members", "3", "--ready-file", str(ready), *flags]
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        limit = time.monotonic() + 30
        while not ready.exists() and process.poll() is None and time.monotonic() < limit:
            time.sleep(0.01)
        yield process, ready.read_text().strip()
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_told_to_stop_and_keeps_its_records(tmp_path: Path, number: signal.Signals) -> None:
    data = tmp_path / "site.json"
    with running(tmp_path, "--data", str(data), "--user", "anna", "--password", "p w", "--fault", "too-many=1") as run:
        process, url = run
        login = {**LOGIN, "username": "anna", "password": "p w"}
        token = httpx.post(f"{url}/token", data=login).json()["access_token"]
        reply = httpx.get(f"{url}/api/Party/101", headers={"Authorization": f"Bearer {token}"})
        assert reply.status_code == 429
        process.send_signal(number)
        output, _ = process.communicate(timeout=20)
        assert process.returncode == 0
    assert f"url: {url}" in output
    assert "username: anna" in output
    assert "Traceback" not in output
    assert len(json.loads(data.read_text())["parties"]) == 3


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.1", "example.org", "::"])
def test_other_machines_are_kept_out(host: str) -> None:
    with pytest.raises(InputError, match=re.escape(f"--host {host} could be reached from other machines.")):
        command.main(["--host", host], standalone_mode=False)


def test_a_port_that_is_taken_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=f"cannot listen on 127.0.0.1 port {port}: Address already in use"):
            command.main(["--port", str(port), "--members", "0"], standalone_mode=False)


@pytest.mark.parametrize(
    ("flag", "said"),
    [
        ("--data", "The sandbox cannot save to {path}: No such file or directory."),
        ("--ready-file", "The ready file {path} cannot be written: No such file or directory."),
    ],
)
def test_a_file_that_cannot_be_written_is_told_at_the_start(tmp_path: Path, flag: str, said: str) -> None:
    path = tmp_path / "no" / "such" / "folder"
    with pytest.raises(InputError, match=re.escape(said.format(path=path))):
        command.main([flag, str(path), "--port", "0", "--members", "0"], standalone_mode=False)


def test_a_fault_that_is_not_there_gets_a_near_match() -> None:
    with pytest.raises(InputError) as caught:
        command.main(["--fault", "slow-pge=1"], standalone_mode=False)
    assert caught.value.hint == "Did you mean slow-page?"


def test_help_names_every_fault() -> None:
    output = CliRunner().invoke(command, ["--help"]).output
    assert "page-overlap" in output
    assert "cut-after-write" in output


def test_it_imports_nothing_of_idms_but_the_errors() -> None:
    code = "import sys, idms_cli.sandbox.server; print(*sorted(n for n in sys.modules if n.startswith('idms_cli')))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ)
    foreign = [name for name in result.stdout.split() if not name.startswith("idms_cli.sandbox")]
    assert foreign == ["idms_cli", "idms_cli.codes", "idms_cli.errors"]
