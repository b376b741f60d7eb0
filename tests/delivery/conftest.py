"""Servers that transfers deliver to."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.delivery.postoffice import PostOffice, post_office
from tests.delivery.receiver import Receiver, receiver


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Receiver]:
    with receiver(tmp_path, tls=False) as server:
        yield server


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[Receiver]:
    """The same with a certificate."""
    with receiver(tmp_path) as server:
        yield server


@pytest.fixture
def office(tmp_path: Path) -> Iterator[PostOffice]:
    with post_office(tmp_path) as server:
        yield server
