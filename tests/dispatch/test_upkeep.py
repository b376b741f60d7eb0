"""Old runs and their directories are let go: by ticks in small steps, or all at once."""

import time
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from idms_cli.config.settings import RetentionOptions
from idms_cli.dispatch.locks import run_lock, take
from idms_cli.dispatch.upkeep import EVERY_S, Tidied, Tidying, tidy_all, tidy_if_due
from idms_cli.history.rows import NewRun
from idms_cli.history.store import Store

DAY = 86_400
KEEP = RetentionOptions.model_validate({"runs": "30d", "journals": "10d"}, by_alias=True, by_name=False)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(tmp_path / "state")) as opened:
        yield opened


def _run(store: Store, days_ago: int, *, size: int = 100, job: str = "scores") -> int:
    at = time.time() - days_ago * DAY
    new = NewRun(job=job, definition=store.runs.remember("/etc/scores.yaml", "module: import\n"))
    with store.database.write() as connection:
        run = store.runs.create(connection, new, at)
        store.runs.start(connection, run, at)
    store.runs.end(run, at + 1, {"status": "completed"})
    directory = store.run_directory(run)
    directory.mkdir(parents=True)
    (directory / "journal.db").write_bytes(b"x" * size)
    return run


def _directories(store: Store) -> list[int]:
    return sorted(int(path.name) for path in store.run_directories.iterdir())


def _runs(store: Store) -> list[int]:
    return [row["id"] for row in store.database.connection.execute("SELECT id FROM run ORDER BY id")]


def test_directories_go_before_their_runs_do(store: Store) -> None:
    for days in (40, 35, 20, 5, 4, 3, 2, 1):
        _run(store, days)
    done = tidy_all(store, KEEP, time.time(), told=lambda _: None)
    assert (done.runs, done.directories) == (2, 3)
    assert _runs(store) == [3, 4, 5, 6, 7, 8]
    assert _directories(store) == [4, 5, 6, 7, 8]


def test_what_would_go_is_told_without_a_change(store: Store) -> None:
    for days in (40, 20, 5, 4, 3, 2, 1):
        _run(store, days)
    foreseen = Tidying(store, KEEP, time.time()).foreseen()
    assert (foreseen.runs, foreseen.directories) == (1, 2)
    assert len(_directories(store)) == len(_runs(store)) == 7


def test_beyond_their_size_the_oldest_directories_go(store: Store) -> None:
    for _ in range(4):
        _run(store, 1, size=100_000)
    keep = RetentionOptions.model_validate({"size": "250KB"}, by_alias=True, by_name=False)
    tidy_all(store, keep, time.time(), told=lambda _: None)
    assert _directories(store) == [3, 4]


def test_a_directory_that_somebody_holds_stays(store: Store) -> None:
    old = _run(store, 20)
    alive = take(run_lock(store.run_directory(old)))
    assert alive is not None
    assert Tidying(store, KEEP, time.time()).step(10).directories == 0
    alive.release()
    assert Tidying(store, KEEP, time.time()).step(10).directories == 1


def test_what_an_earlier_step_left_half_removed_goes_with_the_next(store: Store) -> None:
    _run(store, 1)
    rest = store.run_directories / ".removed-99"
    rest.mkdir()
    (rest / "journal.db").write_bytes(b"x")
    Tidying(store, KEEP, time.time()).step(10)
    assert not rest.exists()


def test_a_tick_waits_an_hour_between_steps_and_goes_on_at_once_while_there_is_more(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("idms_cli.dispatch.upkeep.STEP", 2)
    for _ in range(3):
        _run(store, 20)
    now = time.time()
    assert tidy_if_due(store, KEEP, now) == Tidied()
    assert tidy_if_due(store, KEEP, now + EVERY_S - 1) == Tidied()
    assert tidy_if_due(store, KEEP, now + EVERY_S).directories == 2
    assert tidy_if_due(store, KEEP, now + EVERY_S + 60).directories == 1
    assert tidy_if_due(store, KEEP, now + EVERY_S + 120) == Tidied()


def test_durations_are_what_the_file_says() -> None:
    assert RetentionOptions().runs == timedelta(days=400)
    assert KEEP.journals == timedelta(days=10)
