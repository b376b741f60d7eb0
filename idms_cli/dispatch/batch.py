"""Several files of one job are a run each, one after the other: somebody waits at the keyboard for all of them."""

import signal
import time
from collections.abc import Iterator

from idms_cli.config.settings import Settings
from idms_cli.dispatch.launch import hand_over
from idms_cli.dispatch.settle import settle
from idms_cli.errors import Interrupted
from idms_cli.history.rows import Run
from idms_cli.history.store import Store

LOOK_EVERY_S = 0.2


def rest_of_batch(store: Store, settings: Settings, first: Run) -> Iterator[Run]:
    """The runs of the other files, each when it has ended.

    They run under supervisors of their own: who stops waiting does not stop them.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    last = first
    while last.batch is not None:
        following = store.runs.next_of_batch(last)
        if following is None:
            return
        try:
            last = _ended(store, settings, following)
        except KeyboardInterrupt:
            raise Interrupted(
                f"run {following.id} goes on, and after it the files that are left",
                hint="`idms status` shows it.",
            ) from None
        yield last
        if last.is_open:
            return  # its process died: a tick goes on with it


def _ended(store: Store, settings: Settings, run: Run) -> Run:
    while run.status in ("pending", "running"):
        settle(store, time.time())
        hand_over(store, settings, time.time())
        time.sleep(LOOK_EVERY_S)
        run = store.runs.one(run.id) or run
    return run
