"""An installation whose workflows run in this process."""

from pathlib import Path

import pytest

from tests.modules.workflows.mill import Mill


@pytest.fixture
def mill(tmp_path: Path) -> Mill:
    """Without a site."""
    return Mill(tmp_path, "http://127.0.0.1:9")


@pytest.fixture
def sited(tmp_path: Path, url: str) -> Mill:
    """With the sandbox."""
    return Mill(tmp_path, url)
