"""Several processes on one connection: one token, one pace, one refused login."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from idms_cli.sandbox import Sandbox
from idms_cli.sandbox.server import serve

CHILD = """
import sys
from pathlib import Path
from idms_cli.errors import LoginRefused
from idms_cli.imis.site import Site, SiteAccess

url, state, password = sys.argv[1:]
access = SiteAccess("live", url, "idms-background", lambda: password, Path(state), rate_per_s=None)
with Site(access) as site:
    for line in sys.stdin:
        try:
            for _ in range(int(line)):
                site.get("/api/Party/101")
            print("done", flush=True)
        except LoginRefused as error:
            print(type(error).__name__, flush=True)
"""


class Child:
    """A process with a client of its own: `read(20)` makes it read 20 times, `said()` waits for what came of it."""

    def __init__(self, process):
        self.process = process

    def read(self, times):
        self.process.stdin.write(f"{times}\n")
        self.process.stdin.flush()

    def said(self):
        return self.process.stdout.readline().strip()


@contextmanager
def children(count, url, state, password="sandbox") -> Iterator[list[Child]]:
    with ExitStack() as stack:
        processes = []
        for _ in range(count):
            command = [sys.executable, "-c", CHILD, url, str(state), password]
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            processes.append(stack.enter_context(process))
            stack.callback(process.kill)
        yield [Child(process) for process in processes]


@pytest.fixture
def url(sandbox) -> Iterator[str]:
    with serve(sandbox) as address:
        yield address


def all_read(workers, times):
    for worker in workers:
        worker.read(times)
    return [worker.said() for worker in workers]


def test_processes_that_start_together_log_in_once(sandbox, url, tmp_path):
    with children(4, url, tmp_path / "state") as workers:
        assert all_read(workers, 10) == ["done"] * 4
    assert sandbox.calls["tokens"] == 1
    assert sandbox.calls["calls"]["GET Party"] == 40


def test_a_token_that_dies_is_renewed_once_for_all_processes(sandbox, url, tmp_path):
    with children(4, url, tmp_path / "state") as workers:
        all_read(workers, 5)
        for _ in range(3):
            sandbox.tokens.revoke_all()
            sandbox.reset()
            assert all_read(workers, 10) == ["done"] * 4
            assert sandbox.calls["tokens"] == 1


def test_a_login_by_somebody_else_costs_one_renewal(sandbox, url, tmp_path):
    with children(2, url, tmp_path / "here") as workers, children(1, url, tmp_path / "elsewhere") as others:
        all_read(workers, 5)
        all_read(others, 5)
        sandbox.reset()
        assert all_read(workers, 10) == ["done"] * 2
        assert sandbox.calls["tokens"] == 1


def test_a_refused_login_is_tried_once_by_all_processes(sandbox, url, tmp_path):
    with children(4, url, tmp_path / "state", password="wrong") as workers:
        assert all_read(workers, 1) == ["SecretRefused"] * 4
    assert sandbox.calls["refused_logins"] == 1


def test_processes_keep_to_one_request_at_a_time(sandbox, url, tmp_path):
    sandbox.latency_s = 0.002
    with children(4, url, tmp_path / "state") as workers:
        assert all_read(workers, 15) == ["done"] * 4
    assert sandbox.calls["peak_concurrent"] == 1


def test_a_process_that_is_killed_leaves_its_place_to_the_others(tmp_path):
    site = Sandbox(members=30, latency_s=0.05)
    with serve(site) as url, children(2, url, tmp_path / "state") as (victim, survivor):
        victim.read(10_000)
        survivor.read(1)
        assert survivor.said() == "done"
        victim.process.kill()
        survivor.read(2)
        assert survivor.said() == "done"
