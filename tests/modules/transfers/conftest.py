"""An installation that delivers from this process."""

from pathlib import Path

import pytest

from tests.modules.transfers.dock import Dock


@pytest.fixture
def dock(tmp_path: Path) -> Dock:
    """Without a site: for rows of files."""
    return Dock(tmp_path, "http://127.0.0.1:9")


@pytest.fixture
def sited(tmp_path: Path, url: str) -> Dock:
    """With the sandbox."""
    return Dock(tmp_path, url)
