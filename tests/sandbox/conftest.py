"""A sandbox on a free port, and a client that is logged in."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from idms_cli.sandbox import Sandbox
from idms_cli.sandbox.server import serve

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
LOGIN = {"grant_type": "password", "username": "idms-background", "password": "sandbox"}

Start = Callable[..., tuple[Sandbox, httpx.Client]]


def log_in(client: httpx.Client) -> str:
    """Take a token and use it from now on."""
    reply = client.post("/token", data=LOGIN)
    assert reply.status_code == 200, reply.text
    token: str = reply.json()["access_token"]
    client.headers["Authorization"] = f"Bearer {token}"
    return token


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a sandbox with these settings: 50 members, and it is noon on 23 November 2026 unless said otherwise."""
    with ExitStack() as stack:

        def _start(**settings: Any) -> tuple[Sandbox, httpx.Client]:
            site = Sandbox(**{"members": 50, "clock": lambda: NOON, **settings})
            url = stack.enter_context(serve(site))
            client = stack.enter_context(httpx.Client(base_url=url, timeout=20))
            log_in(client)
            return site, client

        yield _start


@pytest.fixture
def running(start: Start) -> tuple[Sandbox, httpx.Client]:
    """A sandbox as it comes."""
    return start()


@pytest.fixture
def site(running: tuple[Sandbox, httpx.Client]) -> Sandbox:
    """The sandbox of `client`."""
    return running[0]


@pytest.fixture
def client(running: tuple[Sandbox, httpx.Client]) -> httpx.Client:
    """Logged in to `site`."""
    return running[1]
