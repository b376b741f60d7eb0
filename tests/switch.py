"""A site that comes and goes."""

from contextlib import ExitStack
from urllib.parse import urlsplit

from idms_cli.sandbox import Sandbox
from idms_cli.sandbox.server import serve


class Switch:
    """A site that can be switched off during a run, and on again at the same address."""

    def __init__(self, site: Sandbox) -> None:
        self._site = site
        self._stack = ExitStack()
        self._port = 0
        self.on()

    def on(self) -> None:
        self.url = self._stack.enter_context(serve(self._site, port=self._port))
        self._port = urlsplit(self.url).port or 0

    def off(self) -> None:
        self._stack.close()

    def off_after(self, word: str, number: int) -> object:
        """A `progress` that switches the site off once so many rows are told under this word."""

        def progress(counts: dict[str, int]) -> None:
            if counts[word] == number:
                self.off()

        return progress
