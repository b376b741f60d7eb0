"""What the dashboard counts and draws by itself: speed, time left, and the day as a line of characters."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from idms_cli.reports.dashboard.pace import Pace, Speed
from idms_cli.reports.dashboard.timeline import Lane, Timeline
from idms_cli.reports.stage import Stage

BEGIN = datetime(2026, 12, 4, tzinfo=UTC)


def _stage(done: int, total: int | None = 100, doing: str = "writing") -> Stage:
    return Stage(doing, done, total, f"{done}")


@pytest.mark.parametrize(
    ("seen", "speed"),
    [
        ([(0, _stage(0))], Speed()),
        ([(0, _stage(0)), (2, _stage(0))], Speed()),
        ([(0, _stage(0)), (2, _stage(20))], Speed(10, 8)),
        ([(0, _stage(0, None, "reading")), (2, _stage(20, None, "reading"))], Speed(10, None)),
        ([(0, _stage(0)), (2, _stage(100))], Speed(50, 0)),
        ([(0, _stage(90, None, "planning")), (2, _stage(5))], Speed()),
        ([(0, _stage(0)), (1, _stage(50)), (70, _stage(60)), (100, _stage(66))], Speed(0.2, 170)),
        ([(0, _stage(60)), (2, _stage(20))], Speed()),
    ],
    ids=[
        "one look", "nothing done", "half way", "no end is known", "done", "another stage", "the last minute counts",
        "it began anew",
    ],
)  # fmt: skip
def test_speed_and_time_left(seen: Sequence[tuple[float, Stage]], speed: Speed) -> None:
    pace = Pace()
    assert [pace.see(stage, at) for at, stage in seen][-1] == speed


def _timeline(*lanes: Lane, zone: str = "UTC") -> Timeline:
    """Of a day at noon: 36 hours."""
    noon = BEGIN + timedelta(hours=12)
    return Timeline(BEGIN, noon, noon + timedelta(hours=24), ZoneInfo(zone), lanes)


def _at(hour: float) -> float:
    return (BEGIN + timedelta(hours=hour)).timestamp()


def test_a_lane_has_a_mark_for_what_was_and_for_what_is_to_come() -> None:
    past = [(_at(1), "completed"), (_at(3), "failed"), (_at(5), "skipped"), (_at(11.9), "running")]
    assert _timeline(Lane("scores", [*past, (_at(14), "coming")])).lines(43) == [
        "       Fri         12h         Sat",
        "scores  o x -     >| .",
    ]


def test_where_several_fall_together_the_worst_is_shown() -> None:
    marks = [(_at(2), "completed"), (_at(2.1), "partial"), (_at(2.2), "completed"), (_at(12), "held")]
    assert _timeline(Lane("j", marks)).lines(38)[1] == "j   !         !"


def test_a_job_with_too_many_slots_goes_on_to_the_end() -> None:
    (line,) = _timeline(Lane("j", [(_at(12.5), "coming"), (_at(13), "coming")], goes_on=True)).lines(38)[1:]
    assert line == "j " + " " * 12 + "." * 24


@pytest.mark.parametrize("width", [30, 60, 78, 198])
def test_it_is_as_wide_as_there_is_room_and_the_hours_do_not_run_into_each_other(width: int) -> None:
    lines = _timeline(Lane("a-job-with-a-name-that-is-rather-long-" * 3, [(_at(36), "coming")])).lines(width)
    assert max(map(len, lines)) <= max(width, 35)
    assert all(len(word) == 3 for word in lines[0].split())
