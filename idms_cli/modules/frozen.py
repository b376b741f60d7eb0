"""The job files that a run of a workflow uses beside its own, kept as they were when it began."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from idms_cli.config.replacing import replace_file

FROZEN = "jobs.json"


class Text(NamedTuple):
    """A job file's text, as it was read."""

    path: str
    text: str


def freeze(directory: Path, texts: Mapping[str, Text]) -> None:
    """Keep the texts of the jobs that a run is to run, unless that was done; on disk when it returns."""
    path = directory / FROZEN
    if not path.exists():
        replace_file(path, json.dumps(texts).encode())


def frozen_jobs(directory: Path) -> Mapping[str, tuple[str, str]]:
    """Path and text of each job as the run in this directory has frozen it; none before it began."""
    try:
        return {name: (path, text) for name, (path, text) in json.loads((directory / FROZEN).read_bytes()).items()}
    except FileNotFoundError:
        return {}
