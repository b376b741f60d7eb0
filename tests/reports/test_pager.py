"""Long output goes through a pager on a terminal, and never anywhere else."""

import io
import os
import pty
import select
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from idms_cli.reports.page import Line, Page, Table, show
from idms_cli.reports.pager import pager

LONG = [Line(f"line {number}") for number in range(30)]


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A pager that keeps what it is given; the terminal has 24 lines of 80 characters."""
    program = tmp_path / "pager"
    program.write_text('#!/bin/sh\necho "$LESS $LESSSECURE" >"$1"\ncat >>"$1"\n')
    program.chmod(0o700)
    monkeypatch.setenv("PAGER", f"{program} {tmp_path}/kept")
    monkeypatch.setenv("TERM", "xterm")
    for name, value in (("COLUMNS", "80"), ("LINES", "24")):
        monkeypatch.setenv(name, value)
    for name in ("LESS", "SUDO_UID"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "kept"


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[int, io.TextIOBase]]:
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    with os.fdopen(theirs, "w") as out, os.fdopen(os.dup(theirs)) as keys:
        monkeypatch.setattr(sys, "stdin", keys)
        yield ours, out
    os.close(ours)


def _received(ours: int) -> str:
    received = b""
    while select.select([ours], [], [], 0)[0]:
        received += os.read(ours, 65536)
    return received.decode()


def test_what_is_longer_than_the_terminal_is_paged(kept: Path, terminal: tuple[int, io.TextIOBase]) -> None:
    ours, out = terminal
    show(Page({}, [*LONG, Line("a\x1b[2Jb")]), file=out, paged=True)
    lines = kept.read_text().splitlines()
    assert lines[0].split() == ["FRX"]
    assert [line.strip() for line in lines[1:]] == [*(f"line {number}" for number in range(30)), "a\\x1b[2Jb"]
    assert _received(ours) == ""


def test_who_looks_with_anothers_rights_gets_no_shell_from_it(
    kept: Path, terminal: tuple[int, io.TextIOBase], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUDO_UID", "1000")
    show(Page({}, LONG), file=terminal[1], paged=True)
    assert kept.read_text().splitlines()[0] == "FRX 1"


@pytest.mark.parametrize("paged", [True, False], ids=["it fits", "the command wants none"])
def test_what_fits_is_not_paged(kept: Path, terminal: tuple[int, io.TextIOBase], paged: bool) -> None:
    ours, out = terminal
    show(Page({}, LONG[:23] if paged else LONG), file=out, paged=paged)
    assert not kept.exists()
    assert "line 22" in _received(ours)


@pytest.mark.parametrize("wanted", ["", "cat", "/no/such/pager -F", "'"], ids=["empty", "cat", "missing", "a quote"])
def test_without_a_pager_all_is_printed(
    kept: Path, terminal: tuple[int, io.TextIOBase], monkeypatch: pytest.MonkeyPatch, wanted: str
) -> None:
    monkeypatch.setenv("PAGER", wanted)
    ours, out = terminal
    show(Page({}, LONG), file=out, paged=True)
    assert "line 29" in _received(ours)
    assert pager(os.environ) == []


def test_a_pipe_is_never_paged(kept: Path) -> None:
    out = io.StringIO()
    show(Page({}, [*LONG, Table(("a",), [["b"]])]), file=out, paged=True)
    assert not kept.exists()
    assert out.getvalue().endswith("line 29\nA\nb\n")


def test_where_nobody_can_press_a_key_nothing_is_paged(
    kept: Path, terminal: tuple[int, io.TextIOBase], monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, out = terminal
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    show(Page({}, LONG), file=out, paged=True)
    assert not kept.exists()
    assert "line 29" in _received(ours)


def test_a_reader_who_leaves_early_is_no_error(
    terminal: tuple[int, io.TextIOBase], kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAGER", "true")
    show(Page({}, [Line("x" * 70)] * 10_000), file=terminal[1], paged=True)
