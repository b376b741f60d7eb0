"""The counts of a run of a workflow so far: a small file in its directory, for whoever looks on or settles it."""

import json
from collections.abc import Mapping
from pathlib import Path

from idms_cli.config.replacing import replace_file

TALLY = "workflow.json"


def write_tally(directory: Path, counts: Mapping[str, int]) -> None:
    """Whole, but not durable: the steps' own notes are. Raises `OSError`."""
    replace_file(directory / TALLY, json.dumps(dict(counts)).encode(), durable=False)


def read_tally(directory: Path) -> Mapping[str, int]:
    """Empty for what is no workflow, and before its first step was over. Raises `OSError` and `ValueError`."""
    try:
        found: Mapping[str, int] = json.loads((directory / TALLY).read_bytes())
    except FileNotFoundError:
        return {}
    return found
