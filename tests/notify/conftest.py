"""A site with channels to real counterparts on this machine, and a history whose outbox is sent from."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from idms_cli.config.settings import Settings, read_settings
from idms_cli.dispatch.locks import take
from idms_cli.dispatch.senders import channel_lock
from idms_cli.dispatch.sending import send_waiting
from idms_cli.history.outbox import Queued
from idms_cli.history.store import Store
from tests.delivery.postoffice import PostOffice, post_office
from tests.delivery.receiver import Receiver, receiver

NIGHT = 1_764_550_000.0
FAILED = {
    "run": 7,
    "status": "failed",
    "reason": "the site cannot be reached",
    "hint": "Try later.",
    "counts": {},
    "trouble": "failed",
    "since": NIGHT,
}


@dataclass
class Telling:
    """Channels by their names, and the store from which they are sent."""

    folder: Path
    store: Store

    def settings(self, **channels: Any) -> Settings:
        """`channels` as in idms.yaml; JSON is YAML."""
        site = {"url": "https://x.example.org", "username": "a", "password": {"env": "A"}}
        text = json.dumps({"connections": {"live": site}, "state": "state", "channels": channels})
        (self.folder / "idms.yaml").write_text(text)
        return read_settings(self.folder / "idms.yaml")

    def send(self, settings: Settings, channel: str) -> None:
        """What the process that sends does."""
        lock = take(channel_lock(self.store.state, channel))
        assert lock
        send_waiting(self.store, settings, channel, lock)

    def add(self, channel: str, kind: str = "opened", job: str = "scores", **facts: Any) -> Queued:
        (message,) = self.store.outbox.add([channel], kind, job, {**FAILED, **facts}, _now())
        return self.one(message)

    def one(self, message: int) -> Queued:
        found = self.store.outbox.one(message)
        assert found
        return found

    def due_again(self) -> None:
        """As if the time to wait were over."""
        with self.store.database.write() as connection:
            connection.execute("UPDATE message SET next_at = 0")


def _now() -> float:
    import time

    return time.time()


@pytest.fixture
def telling(tmp_path: Path) -> Iterator[Telling]:
    with Store(tmp_path / "state") as store:
        yield Telling(tmp_path, store)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[PostOffice]:
    with post_office(tmp_path) as running:
        yield running


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Receiver]:
    with receiver(tmp_path) as running:
        yield running
