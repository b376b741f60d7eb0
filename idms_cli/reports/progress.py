"""A progress bar for a run that somebody waits for, on a terminal."""

from collections.abc import Mapping
from types import TracebackType

from idms_cli.config.foreign import harmless
from idms_cli.reports.wording import some


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
        """Reading has no end that is known; writing has."""
        if not counts:
            return
        if "steps" in counts:
            self._show_step(counts)
            return
        left = counts.get("left", 0)
        done = sum(counts.get(name, 0) for name in ("inserted", "updated", "deleted"))
        settled = done + sum(counts.get(name, 0) for name in ("unchanged", "skipped", "rejected"))
        if settled or left:
            self._show("writing", done, f"{done:,} of {done + left:,}", total=done + left)
        elif "fetched" in counts and not counts.get("read"):
            self._show("reading", counts["fetched"], some(counts["fetched"], "row"))
        else:
            read = counts.get("read", 0)
            self._show("planning", read, some(read, "row"))

    def _show_step(self, counts: Mapping[str, int]) -> None:
        """Of a transfer: which step it is at, and how far that is."""
        total, step = counts["steps"], counts.get("step", 1)
        rows, items, records = (counts.get(name, 0) for name in ("selected", "step_items", "step_records"))
        done = f"{records:,} of {some(rows, 'row')}" if records else some(items, "item") if items else some(rows, "row")
        self._show(f"step {step} of {total}", total - counts.get("steps_left", total), done, total=total)

    def _show(self, doing: str, done: int, rows: str, *, total: int | None = None) -> None:
        description = f"{self._title}: {doing}"
        self._progress.update(self._task, description=description, completed=done, total=total, rows=rows)

    def say(self, text: str) -> None:
        """Tell what it waits for."""
        self._progress.update(self._task, description=f"{self._title}: {harmless(text)}")

    def __enter__(self) -> "ProgressBar":
        self._progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self._progress.stop()
