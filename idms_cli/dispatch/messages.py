"""Messages that steps of a workflow send: into the outbox, each once; the channels have processes that send them."""

import time
from pathlib import Path

from idms_cli.config.secrets import mask
from idms_cli.history.rows import Run
from idms_cli.history.store import Store
from idms_cli.modules import Note


class KeptMessages:
    """See `Messages`. The next tick wakes who sends them, or the supervisor when the run is over."""

    def __init__(self, state: Path, run: Run) -> None:
        self._state = state
        self._run = run

    def tell(self, note: Note, *, again: bool) -> None:
        facts = {"run": self._run.id, "title": mask(note.subject), "body": mask(note.text), "key": note.key}
        with Store(self._state) as store, store.database.together():  # a thread of its own has no other connection
            if not (again and store.outbox.has_step(self._run.job, note.key)):
                store.outbox.add(note.channels, "step", self._run.job, facts, time.time())
