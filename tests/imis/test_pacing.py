"""Rate and number of requests at once, over threads and processes."""

import threading

import pytest

from idms_cli.imis.pacing import Pace
from idms_cli.imis.site import SiteAccess


@pytest.fixture
def pace(tmp_path, clock):
    def make(**settings):
        access = SiteAccess("live", "https://x.example", "u", lambda: "p", tmp_path / "state", **settings)
        return Pace(access, clock)

    return make


def take(pace):
    with pace.turn():
        pass


def test_requests_come_at_the_rate_after_a_small_burst(pace, clock):
    slow = pace(rate_per_s=5)
    started = clock.time
    for _ in range(23):
        take(slow)
    assert clock.time - started == pytest.approx(4.0, abs=0.21)


def test_two_processes_share_one_rate(pace, clock):
    one, two = pace(rate_per_s=2), pace(rate_per_s=2)
    started = clock.time
    for _ in range(10):
        take(one)
        take(two)
    assert clock.time - started == pytest.approx(9.0, abs=0.51)


def test_a_pause_saves_up_no_more_than_the_burst(pace, clock):
    slow = pace(rate_per_s=2)
    take(slow)
    clock.time += 3600
    started = clock.time
    for _ in range(5):
        take(slow)
    assert clock.time - started == pytest.approx(1.5, abs=0.01)


def test_a_time_from_before_the_last_start_of_the_machine_does_not_count(pace, clock, tmp_path):
    slow = pace(rate_per_s=1)
    for _ in range(50):
        take(slow)
    rate_file = tmp_path / "state/pace/live.rate"
    rate_file.write_bytes(b"another-boot".ljust(36) + rate_file.read_bytes()[36:])
    clock.time, clock.slept = 5.0, []
    take(slow)
    assert clock.slept == []


def test_without_a_rate_nobody_waits(pace, clock):
    free = pace(rate_per_s=None)
    for _ in range(100):
        take(free)
    assert clock.slept == []


@pytest.mark.parametrize("places", [1, 3])
def test_no_more_requests_than_allowed_are_under_way(pace, places):
    paces = [pace(rate_per_s=None, concurrency=places) for _ in range(8)]
    lock, now, peak = threading.Lock(), [0], [0]

    def work(one):
        for _ in range(20):
            with one.turn():
                with lock:
                    now[0] += 1
                    peak[0] = max(peak[0], now[0])
                with lock:
                    now[0] -= 1

    threads = [threading.Thread(target=work, args=(one,)) for one in paces]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 1 <= peak[0] <= places


def test_all_places_can_be_taken_at_once(pace):
    wide = pace(rate_per_s=None, concurrency=3)
    together = threading.Barrier(3, timeout=20)
    arrived = []

    def work():
        with wide.turn():
            arrived.append(together.wait())

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(arrived) == 3
