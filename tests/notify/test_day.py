"""24 hours in which jobs fail and get well, minute by minute: what is sent is exactly what is written here by hand."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from idms_cli.dispatch.connections import outage_file
from idms_cli.errors import Unreachable
from tests.notify.day import Day

WELL = {"status": "completed", "counts": {"read": 10, "updated": 2}}
FAILED = {"status": "failed", "reason": "the site answers 503"}
MISSING = {"status": "failed", "reason": "missing: /srv/drop/scores.csv"}
FEW = {"status": "partial", "counts": {"read": 100, "rejected": 1}}
MANY = {"status": "partial", "counts": {"read": 10, "rejected": 2}}
HELD = {"status": "held", "reason": "23% would change"}
NOTHING = {"status": "skipped", "reason": "nothing new"}

WANTED = """
00:11 ops opened dirty
00:31 ops opened paused
03:06 ops opened flaky
04:16 ops opened guarded
05:06 ops reminder flaky
07:00 board digest
07:06 ops closed flaky
09:01 ops closed guarded
10:21 ops opened hopeless
12:21 ops worse hopeless
13:26 ops opened missing
14:26 ops closed missing
15:00 ops opened loud
16:20 ops silent
16:20 ops opened short
16:20 watch failure watched
17:13 ops closed short
18:40 ops opened broken
19:41 ops closed broken
20:06 ops opened flaky
21:06 ops closed flaky
22:09 watch failure watched
22:15 ops opened imis:test
23:09 watch failure watched
23:30 ops closed imis:test
"""
"""Each with its minute. `flaky` fails from 3 to 6 and at 20 o'clock and reminds after two hours; `paused` fails and is
paused before it would; `few`, `quiet`, `picky`, `idle` and runs by hand tell nobody; nobody calls run-due from 16:01 to
16:20; the file of `broken` is that from 18:00 to 19:00; the site is down from 22:00
to 23:30, over which two slots of `watched`, and those of `short`, are given up."""

PINGS = "start", "success"


def settings(url: str) -> Mapping[str, Any]:
    program = {"program": ["/bin/true"]}
    return {
        "connections": {"test": {"url": url, "username": "a", "password": {"env": "A"}}},
        "channels": {"ops": program, "board": program, "watch": {"ping": "https://watch.example.org/x"}},
        "defaults": {"notify": ["ops"]},
        "digest": {"at": "07:00", "channels": ["board"]},
        "max_parallel": 20,
        "state": "state",
    }


@pytest.fixture
def day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Day]:
    lived = Day(tmp_path, monkeypatch, settings("https://x.example.org"))
    yield lived
    lived.close()


def test_what_is_sent_in_a_day_is_exactly_what_is_to_be(day: Day, tmp_path: Path) -> None:
    remind = "notify: {channels: [ops], remind: 2h}"
    day.job("dirty", "10 */2 * * *", lambda _: MANY, "notify: {channels: [ops], rejects: 5%}")
    day.job("flaky", "5 * * * *", lambda hour: FAILED if 3 <= hour < 7 or hour == 20 else WELL, remind)
    day.job("few", "7 * * * *", lambda _: FEW, "notify: {channels: [ops], rejects: 5%}")
    day.job("guarded", "15 4 * * *", lambda _: HELD)
    day.job("hopeless", "20 * * * *", lambda hour: FAILED if hour >= 10 else WELL, "disable_after: 3")
    day.job("missing", "25 * * * *", lambda hour: MISSING if hour == 13 else WELL)
    day.job("paused", "30 * * * *", lambda _: FAILED, remind)
    day.job("quiet", "33 * * * *", lambda _: FAILED, "notify: []")
    day.job("picky", "36 * * * *", lambda _: FAILED, "notify: {channels: [ops], on: [held]}")
    day.job("broken", "40 * * * *", lambda _: WELL)
    day.job("idle", "45 * * * *", lambda _: NOTHING)
    day.job("manual", "50 23 31 12 *", lambda _: WELL)
    day.job("loud", "50 23 31 12 *", lambda _: WELL, "notify: {channels: [ops], by_hand: true}")
    day.job("short", "12 * * * *", lambda _: WELL, grace="5m")
    day.job("watched", "3 * * * *", lambda _: WELL, "notify: [watch]", grace="5m")
    path = tmp_path / "jobs.d/broken.yaml"
    good = path.read_text()
    site = outage_file(day.settings, "test")

    def by_hand() -> None:
        day.by_hand("manual", FAILED)
        day.by_hand("loud", FAILED)

    day.live(
        "23:59",
        do={
            "02:00": lambda: day.store.pauses.begin("paused", int(day.seconds), until=None, why="", who="anna"),
            "09:00": lambda: day.approve("guarded"),
            "15:00": by_hand,
            "18:00": lambda: path.write_text(good + "mach: 1\n"),
            "19:00": lambda: path.write_text(good + "# mended\n"),
            "22:00": lambda: site.failed(Unreachable("the site answers 503"), day.seconds),
            "23:30": lambda: site.works(day.seconds),
        },
        silent=("16:01", "16:20"),
    )
    assert day.broken() == []
    pings = [each for each in day.sent if " watch " in each and "failure" not in each]
    assert [each for each in day.sent if each not in pings] == WANTED.split("\n")[1:-1]
    well = [hour for hour in range(22) if hour != 16]
    expected = [f"{hour:02}:{3 + place:02} watch {kind} watched" for hour in well for place, kind in enumerate(PINGS)]
    assert [each for each in pings if each < "22:00"] == expected
