"""A page that is drawn in place: it ends as people expect, leaves the terminal as it was, and fits."""

import os
import pty
import signal
import termios
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TextIO

import pytest

from idms_cli.reports.page import Line, Page
from idms_cli.reports.watching import ENTER, LEAVE, watch
from tests.conftest import until


@dataclass
class Terminal:
    """Our end of a terminal on which a page is watched, and what it received."""

    ours: int
    theirs: int
    keys: TextIO
    out: TextIO
    received: bytes = b""

    def watch(self, page: Callable[[], Page], every_s: float) -> None:
        """Returns when the terminal has received all of it."""
        try:
            watch(page, every_s=every_s, keys=self.keys, out=self.out)
        finally:
            until(lambda: LEAVE in self.text(), limit_s=10)

    def press(self, keys: bytes) -> None:
        os.write(self.ours, keys)

    def receive(self) -> None:
        with suppress(OSError):  # the other end was closed
            while True:
                self.received += os.read(self.ours, 65536)

    def text(self) -> str:
        return self.received.decode()


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    """stdin and stdout are a terminal of 40 columns and 5 lines."""
    monkeypatch.setenv("TERM", "xterm")
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (5, 40))
    with open(theirs, closefd=False) as keys, os.fdopen(os.dup(theirs), "w") as out:
        made = Terminal(ours, theirs, keys, out)
        reader = threading.Thread(target=made.receive)
        reader.start()
        yield made
    os.close(theirs)
    reader.join(timeout=10)
    os.close(ours)


def _pages(*texts: str, then: Callable[[], object]) -> Callable[[], Page]:
    """Pages one after the other; the last one again and again, and `then` is called with each of those."""
    left = list(texts)

    def page() -> Page:
        if len(left) == 1:
            then()
        return Page({}, [Line(left.pop(0) if len(left) > 1 else left[0])])

    return page


@pytest.mark.parametrize("keys", [b"q", b"Q", b"\x1b", b"\x04"], ids=["q", "Q", "Escape", "Ctrl-D"])
def test_a_key_ends_it_and_the_terminal_is_as_it_was(terminal: Terminal, keys: bytes) -> None:
    before = termios.tcgetattr(terminal.theirs)
    terminal.watch(_pages("one", "two", then=lambda: terminal.press(keys)), 0.01)
    assert termios.tcgetattr(terminal.theirs) == before
    assert terminal.text().startswith(ENTER)
    assert "one" in terminal.text()
    assert "two" in terminal.text()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_as_cleanly(terminal: Terminal, number: int) -> None:
    before, handler = termios.tcgetattr(terminal.theirs), signal.getsignal(number)
    terminal.watch(_pages("one", then=lambda: os.kill(os.getpid(), number)), 60)
    assert termios.tcgetattr(terminal.theirs) == before
    assert signal.getsignal(number) == handler


def test_any_other_key_draws_it_anew_at_once(terminal: Terminal) -> None:
    keys = iter([b" ", b"q"])
    terminal.watch(_pages("one", then=lambda: terminal.press(next(keys))), 600)
    assert terminal.text().count("one") == 2


def test_an_error_while_it_draws_leaves_the_terminal_first(terminal: Terminal) -> None:
    def page() -> Page:
        raise OSError("no")

    before = termios.tcgetattr(terminal.theirs)
    with pytest.raises(OSError, match="no"):
        terminal.watch(page, 60)
    assert termios.tcgetattr(terminal.theirs) == before


def test_what_does_not_fit_is_cut_and_counted(terminal: Terminal) -> None:
    def page() -> Page:
        terminal.press(b"q")
        return Page({}, [Line(f"line {number}") for number in range(7)])

    terminal.watch(page, 600)
    assert "line 3" in terminal.text()
    assert "line 4" not in terminal.text()
    assert "3 more lines; every 600 s; q ends" in terminal.text()
