"""A progress bar for a run that somebody waits for, on a terminal."""

from collections.abc import Mapping
from types import TracebackType
from typing import Any


class ProgressBar:
    """Use as a context; `update` it with the counts so far. Draws on stderr, so that stdout stays the result."""

    def __init__(self, title: str) -> None:
        from rich.console import Console  # noqa: PLC0415 - only where somebody watches
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._progress.add_task(f"{title}: starting", total=None)
        self._title = title

    def update(self, counts: Mapping[str, int]) -> None:
        """Reading has no end that is known; writing has."""
        if not counts:
            return
        left = counts.get("left", 0)
        done = counts.get("inserted", 0) + counts.get("updated", 0)
        settled = sum(counts.get(name, 0) for name in ("inserted", "updated", "unchanged", "skipped", "rejected"))
        fields: dict[str, Any]
        if settled or left:
            fields = {"description": f"{self._title}: writing", "completed": done, "total": done + left}
        else:
            fields = {"description": f"{self._title}: planning", "completed": counts.get("read", 0), "total": None}
        self._progress.update(self._task, **fields)

    def say(self, text: str) -> None:
        """Tell what it waits for."""
        self._progress.update(self._task, description=f"{self._title}: {text}")

    def __enter__(self) -> "ProgressBar":
        self._progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self._progress.stop()
