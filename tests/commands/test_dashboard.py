"""The dashboard: what it shows of a history, what its keys do, and that nothing acts without being asked for."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import DataTable, Static

from idms_cli.commands.dashboard import Commands
from idms_cli.config.settings import read_settings
from idms_cli.errors import InputError
from idms_cli.history.store import Store
from idms_cli.reports.dashboard.dialogs import Question, Reading
from idms_cli.reports.dashboard.screen import Dashboard, Done
from idms_cli.reports.dashboard.snapshot import Watcher
from tests.commands.conftest import GOOD, Desk, Past

HOSTILE = "[/red]a\x1b[2Jb\u202ec"
HARMLESS = "[/red]a\\x1b[2Jb\\u202ec"


class Hand:
    """Takes the commands that the dashboard gives."""

    def __init__(self) -> None:
        self.given: list[list[str]] = []
        self.answer = Done(0, "run 9 of good: completed\n")

    async def __call__(self, words: Sequence[str]) -> Done:
        self.given.append(list(words))
        return self.answer


@pytest.fixture
def hand() -> Hand:
    return Hand()


@pytest.fixture
def look(desk: Desk, hand: Hand) -> Callable[..., None]:
    """Opens the dashboard, has `steps` done to it, and closes it."""

    def opened(steps: Callable[[Pilot[None]], Awaitable[None]], *, size: tuple[int, int] = (80, 24)) -> None:
        async def run() -> None:
            app = Dashboard(Watcher(read_settings(desk.directory / "idms.yaml")), hand)
            async with app.run_test(size=size) as pilot:
                await pilot.pause()
                await steps(pilot)

        asyncio.run(run())

    return opened


def _text(pilot: Pilot[None], place: str) -> str:
    return str(pilot.app.query_one(f"#{place}", Static).render())


def _rows(pilot: Pilot[None]) -> list[list[str]]:
    table: DataTable[Any] = pilot.app.query_one(DataTable)
    return [[str(cell).strip() for cell in table.get_row_at(place)] for place in range(table.row_count)]


async def _go_to(pilot: Pilot[None], job: str) -> None:
    names = [row[1] for row in _rows(pilot)]
    pilot.app.query_one(DataTable).move_cursor(row=names.index(job))
    await pilot.pause()


@pytest.mark.parametrize("size", [(80, 24), (200, 50), (40, 12)])
def test_it_shows_problems_first_and_what_runs(
    desk: Desk, past: Past, look: Callable[..., None], size: tuple[int, int]
) -> None:
    for name in ("a-fine", "z-failed", "m-held"):
        desk.job(name, GOOD)
    past.ended("completed", job="a-fine", counts={"read": 3})
    past.ended("failed", HOSTILE, job="z-failed")
    past.ended("held", "too much", job="m-held")
    run = past.running()
    (desk.state / "runs" / str(run) / "progress.json").write_text('{"read": 9, "inserted": 2, "left": 7}')

    async def steps(pilot: Pilot[None]) -> None:
        assert [row[:3] for row in _rows(pilot)] == [
            ["!", "m-held", "held"],
            ["!", "z-failed", "failed"],
            [">", "good", "running"],
            ["", "a-fine", "completed"],
        ]
        assert "2 need you, 1 running, 1 fine" in _text(pilot, "head")
        assert "run-due has never been called" in _text(pilot, "notices")
        assert _text(pilot, "running") == f"> run {run} of good: [##........] writing 2 of 9"
        await _go_to(pilot, "z-failed")
        assert _text(pilot, "told").startswith("z-failed: run 2, ")
        assert HARMLESS in _text(pilot, "told")
        lanes = [line.split()[0] for line in _text(pilot, "lanes").splitlines()[1:]]
        assert set(lanes[:2]) == {"m-held", "z-failed"}

    look(steps, size=size)


@pytest.mark.parametrize(
    "case",
    [
        ("good", ["r", "y"], ["run", "good"]),
        ("runs", ["s", "y"], ["stop", "2"]),
        ("held", ["a", "y"], ["approve", "1"]),
        ("good", ["p", *"why", "enter"], ["pause", "good", "--why", "why"]),
        ("good", ["p", "enter"], ["pause", "good"]),
        ("paused", ["p", "y"], ["resume", "paused"]),
    ],
    ids=["run", "stop", "approve", "pause with a reason", "pause", "resume"],
)
def test_a_key_acts_after_it_was_asked_for(
    desk: Desk, past: Past, look: Callable[..., None], hand: Hand, case: tuple[str, list[str], list[str]]
) -> None:
    job, keys, command = case
    for name in ("held", "runs", "paused"):
        desk.job(name, GOOD)
    past.ended("held", "too much", job="held")
    past.running("runs")
    desk.idms("pause", "paused")

    async def steps(pilot: Pilot[None]) -> None:
        await _go_to(pilot, job)
        for no in ("n", "escape") if keys[0] != "p" or job == "paused" else ("escape",):
            await pilot.press(keys[0])
            await pilot.pause()
            assert isinstance(pilot.app.screen, Question)
            await pilot.press(no)
            await pilot.pause()
        assert hand.given == []
        await pilot.press(*keys)
        await pilot.pause()
        await pilot.app.workers.wait_for_complete()
        assert hand.given == [command]

    look(steps)


@pytest.mark.parametrize(("key", "told"), [("s", "no run of good is under way"), ("a", "no run of good is held")])
def test_what_cannot_be_done_is_said(desk: Desk, look: Callable[..., None], hand: Hand, key: str, told: str) -> None:
    async def steps(pilot: Pilot[None]) -> None:
        await pilot.press(key)
        await pilot.pause()
        assert not isinstance(pilot.app.screen, Question)
        assert [each.message for each in pilot.app._notifications] == [told]
        assert hand.given == []

    look(steps)


def test_a_run_that_asks_is_not_approved_by_a_key(
    desk: Desk, past: Past, look: Callable[..., None], hand: Hand
) -> None:
    past.ended("held", "one record", counts={"read": 1, "left": 1, "questions": 1})

    async def steps(pilot: Pilot[None]) -> None:
        await pilot.press("a", "y")
        await pilot.pause()
        assert hand.given == []

    look(steps)


def test_enter_shows_the_run_and_its_text_is_harmless(
    desk: Desk, past: Past, look: Callable[..., None], hand: Hand
) -> None:
    past.ended("completed")
    hand.answer = Done(0, f"run 1\n{HOSTILE}\n")

    async def steps(pilot: Pilot[None]) -> None:
        await pilot.press("enter")
        await pilot.app.workers.wait_for_complete()
        await pilot.pause()
        assert hand.given == [["show", "1"]]
        assert isinstance(pilot.app.screen, Reading)
        assert str(pilot.app.screen.query(Static)[1].render()) == f"run 1\n{HARMLESS}"
        await pilot.press("r")  # a key of the screen below
        await pilot.press("q")
        await pilot.pause()
        assert not isinstance(pilot.app.screen, Reading)
        assert hand.given == [["show", "1"]]

    look(steps)


def test_of_a_job_that_never_ran_it_shows_why(look: Callable[..., None], hand: Hand) -> None:
    async def steps(pilot: Pilot[None]) -> None:
        await pilot.press("v")
        await pilot.app.workers.wait_for_complete()
        assert hand.given == [["why", "good"]]

    look(steps)


def test_without_a_job_no_key_does_anything(desk: Desk, look: Callable[..., None], hand: Hand) -> None:
    (desk.jobs / "good.yaml").unlink()

    async def steps(pilot: Pilot[None]) -> None:
        assert "no jobs yet" in _text(pilot, "head")
        await pilot.press("r", "s", "a", "p", "v", "enter")
        await pilot.pause()
        assert not isinstance(pilot.app.screen, Question)
        assert hand.given == []

    look(steps)


def test_a_picture_that_cannot_be_taken_leaves_the_last_one_and_says_why(desk: Desk, look: Callable[..., None]) -> None:
    async def steps(pilot: Pilot[None]) -> None:
        (desk.directory / "jobs.d/good.yaml").unlink()
        desk.jobs.rmdir()
        await pilot.app.look_again()  # type: ignore[attr-defined]
        await pilot.pause()
        assert "This is an old picture: " in _text(pilot, "notices")
        assert "the folder of job files cannot be read" in _text(pilot, "notices")
        assert [row[1] for row in _rows(pilot)] == ["good"]

    look(steps)


def test_the_cursor_stays_on_its_job(desk: Desk, past: Past, look: Callable[..., None]) -> None:
    desk.job("other", GOOD)

    async def steps(pilot: Pilot[None]) -> None:
        await _go_to(pilot, "other")
        past.ended("failed", "no", job="other")
        await pilot.app.look_again()  # type: ignore[attr-defined]
        await pilot.pause()
        assert [row[1] for row in _rows(pilot)] == ["other", "good"]
        assert _text(pilot, "told").startswith("other: run 1")

    look(steps)


def test_the_day_has_what_ran_what_did_not_and_what_is_to_come(desk: Desk, past: Past) -> None:
    desk.job("good", GOOD + "schedule: {every: 1m}\n")
    desk.idms("status")
    past.ended("failed", "no")
    now = datetime.now(UTC)
    with closing(Store(desk.state)) as store:
        store.slots.skip("good", [int(time.time())], time.time(), reason="overlap: a run goes on")
    watcher = Watcher(read_settings(desk.directory / "idms.yaml"))
    (lane,) = watcher.look(now).timeline.lanes
    statuses = [status for _, status in lane.marks]
    assert {"skipped", "coming"} <= set(statuses)
    assert lane.goes_on
    assert watcher.look(now).timeline.lanes == [lane]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_as_q_does(look: Callable[..., None], number: int) -> None:
    before = signal.getsignal(number)

    async def steps(pilot: Pilot[None]) -> None:
        os.kill(os.getpid(), number)
        await pilot.pause()
        assert pilot.app._exit

    look(steps)
    assert signal.getsignal(number) == before


def test_commands_are_those_of_idms_itself(desk: Desk, past: Past) -> None:
    past.ended("completed")
    done = asyncio.run(Commands(read_settings(desk.directory / "idms.yaml"))(["show", "7"]))
    assert (done.code, done.text) == (2, "idms: there is no run 7\nhint: `idms history` lists the runs.\n")


def test_it_needs_a_terminal(desk: Desk) -> None:
    told = desk.idms("dashboard")
    assert (told.code, told.out) == (2, "")
    assert told.err.startswith("idms: the dashboard needs a terminal, and std")


def test_without_its_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from idms_cli.commands import dashboard

    monkeypatch.setattr(dashboard, "require_terminal", lambda option: None)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setitem(sys.modules, "idms_cli.reports.dashboard.screen", None)
    with pytest.raises(InputError) as refused:
        dashboard.command.callback.__wrapped__(None)  # type: ignore[union-attr]
    assert "pip install 'idms-cli[dashboard]'" in refused.value.hint
