"""What the commands share that decide about a run: finding it, and who decides."""

import getpass
import os

from idms_cli.commands import Session
from idms_cli.dispatch.settle import settle
from idms_cli.errors import InputError
from idms_cli.history.rows import Run


def find_run(session: Session, run_id: int) -> Run:
    """A run as it is now. Raises `InputError` when there is none."""
    settle(session.store, session.now().timestamp())
    run = session.store.runs.one(run_id)
    if run is None:
        raise InputError(f"there is no run {run_id}", hint="`idms history` lists the runs.")
    return run


def find_held(session: Session, run_id: int) -> Run:
    """A run that waits for approval. Raises `InputError` for any other."""
    run = find_run(session, run_id)
    if run.status != "held":
        raise InputError(f"run {run_id} is not held: it is {run.status}", hint="See `idms history --status held`.")
    return run


def who() -> str:
    """The person at the keyboard: the one who called sudo, else the account."""
    return os.environ.get("SUDO_USER") or getpass.getuser()
