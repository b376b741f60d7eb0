"""The outcome of a run on its way from the worker to its supervisor: one small file, whole or not there."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from idms_cli.config.replacing import replace_file
from idms_cli.modules import Outcome

OUTCOME = "outcome.json"


def write_outcome(directory: Path, outcome: Outcome, *, over: bool = True) -> None:
    """Leave the outcome in the run's directory, durable before this returns; not `over` while there is aftercare."""
    told = {**asdict(outcome), "counts": dict(outcome.counts), "over": over}
    replace_file(directory / OUTCOME, json.dumps(told).encode())


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
