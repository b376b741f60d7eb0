"""A database for each test, empty but for what the test makes in it."""

import os
from collections.abc import Iterator

import pytest

from tests.delivery.database.postgres import MISSING, PASSWORD, Database, Server, database, program, running_server
from tests.delivery.database.proxy import Proxy, proxy_to


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Server]:
    if program("initdb") is None:
        if os.environ.get("CI") == "true":
            pytest.fail(MISSING)
        pytest.skip(MISSING)
    own = tmp_path_factory.getbasetemp()
    with running_server(own if worker_id == "master" else own.parent) as found:
        yield found


@pytest.fixture(scope="session")
def _own_database(server: Server, worker_id: str) -> Iterator[Database]:
    with database(server, f"test_{worker_id}") as made:
        yield made


@pytest.fixture
def db(_own_database: Database, monkeypatch: pytest.MonkeyPatch) -> Database:
    monkeypatch.setenv("IDMS_TEST_DATABASE", PASSWORD)
    _own_database.empty()
    return _own_database


@pytest.fixture
def proxy(db: Database) -> Iterator[Proxy]:
    with proxy_to(db.server.port) as made:
        yield made
