"""The outcome of a run on its way from the worker to its supervisor: one small file, whole or not there."""

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

from idms_cli.modules import Outcome

OUTCOME = "outcome.json"


def write_outcome(directory: Path, outcome: Outcome, *, over: bool = True) -> None:
    """Leave the outcome in the run's directory, durable before this returns; not `over` while there is aftercare."""
    told = {**asdict(outcome), "counts": dict(outcome.counts), "over": over}
    write_whole(directory / OUTCOME, json.dumps(told))


def read_outcome(directory: Path) -> dict[str, Any] | None:
    """What the worker left; None when it left nothing."""
    try:
        outcome: dict[str, Any] = json.loads((directory / OUTCOME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return outcome


def unfinished_outcome(directory: Path) -> Outcome | None:
    """How the run ended, where its worker died over what was to be done after that."""
    told = read_outcome(directory)
    if told is None or told.pop("over", True):
        return None
    return Outcome(**told)


def forget_outcome(directory: Path) -> None:
    """What an earlier attempt told counts no more, unless its work was done."""
    if unfinished_outcome(directory) is None:
        (directory / OUTCOME).unlink(missing_ok=True)


def write_whole(path: Path, text: str, *, durable: bool = True) -> None:
    """Write beside, sync, rename: a reader sees the old file or the new one, never half of one."""
    beside = path.with_name(f".{path.name}.new")
    fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(fd, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        if durable:
            os.fsync(fd)
    beside.replace(path)
    if durable:
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        os.fsync(folder)
        os.close(folder)
