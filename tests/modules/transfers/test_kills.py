"""Kills at random moments of a transfer, many and quick: without the command around it."""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import SOAK

KILLS = 100 if SOAK else 20


@pytest.mark.slow
def test_kills_of_a_transfer_lose_no_change_and_deliver_no_file_twice(tmp_path: Path) -> None:
    seed = int(os.environ.get("IDMS_SEED") or random.randrange(1 << 32))
    print(f"IDMS_SEED={seed}")  # shown when it fails
    done = subprocess.run(
        [sys.executable, "-m", "tests.modules.transfers.killing", str(tmp_path), str(KILLS), str(seed)],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    print(done.stdout)
