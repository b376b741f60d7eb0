"""A clock that was ahead for a while: what was decided for a time that is still to come is open again."""

from datetime import datetime

import pytest

from idms_cli.config.settings import read_settings
from idms_cli.dispatch.tick import tick
from idms_cli.history.store import Store
from tests.conftest import Place


def _ticks(place: Place, *moments: str) -> None:
    settings = read_settings(place.directory / "idms.yaml")
    with Store(place.state) as store:
        for moment in moments:
            tick(store, settings, datetime.fromisoformat(f"2026-12-01 {moment}+00:00"))


@pytest.fixture
def deferred(place: Place, url: str) -> Place:
    """A job whose slot at 02:00 waits for the end of a window, and whose slots are all told as disabled."""
    place.settings(url, more='calendars: {nightly: {weekly: "mon-sun 01:00-04:00"}}\n')
    place.job("scores", schedule='{daily: ["00:30", "02:00"], not_during: nightly}', more="enabled: false")
    return place


def test_a_slot_that_waits_for_the_end_of_a_window_is_open_again(deferred: Place) -> None:
    _ticks(deferred, "00:00", "05:00", "05:01")
    assert [due for due, *_ in deferred.slots("scores")] == ["2026-12-01 00:30", "2026-12-01 02:00"]
    _ticks(deferred, "02:30")
    assert [due for due, *_ in deferred.slots("scores")] == ["2026-12-01 00:30"]
    _ticks(deferred, "03:59", "04:00")
    assert [due for due, *_ in deferred.slots("scores")] == ["2026-12-01 00:30", "2026-12-01 02:00"]
