"""A disk that is really full, of a file system of its own: nothing is lost that was told as done, and idms works again.

The same at every system call, with the fault made by strace, is in test_crash_points.py.
"""

import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from idms_cli.sandbox import Sandbox
from tests.conftest import Place, courses

EVENING, NIGHT, LATER = "2026-11-30 20:00", "2026-12-01 02:00", "2026-12-01 02:10"
ROWS = 40
NEEDS = "this machine lets nobody mount a file system to fill it up: mount -t tmpfs needs root"


@dataclass
class Disk:
    """A small file system."""

    folder: Path

    def fill(self) -> None:
        """To the last byte."""
        with (self.folder / "filler").open("ab", buffering=0) as file:
            for size in (1 << 16, 1):
                try:
                    while file.write(b"x" * size):
                        pass
                except OSError:
                    continue

    def make_room(self) -> None:
        (self.folder / "filler").unlink()


class FillingSandbox(Sandbox):
    """Fills the disk of its caller when so many records are stored and the next one comes in."""

    disk: Disk | None = None
    after: int = 0

    def pause(self, seconds: float) -> None:
        if self.disk is not None and len(self.writes) >= self.after:
            self.disk.fill()
            self.disk = None


@pytest.fixture
def site() -> FillingSandbox:
    return FillingSandbox(latency_s=0.001)


@pytest.fixture
def disk(place: Place) -> Iterator[Disk]:
    """The state directory has 8 MB."""
    place.state.mkdir(mode=0o700)
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m,mode=0700", "tmpfs", str(place.state)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip(NEEDS)
    try:
        yield Disk(place.state)
    finally:
        place.end()
        subprocess.run(["umount", "-l", str(place.state)], check=True)


@pytest.fixture
def due(place: Place, disk: Disk) -> Place:
    """A job that is known, and whose slot comes at night."""
    place.job("scores", more="guard: {max_rejects: 0}")
    place.scores("scores", ROWS)
    place.at(EVENING)
    return place


def is_sound(place: Place) -> None:
    for path in place.state.rglob("*.db"):
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",), path


def test_on_a_full_disk_nothing_is_claimed_and_the_slot_runs_once_there_is_room(
    due: Place, site: FillingSandbox, disk: Disk
) -> None:
    disk.fill()
    told = due.at(NIGHT)
    assert (told.returncode, told.stdout, told.stderr.splitlines()) == (
        1,
        "",
        [
            f"idms: {due.state}: the history cannot be opened: disk I/O error: the disk is full",
            "hint: Make room there; nothing is lost, and the next call goes on.",
        ],
    )
    assert site.writes == []
    disk.make_room()
    assert due.at(LATER, "--wait").returncode == 0
    assert due.slots("scores") == [(NIGHT, "run", "")]
    assert [run.status for run in due.runs()] == ["completed"]
    assert [count for (_, course), count in courses(site).items() if course == "Bookbinding"] == [1] * ROWS
    is_sound(due)


@pytest.mark.parametrize("after", [7, ROWS - 1], ids=["while records are noted", "when the result is to be noted"])
def test_a_run_whose_disk_is_full_goes_on_once_there_is_room_and_writes_no_record_twice(
    due: Place, site: FillingSandbox, disk: Disk, after: int
) -> None:
    site.disk, site.after = disk, after
    due.at(NIGHT, "--wait")
    assert site.disk is None
    told = due.idms("status")
    assert "Traceback" not in told.stdout + told.stderr
    assert [run.status for run in due.runs()] != ["completed"]
    written = len(site.writes)
    assert after <= written < ROWS + 1
    disk.make_room()
    due.at(LATER, "--wait")
    assert [run.status for run in due.runs()] == ["completed"]
    assert due.slots("scores") == [(NIGHT, "run", "")]
    assert [count for (_, course), count in courses(site).items() if course == "Bookbinding"] == [1] * ROWS
    assert due.runs()[0].counts["inserted"] == ROWS
    is_sound(due)
