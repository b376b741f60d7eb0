"""The demo: real rows of real files travel through the real command into a site, and nothing is left behind."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import until

PROJECT = Path(__file__).parents[1]
IDMS = f"{sys.executable} -m idms_cli"


class Demo:
    """A copy of what the demo needs, so that nobody else's .demo is touched."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        shutil.copy(PROJECT / "idms.yaml", directory)
        shutil.copytree(PROJECT / "jobs.d", directory / "jobs.d")

    def start(self) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            ["env", "--default-signal=INT", "bash", "jobs.d/demo.sh"],  # tests may run in the background, without it
            cwd=self.directory,
            env={**os.environ, "IDMS": IDMS, "PYTHONWARNINGS": "error", "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def told(self, *arguments: str) -> Any:
        """What the command says of the demo's history when all is over."""
        command = [*IDMS.split(), "--config", f"{self.directory}/.demo/idms.yaml", *arguments, "--json"]
        return json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)

    def history(self) -> list[dict[str, Any]]:
        """All runs but the dry one, oldest first."""
        return [run for run in reversed(self.told("history")["history"]) if not run["dry_run"]]

    def processes(self) -> list[int]:
        """Whatever runs with this copy's path in its arguments or environment."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                words = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
            except OSError:  # it has just ended, or is somebody else's
                continue
            if os.fsencode(self.directory) in words:
                found.append(int(process.name))
        return found


@pytest.fixture
def demo(tmp_path: Path) -> Demo:
    return Demo(tmp_path)


def written_out(runs: list[dict[str, Any]]) -> dict[str, str]:
    """Job -> status and the counts that are not nought."""
    words = ("read", "inserted", "updated", "unchanged", "skipped", "rejected")
    return {
        run["job"]: ", ".join(
            [run["status"], *(f"{run['counts'][word]} {word}" for word in words if run["counts"][word])]
        )
        for run in runs
    }


@pytest.mark.timeout(300)
def test_the_demo_works_also_after_one_that_was_stopped_half_way(demo: Demo) -> None:
    stopped = demo.start()
    assert stopped.stdout is not None
    for line in stopped.stdout:
        if "--wait" in line:
            break
    os.killpg(stopped.pid, signal.SIGINT)
    stopped.communicate(timeout=60)
    assert stopped.returncode != 0
    until(lambda: not demo.processes())

    second = demo.start()
    output, _ = second.communicate(timeout=200)

    assert second.returncode == 0, output
    until(lambda: not demo.processes())
    assert "All as it should be." in output
    feeds = [run for run in demo.history() if run["job"] == "member-feed"]
    credits_ = [run for run in demo.history() if run["job"] == "course-credits"]
    runs = [run for run in demo.history() if run not in (*feeds, *credits_)]
    assert written_out(runs[:6]) == {
        "membership-standing": "completed, 138 read, 65 updated, 73 unchanged",
        "exam-scores": "completed, 112 read, 74 inserted, 38 updated",
        "new-contacts": "completed, 72 read, 61 inserted, 11 skipped",
        "contact-corrections": "completed, 46 read, 37 updated, 9 unchanged",
        "lms-completions": "partial, 162 read, 144 inserted, 5 skipped, 13 rejected",
        "inactive-contacts": "completed, 9 read, 7 updated, 2 unchanged",
    }
    assert written_out(runs[6:]) == {
        "membership-standing": "completed, 138 read, 138 unchanged",
        "exam-scores": "completed, 112 read, 112 unchanged",
        "new-contacts": "completed, 72 read, 72 skipped",
        "contact-corrections": "completed, 46 read, 46 unchanged",
        "lms-completions": "partial, 162 read, 144 unchanged, 5 skipped, 13 rejected",
    }
    partial = demo.told("show", str(runs[4]["id"]))["run"]
    assert {reason["code"]: reason["rows"] for reason in partial["reject_reasons"]} == {
        "not-a-date": 4,
        "too-long": 3,
        "double": 2,
        "ragged": 2,
        "blank-match": 1,
        "not-a-number": 1,
    }
    assert sum(run["counts"]["post"] + run["counts"]["put"] for run in runs[6:]) == 0
    assert json.loads((demo.directory / ".demo/calls.json").read_text())["writes"] == 0
    assert [(run["status"], run["counts"]["selected"], run["counts"]["unchanged"]) for run in feeds] == [
        ("completed", 279, 0),
        ("completed", 139, 201),
        ("completed", 0, 340),
    ]
    assert [(run["status"], run["counts"]["steps_skipped"], run["counts"]["inserted"]) for run in credits_] == [
        ("partial", 0, 146),
        ("partial", 5, 0),
    ]
    (listed,) = (demo.directory / ".demo/outbox").glob("credits-*.csv")
    assert len(listed.read_text(encoding="utf-8").splitlines()) == 146
    files = sorted(
        (demo.directory / ".demo/outbox").glob("members-*.csv"), key=lambda path: int(path.stem.rpartition("-")[2])
    )
    assert [len(path.read_text(encoding="utf-8").splitlines()) for path in files] == [280, 140]
