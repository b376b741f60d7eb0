"""A disk that is soon full."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

TOO_FEW_RIGHTS = "a small file system can be mounted by root only: run the tests as root"


@contextmanager
def small_disk(folder: Path, *, options: str = "") -> Iterator[Path]:
    """A file system of 4 MB. Where none can be mounted the test is skipped by name; in CI it fails."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size=4m{options}", "none", str(folder)]
    if subprocess.run(command, check=False, stderr=subprocess.DEVNULL).returncode != 0:
        folder.rmdir()
        if os.environ.get("CI") == "true":
            pytest.fail(TOO_FEW_RIGHTS)
        pytest.skip(TOO_FEW_RIGHTS)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
        folder.rmdir()
