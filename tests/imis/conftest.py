"""A stub and a sandbox to talk to, with a clock that does not wait."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from idms_cli.imis.site import Site, SiteAccess
from idms_cli.sandbox import Sandbox
from idms_cli.sandbox.server import serve

from .stub import Stub, stub_site


class TestClock:
    """Time that passes only when somebody sleeps."""

    __test__ = False

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.time = now
        self.slept: list[float] = []

    def now(self) -> float:
        return self.time

    def ticks(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds


Connect = Callable[..., Site]


@pytest.fixture
def clock() -> TestClock:
    return TestClock()


@pytest.fixture
def log() -> list[str]:
    return []


@pytest.fixture
def stub() -> Iterator[Stub]:
    with stub_site() as one:
        yield one


@pytest.fixture
def connect(tmp_path: Path, clock: TestClock, log: list[str]) -> Iterator[Connect]:
    """`connect(url, **access)` opens a site, closed at the end of the test."""
    with ExitStack() as stack:

        def open_site(url: str, **changes: Any) -> Site:
            settings: dict[str, Any] = {
                "name": "live",
                "url": url,
                "username": "idms-background",
                "password": lambda: "sandbox",
                "state": tmp_path / "state",
                "rate_per_s": None,
                "timeout_s": 20,
                **changes,
            }
            return stack.enter_context(Site(SiteAccess(**settings), log=log.append, clock=clock))

        yield open_site


@pytest.fixture
def site(stub: Stub, connect: Connect) -> Site:
    """A client of the stub."""
    return connect(stub.url)


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(members=60)


@pytest.fixture
def live(sandbox: Sandbox, connect: Connect) -> Iterator[Site]:
    """A client of the sandbox."""
    with serve(sandbox) as url:
        yield connect(url)
