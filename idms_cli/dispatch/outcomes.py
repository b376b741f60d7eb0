"""The outcome of a run on its way from the worker to its supervisor: one small file, whole or not there."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from idms_cli.config.replacing import replace_file
from idms_cli.modules import Outcome

OUTCOME = "outcome.json"


def write_outcome(directory: Path, outcome: Outcome) -> None:
    """Leave the outcome in the run's directory, durable before this returns."""
    replace_file(directory / OUTCOME, json.dumps({**asdict(outcome), "counts": dict(outcome.counts)}).encode())


def read_outcome(directory: Path) -> dict[str, Any] | None:
    """What the worker left; None when it left nothing."""
    try:
        outcome: dict[str, Any] = json.loads((directory / OUTCOME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return outcome
