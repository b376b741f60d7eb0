"""An installation that imports in this process."""

from pathlib import Path

import pytest

from tests.modules.imports.office import Office


@pytest.fixture
def office(tmp_path: Path, url: str) -> Office:
    return Office(tmp_path, url)


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client waits without waiting: what is tested is what becomes of the records, not how long it takes."""
    from idms_cli.imis.clock import SystemClock

    monkeypatch.setattr(SystemClock, "sleep", lambda self, seconds: None)
