"""What tests of steps may use."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.delivery.receiver import Receiver, receiver
from tests.modules.steps.stand import Stand


@pytest.fixture(scope="module")
def open_web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    with receiver(tmp_path_factory.mktemp("web"), tls=False) as site:
        yield site


@pytest.fixture
def web(open_web: Receiver) -> Receiver:
    """A web server that has not been asked anything."""
    open_web.asked.clear()
    open_web.stored.clear()
    open_web.answered.clear()
    open_web.early = lambda _path, _headers: None
    open_web.script()
    return open_web


@pytest.fixture
def stand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stand:
    monkeypatch.setenv("IDMS_TEST_PASSWORD", "sandbox")
    return Stand(tmp_path)


@pytest.fixture
def site_stand(tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> Stand:
    """One whose connection is a sandbox site."""
    monkeypatch.setenv("IDMS_TEST_PASSWORD", "sandbox")
    return Stand(tmp_path, url)
