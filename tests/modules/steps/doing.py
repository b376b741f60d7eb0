"""A step in a process of its own, which a test kills."""

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from idms_cli.errors import IdmsError
from tests.delivery.killing import process_killed_when
from tests.modules.steps.stand import Stand


def killed_when(condition: Callable[[], Any], stand: Stand, step: Mapping[str, Any]) -> None:
    """Do the step in another process, and `kill -9` it once the condition holds."""
    process_killed_when(condition, "tests.modules.steps.doing", str(stand.directory), stand.url, json.dumps(step))


if __name__ == "__main__":
    _, directory, url, step = sys.argv
    try:
        Stand(Path(directory), url).run(json.loads(step))
    except IdmsError as error:
        sys.exit(str(error))
