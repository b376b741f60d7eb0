"""Waiting for a server in asyncio, with patience."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from idms_cli.remote.patience import LOOK_EVERY_S, Patience

T = TypeVar("T")


class Waiter:
    """For one server. Nothing goes on while nobody waits."""

    def __init__(self, runner: asyncio.Runner, patience: Patience) -> None:
        self._runner = runner
        self._patience = patience
        self._silent_s = 0.0

    def wait(self, work: Coroutine[Any, Any, T], *, what: str, patience: Patience | None = None) -> T:
        """Its result. Raises what it raises, `Unreachable` after too long a silence, and `Interrupted`."""
        return self._runner.run(self._patiently(work, what, patience or self._patience))

    def heard(self) -> None:
        """The server has answered something, so that what is waited for is on its way."""
        self._silent_s = 0.0

    async def _patiently(self, work: Coroutine[Any, Any, T], what: str, patience: Patience) -> T:
        task = asyncio.ensure_future(work)
        self.heard()
        try:
            while not (await asyncio.wait({task}, timeout=LOOK_EVERY_S))[0]:
                self._silent_s += LOOK_EVERY_S
                patience.check(self._silent_s, what)
            return task.result()
        finally:
            if not task.done():
                task.cancel()
                with suppress(asyncio.CancelledError, Exception):
                    await task
