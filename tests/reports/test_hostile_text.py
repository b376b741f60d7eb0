"""Text that a stranger wrote (a description, a cell, a file's name) reaches no terminal as a command."""

import os
import pty
import re
import subprocess

import pytest

from tests.conftest import Place

ESCAPES = r"a\e]0;owned\a b\e[2J \x9b31m [red]c[/red] [/path] \u202Ed"
"""As YAML writes it in double quotes."""
COLOURS = re.compile(rb"\x1b\[[0-9;]*m")
CURSOR = re.compile(rb"\x1b\[(\?25[lh]|\d*[ABK])|\r")
"""What the progress bar moves by."""


@pytest.fixture
def hostile(place: Place) -> Place:
    path = place.job("scores")
    path.write_text(path.read_text().replace("description: Scores of scores", f'description: "{ESCAPES}"'))
    place.write("scores.csv", "member,course,grade\n101,Cooking,\x1b[2J[red]x\x9b31m\n101\x07,Sew\x1bing,A\n")
    place.write("jobs.d/a\x1b[31m.yaml", "")
    assert place.idms("run", "scores").returncode == 1
    return place


def _obeyed(output: bytes) -> list[str]:
    """Characters that a terminal would not show but act on."""
    text = output.decode()
    return [each for each in text if (each < " " and each != "\n") or "\x7f" <= each <= "\x9f" or each == "\u202e"]


def _on_terminal(place: Place, columns: int, *arguments: str) -> bytes:
    """What a terminal receives from the real command."""
    ours, theirs = pty.openpty()
    environment = {**place.environment, "COLUMNS": str(columns), "TERM": "xterm-256color"}
    process = subprocess.Popen(
        place.command(*arguments), env=environment, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    received = b""
    try:
        while part := os.read(ours, 65536):
            received += part
    except OSError:  # Linux says so when the other side is closed
        pass
    os.close(ours)
    process.wait()
    return received.replace(b"\r\n", b"\n")


def test_a_terminal_gets_no_command_but_our_own_colours(hostile: Place) -> None:
    for line, word in (("jobs", b"[red]"), ("status", b"scores"), ("show 1", b"[red]")):
        text = COLOURS.sub(b"", _on_terminal(hostile, 60, *line.split()))
        assert word in text
        assert _obeyed(text) == []
    run = _on_terminal(hostile, 60, "run", "scores")
    assert _obeyed(CURSOR.sub(b"", COLOURS.sub(b"", run))) == []


def test_pipes_json_and_logs_get_none_at_all(hostile: Place) -> None:
    for line in ("jobs", "check", "show 1", "status --json"):
        told = hostile.idms(*line.split())
        assert _obeyed(told.stdout.encode()) == []
        assert told.stderr == ""
    assert _obeyed((hostile.state / "runs/1/log.txt").read_bytes()) == []
