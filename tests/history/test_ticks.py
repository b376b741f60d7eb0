"""What every store must promise of ticks: silence and a clock that jumped are both seen."""

import time

import pytest

from idms_cli.history import ticks
from idms_cli.history.store import Store


def _notes(store: Store) -> list[str]:
    return [row["note"] for row in store.database.connection.execute("SELECT note FROM tick ORDER BY id")]


def test_the_last_tick_is_the_one_recorded_last_whatever_its_clock_said(store: Store) -> None:
    assert store.ticks.last() is None
    store.ticks.record(2000.5)
    assert store.ticks.last() == 2000.5
    store.ticks.record(1000.0)
    assert store.ticks.last() == 1000.0


def test_a_tick_keeps_what_it_did(store: Store) -> None:
    store.ticks.claimed(store.ticks.record(1000.0, note="the clock jumped"), 3)
    row = store.database.connection.execute("SELECT at, claimed, note FROM tick").fetchone()
    assert tuple(row) == (1000.0, 3, "the clock jumped")


def test_old_ticks_go(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ticks, "KEPT", 3)
    for number in range(5):
        store.ticks.record(float(number), note=str(number))
    assert _notes(store) == ["2", "3", "4"]


@pytest.mark.parametrize(
    ("moved_s", "jump_s"),
    [(0, 0), (599, 0), (-599, 0), (601, 601), (-601, -601), (86_400, 86_400)],
    ids=["none", "a little", "a little back", "ahead", "back", "a day ahead"],
)
def test_a_clock_that_moved_against_the_time_since_boot_has_jumped(store: Store, moved_s: int, jump_s: int) -> None:
    now = time.time()
    store.ticks.record(now)
    assert store.ticks.clock_jump_s(now + moved_s) == pytest.approx(jump_s, abs=0.9)


def test_nothing_jumped_before_the_first_tick(store: Store) -> None:
    assert store.ticks.clock_jump_s(time.time()) == 0


def test_time_that_passed_with_the_machine_off_is_no_jump(store: Store) -> None:
    store.ticks.record(time.time())
    with store.database.write() as connection:
        connection.execute("UPDATE tick SET boot_id = 'an earlier boot'")
    assert store.ticks.clock_jump_s(time.time() + 86_400) == 0


def test_a_machine_that_slept_is_no_jump(store: Store) -> None:
    """The time since boot goes on while the machine sleeps."""
    now = time.time()
    store.ticks.record(now)
    with store.database.write() as connection:
        connection.execute("UPDATE tick SET at = at - 7200, boot_s = boot_s - 7200")
    assert store.ticks.clock_jump_s(now) == 0
