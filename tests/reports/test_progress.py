"""The progress bar: what it says for the counts that a run tells, on a terminal."""

import io
import re
from collections.abc import Mapping
from contextlib import redirect_stderr

import pytest

from idms_cli.reports.progress import ProgressBar


class _Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """A terminal of 80 columns."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    return _Screen()


def _last_line(written: str) -> str:
    """The last line as a person sees it, without the bar and the time that is left."""
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", written).replace("\r", "\n")
    lines = [line for line in text.split("\n") if line.strip()]
    return re.sub(r"[━╺╸ ]+", " ", lines[-1]).replace("-:--:--", "").strip()


@pytest.mark.parametrize(
    ("counts", "told"),
    [
        ({}, "scores: starting"),
        ({"fetched": 1500, "get": 3}, "scores: reading 1,500 rows"),
        ({"fetched": 1500, "read": 500}, "scores: planning 500 rows"),
        ({"read": 1}, "scores: planning 1 row"),
        ({"read": 1200, "left": 0}, "scores: planning 1,200 rows"),
        ({"read": 1200, "left": 1000, "rejected": 200}, "scores: writing 0 of 1,000"),
        ({"read": 3, "inserted": 1, "updated": 1, "left": 1}, "scores: writing 2 of 3"),
        ({"read": 3, "unchanged": 3}, "scores: writing 0 of 0"),
        ({"selected": 1200, "steps": 3, "steps_left": 2, "step": 2}, "scores: step 2 of 3 1,200 rows"),
        ({"selected": 9, "steps": 1, "steps_left": 1, "step": 1, "step_items": 4}, "scores: step 1 of 1 4 items"),
        ({"selected": 9, "steps": 1, "steps_left": 1, "step_records": 4}, "scores: step 1 of 1 4 of 9 rows"),
    ],
    ids=[
        "nothing yet",
        "a query",
        "a query that was read",
        "one row",
        "planning",
        "planned",
        "writing",
        "nothing to write",
        "a step",
        "items of a step",
        "rows of a step",
    ],
)
def test_the_bar_says_what_is_done(screen: io.StringIO, counts: Mapping[str, int], told: str) -> None:
    with redirect_stderr(screen), ProgressBar("scores") as bar:
        bar.update(counts)
        seen = len(screen.getvalue())
    assert _last_line(screen.getvalue()[seen:]) == told


def test_what_it_waits_for_is_said_without_control_codes(screen: io.StringIO) -> None:
    with redirect_stderr(screen), ProgressBar("scores") as bar:
        bar.say("waits for file:/srv/\x1b[2J[red]x.csv")
    assert "scores: waits for file:/srv/\\x1b[2J[red]x.csv" in screen.getvalue()
