"""What templates may say of a run, kept in its directory: the same at each attempt."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from idms_cli.config.replacing import replace_file
from idms_cli.modules import RunContext
from idms_cli.templates.moments import Moment, occasion

FILE_NAME = "values.json"


def kept_values(context: RunContext) -> Mapping[str, Any]:
    """The values of this run; settled, on disk, when it first asks. A run by hand has the time of its creation."""
    path = context.directory / FILE_NAME
    if not path.exists():
        now = datetime.fromtimestamp(context.clock.now(), UTC)
        slot = context.slot or context.created_at or now
        values = occasion(job=context.job, run=context.run_id, slot=slot, now=now, zone=context.zone)
        replace_file(path, json.dumps(values).encode())
    return read_values(path)


def read_values(path: Path) -> dict[str, Any]:
    """What `kept_values` wrote. Raises `OSError`."""
    values: dict[str, Any] = json.loads(path.read_bytes())
    return {**values, "slot": Moment(values["slot"]), "now": Moment(values["now"])}
