"""A page that is drawn again and again in place, until the person who watches has seen enough."""

import os
import select
import signal
import sys
import termios
import tty
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import TextIO

from idms_cli.errors import InputError
from idms_cli.reports.page import Line, Page, Table
from idms_cli.reports.terminal import lines_of

ENTER, LEAVE = "\x1b[?1049h\x1b[?25l\x1b[?7l", "\x1b[?7h\x1b[?25h\x1b[?1049l"
"""The other screen, without cursor and line breaks; and back to what stood there before (xterm's control sequences)."""
HOME, REST_OF_LINE, REST = "\x1b[H", "\x1b[K", "\x1b[J"
ENDS = frozenset(b"qQ\x03\x04\x1b")
"""q, Ctrl-C where it is no signal, Ctrl-D, Escape."""
LOOK_EVERY_S = 0.2
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def require_terminal(option: str) -> None:
    """Raises `InputError` where nobody looks."""
    for name, stream in (("stdout", sys.stdout), ("stdin", sys.stdin)):
        if not stream.isatty():
            hint = "Leave it out to print once; --json is for programs."
            raise InputError(f"{option} needs a terminal, and {name} is none", hint=hint)


def watch(page: Callable[[], Page], *, every_s: float, keys: TextIO | None = None, out: TextIO | None = None) -> None:
    """Draw `page()` in place, again every `every_s` seconds or when a key is pressed; returns at q or Ctrl-C.

    On the terminal that is stdin and stdout, or `keys` and `out`.

    However it ends, also by a signal, the terminal is as it was.
    """
    with suppress(KeyboardInterrupt), Screen(keys or sys.stdin, out or sys.stdout) as screen:
        while not screen.is_over:
            screen.draw(page().parts, f"every {every_s:g} s; q ends")
            screen.wait(every_s)


class Screen:
    """The whole terminal, for the time of the context."""

    def __init__(self, keys: TextIO, out: TextIO) -> None:
        self._keys = keys.fileno()
        self._out = out
        self.is_over = False

    def draw(self, parts: Sequence[Line | Table], foot: str) -> None:
        """As much as fits, the first lines first."""
        width, height = self._size()
        lines = lines_of(parts, self._out, width)
        room = max(1, height - 1)
        if len(lines) > room:
            lines, foot = lines[:room], f"{len(lines) - room} more lines; {foot}"
        text = "".join(f"{line}{REST_OF_LINE}\r\n" for line in lines)
        self._out.write(f"{HOME}{text}{foot[:width]}{REST_OF_LINE}{REST}")
        self._out.flush()

    def wait(self, seconds: float) -> None:
        """Until a key, another size of the terminal, or so long. A key that ends it is kept in `is_over`."""
        size = self._size()
        while seconds > 0 and self._size() == size:
            if select.select([self._keys], [], [], min(seconds, LOOK_EVERY_S))[0]:
                pressed = os.read(self._keys, 64)
                self.is_over = not pressed or (pressed[0] in ENDS and (pressed[0] != 0x1B or len(pressed) == 1))
                return
            seconds -= LOOK_EVERY_S

    def _size(self) -> tuple[int, int]:
        columns, lines = os.get_terminal_size(self._out.fileno())
        return columns or 80, lines or 24

    def __enter__(self) -> "Screen":
        self._saved = termios.tcgetattr(self._keys)
        self._before = {number: signal.signal(number, signal.default_int_handler) for number in SIGNALS}
        self._before[signal.SIGTSTP] = signal.signal(signal.SIGTSTP, signal.SIG_IGN)  # else it leaves our screen behind
        tty.setcbreak(self._keys)
        self._out.write(ENTER)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)
        with suppress(OSError):  # the terminal may be gone
            self._out.write(LEAVE)
            self._out.flush()
        with suppress(termios.error):
            termios.tcsetattr(self._keys, termios.TCSADRAIN, self._saved)
