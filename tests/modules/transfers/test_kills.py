"""Kills at random moments of a transfer, many and quick: without the command around it."""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import SOAK

KILLS = 100 if SOAK else 20


MOST = 200
"""So many the forgetful gets until it is caught; some ten suffice."""


def killed(directory: Path, kills: int, *more: str) -> "subprocess.CompletedProcess[str]":
    seed = os.environ.get("IDMS_SEED") or str(random.randrange(1 << 32))
    print(f"IDMS_SEED={seed}")  # shown when it fails
    return subprocess.run(
        [sys.executable, "-m", "tests.modules.transfers.killing", str(directory), str(kills), seed, *more],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_kills_of_a_transfer_lose_no_change_and_deliver_no_file_twice(tmp_path: Path) -> None:
    done = killed(tmp_path, KILLS)
    assert done.returncode == 0, done.stdout + done.stderr
    print(done.stdout)


@pytest.mark.slow
def test_the_same_kills_find_the_files_that_a_forgetful_idms_delivers_again(tmp_path: Path) -> None:
    done = killed(tmp_path, MOST, "forgetful")
    assert done.returncode != 0
    assert "came again" in done.stderr, done.stderr
