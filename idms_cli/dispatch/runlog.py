"""The log of a run: lines in its directory, each with its moment in UTC."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from idms_cli.config.foreign import harmless
from idms_cli.config.secrets import mask

FILE_NAME = "log.txt"


def run_log(directory: Path) -> Callable[[str], None]:
    """What writes a line, without secrets or control codes. A disk that does not take it costs the line only."""
    path = directory / FILE_NAME

    def log(message: str) -> None:
        line = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {harmless(mask(message))}\n"
        with suppress(OSError), path.open("a", encoding="utf-8") as file:  # a full disk must not end the run for a line
            file.write(line)

    return log
