"""Imports whose files come from elsewhere, and the servers they come from."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.modules.imports.office import Office
from tests.sources.servers import SshServer, WebServer, ssh_server, web_server


@pytest.fixture
def office(tmp_path: Path, url: str) -> Office:
    return Office(tmp_path, url)


@pytest.fixture
def ssh(tmp_path: Path) -> Iterator[SshServer]:
    folder = tmp_path / "partner"
    (folder / "out").mkdir(parents=True)
    with ssh_server(folder) as server:
        yield server


@pytest.fixture
def web(tmp_path: Path) -> Iterator[WebServer]:
    with web_server(tmp_path) as server:
        yield server
