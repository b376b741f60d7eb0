"""Letting go of what is old: a tick takes a small step of it every hour, `idms prune` all of it."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from idms_cli.config.settings import RetentionOptions
from idms_cli.dispatch.locks import run_lock, take
from idms_cli.history.store import Store

EVERY_S = 3600
STEP = 200
"""Runs, directories and slots that a tick lets go of at most."""

_GONE = ".removed-"
_STRAY_AFTER_S = 86_400


@dataclass(frozen=True)
class Tidied:
    """What was let go, or would be."""

    runs: int = 0
    slots: int = 0
    directories: int = 0
    size: int = 0
    """Bytes of those directories."""
    more: bool = False
    """The step was not long enough."""

    def __add__(self, other: "Tidied") -> "Tidied":
        return Tidied(
            self.runs + other.runs,
            self.slots + other.slots,
            self.directories + other.directories,
            self.size + other.size,
            other.more,
        )


def tidy_if_due(store: Store, keep: RetentionOptions, now: float) -> Tidied:
    """The step of a tick, once an hour, or once a minute while there is more to do."""
    planned = store.retention.next_at
    if planned is not None and planned > now:
        return Tidied()
    if planned is None:
        store.retention.plan(now + EVERY_S)
        return Tidied()
    done = Tidying(store, keep, now).step(STEP)
    store.retention.plan(now if done.more else now + EVERY_S)
    return done


class Tidying:
    """One round. Directories go before the rows that lead to them, so that a crash leaves none that nobody knows."""

    def __init__(self, store: Store, keep: RetentionOptions, now: float) -> None:
        self._store = store
        self._keep = keep
        self._now = now

    def step(self, most: int) -> Tidied:
        """Let go of at most so many runs, directories and skipped slots. Raises `OSError` and `sqlite3.Error`."""
        before = self._runs_before()
        self._sweep()
        directories, size = self._remove(list(islice(self._old_directories(), most)))
        runs = self._store.retention.removable(before, most)
        removed, more_size = self._remove(runs)
        self._store.retention.forget(runs, before)
        slots = self._store.retention.forget_skipped(before, most)
        more = most in (directories, len(runs), slots)
        if not more and (runs or slots):
            self._store.retention.forget_rest(before)
        return Tidied(len(runs), slots, directories + removed, size + more_size, more)

    def foreseen(self) -> Tidied:
        """What all steps together would let go, as far as it can be told; changes nothing."""
        runs = self._store.retention.removable(self._runs_before(), 10_000_000)
        there = {*self._old_directories(), *filter(lambda run: self._directory(run).exists(), runs)}
        size = sum(_size(self._directory(run)) for run in there)
        return Tidied(len(runs), 0, len(there), size)

    def _runs_before(self) -> float:
        oldest = self._now - self._keep.runs.total_seconds()
        most = self._keep.count and self._store.retention.count_limit(self._keep.count)
        return max(oldest, most or oldest)

    def _old_directories(self) -> Iterator[int]:
        """Directories of runs that are over: those that are too old, and the oldest beyond the size; and strays."""
        there = sorted(self._store.kept_runs())
        ended = self._store.retention.ended(there)
        oldest = self._now - self._keep.journals.total_seconds()
        excess = self._excess(there)
        for run in ended:
            if run.at >= oldest and excess <= 0:
                break
            excess -= _size(self._directory(run.run)) if excess > 0 else 0
            yield run.run
        for stray in self._store.retention.unknown(there):
            with suppress(FileNotFoundError):
                if self._directory(stray).stat().st_mtime < self._now - _STRAY_AFTER_S:
                    yield stray

    def _excess(self, there: list[int]) -> int:
        """Bytes that all directories have beyond what they may."""
        if self._keep.size is None:
            return 0
        return sum(_size(self._directory(run)) for run in there) - self._keep.size

    def _remove(self, runs: list[int]) -> tuple[int, int]:
        """Number and bytes of the directories that are gone. One that somebody holds stays."""
        removed = size = 0
        for run in runs:
            directory = self._directory(run)
            if not directory.is_dir():
                continue
            alive = take(run_lock(directory))
            if alive is None:
                continue
            try:
                size += _size(directory)
                gone = directory.with_name(f"{_GONE}{run}")
                directory.rename(gone)
                shutil.rmtree(gone, ignore_errors=True)
                removed += 1
            finally:
                alive.release()
        return removed, size

    def _sweep(self) -> None:
        """What an earlier step could not finish."""
        for rest in self._store.run_directories.glob(f"{_GONE}*"):
            shutil.rmtree(rest, ignore_errors=True)

    def _directory(self, run: int) -> Path:
        return self._store.run_directory(run)


def tidy_all(store: Store, keep: RetentionOptions, now: float, *, told: Callable[[Tidied], None]) -> Tidied:
    """Step after step until nothing is left to let go; `told` hears of all that was done so far."""
    tidying, done = Tidying(store, keep, now), Tidied(more=True)
    while done.more:
        done += tidying.step(STEP * 5)
        told(done)
    return done


def _size(directory: Path) -> int:
    """Bytes that the files of a directory occupy."""
    total = 0
    with suppress(FileNotFoundError):
        for entry in os.scandir(directory):
            with suppress(FileNotFoundError):
                inside = entry.is_dir(follow_symlinks=False)
                total += _size(Path(entry.path)) if inside else entry.stat(follow_symlinks=False).st_blocks * 512
    return total
