"""A progress bar for a run that somebody waits for, on a terminal."""

from collections.abc import Mapping
from types import TracebackType

from idms_cli.config.foreign import harmless
from idms_cli.reports.stage import stage_of


class ProgressBar:
    """Use as a context; `update` it with the counts so far. Draws on stderr, so that stdout stays the result."""

    def __init__(self, title: str) -> None:
        from rich.console import Console  # noqa: PLC0415 - only where somebody watches
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.fields[rows]}", markup=False),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._progress.add_task(f"{title}: starting", total=None, rows="")
        self._title = title

    def update(self, counts: Mapping[str, int]) -> None:
        """Draw how far it is."""
        stage = stage_of(counts)
        if stage:
            description = f"{self._title}: {stage.doing}"
            self._progress.update(
                self._task, description=description, completed=stage.done, total=stage.total, rows=stage.told
            )

    def say(self, text: str) -> None:
        """Tell what it waits for."""
        self._progress.update(self._task, description=f"{self._title}: {harmless(text)}")

    def __enter__(self) -> "ProgressBar":
        self._progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self._progress.stop()
